"""A memory was used: that is an event with a gain, and its stability grows. At most once per memory and session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.config import Config
from app.forgetting import Curve, last_touched, reinforced
from storage.records import Record, Source, State, Use

if TYPE_CHECKING:
    from app.memory import Memory

CITED = 1.0  # in an answer that the user accepted
SAID_AGAIN = 1.87  # confirmed, or said again by an independent source
OPENED = 0.6
RETRIEVED = 0.0  # shown to the model and not used: nothing

UNTRUSTED = frozenset({Source.IMPORTED, Source.TOOL})
DECAY = "curve.decay"  # the store's key for the exponent that was fitted to its user


def use(memory: Memory, ids: Sequence[str], gain: float, session: str, now: datetime) -> list[Record]:
    """Log a use of each memory in this session and strengthen it; returns those that gained.

    What an answer of the model cites gains nothing where its source is not trusted, so that a planted text cannot
    make itself strong. A clock that was set back never lowers anything. The vector of a memory that was woken is
    made sharp again by the next night.
    """
    curve = curve_of(memory.config, memory.store.meta(DECAY))
    gained = []
    with memory.store.atomic("use", now):
        for record in memory.store.get_many(ids).values():
            if gain <= 0 or (gain == CITED and record.trust in UNTRUSTED):
                continue
            if memory.store.add_use(Use(record.id, now, session, gain)):
                gained.append(strengthened(record, gain, now, curve))
                memory.store.update(gained[-1])
    return gained


def strengthened(record: Record, gain: float, now: datetime, curve: Curve) -> Record:
    """The record after a use: awake, and no less stable than before."""
    return replace(
        record,
        stability=reinforced(record, gain, now, curve),
        last_used=max(now, last_touched(record)),
        use_count=record.use_count + 1,
        state=State.ACTIVE,
    )


def curve_of(config: Config, fitted: float | None = None) -> Curve:
    """The curve that the user chose, with the exponent that was fitted to their uses if there is one."""
    chosen = config.forgetting
    decay = chosen.decay if fitted is None else fitted
    return Curve("exponential", decay) if chosen.shape == "exponential" else Curve("power", decay)
