"""A memory was used: that is an event with a gain, and its stability grows. At most once per memory and session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.forgetting import reinforced
from app.memory import Memory
from storage.records import Record, Source, State, Use

CITED = 1.0  # in an answer that the user accepted
SAID_AGAIN = 1.87  # confirmed, or said again by an independent source
OPENED = 0.6
RETRIEVED = 0.0  # shown to the model and not used: nothing

UNTRUSTED = frozenset({Source.IMPORTED, Source.TOOL})


def use(memory: Memory, ids: Sequence[str], gain: float, session: str, now: datetime) -> list[Record]:
    """Log a use of each memory in this session and strengthen it; returns those that gained.

    What an answer of the model cites gains nothing where its source is not trusted, so that a planted text cannot
    make itself strong. A clock that was set back never lowers anything.
    """
    gained = []
    with memory.store.atomic("use", now):
        for record in memory.store.get_many(ids).values():
            if gain <= 0 or (gain == CITED and record.trust in UNTRUSTED):
                continue
            if memory.store.add_use(Use(record.id, now, session, gain)):
                gained.append(strengthened(record, gain, now))
                memory.store.update(gained[-1])
    return gained


def strengthened(record: Record, gain: float, now: datetime) -> Record:
    """The record after a use: awake, and more stable than before."""
    last = max(now, record.last_used or record.event_time)
    stability = reinforced(record, gain, now)
    return replace(
        record, stability=stability, last_used=last, use_count=record.use_count + 1, state=State.ACTIVE
    )
