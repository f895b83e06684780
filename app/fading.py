"""What has dimmed and why, and putting memories to rest or waking them by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.memory import Memory
from app.records import Filter, Record, State


@dataclass(frozen=True, slots=True)
class Dimmed:
    """A memory that is not fully awake: its retrievability now, and the reason in words."""

    record: Record
    strength: float
    why: str


def dimmed(memory: Memory, now: datetime, limit: int) -> list[Dimmed]:
    """Dormant and archived memories, the newest first."""
    from app.forgetting import explain, retrievability
    from app.uses import DECAY, curve_of

    curve = curve_of(memory.config, memory.store.meta(DECAY))
    resting = Filter(states=frozenset({State.DORMANT, State.ARCHIVED}))
    found = memory.store.records(resting, limit=limit)
    return [Dimmed(r, retrievability(r, now, curve), explain(r, now, curve)) for r in found]


def set_state(memory: Memory, ids: Sequence[str], state: State, now: datetime) -> list[Record]:
    """Archive or wake these memories, as one run; waking counts as a use now. Raises RecordNotFound."""
    action = "archive" if state is State.ARCHIVED else "restore"
    with memory.store.atomic(action, now):
        records = [replace(memory.store.get(id), state=state) for id in ids]
        if state is State.ACTIVE:
            records = [replace(r, last_used=now) for r in records]
        for record in records:
            memory.store.update(record)
    return records
