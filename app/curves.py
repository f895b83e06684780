"""Forgetting to look at: the course of one memory's retrievability, and how awake all of them are. Reads only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from app.browse import KIND_NAMES
from app.forgetting import (
    DORMANT_BELOW,
    FLOOR,
    Curve,
    explain,
    first_stability,
    grown,
    protection,
    retrievability,
)
from app.records import Kind, Record, Use
from storage.overview import count_by_idleness, fading_between

if TYPE_CHECKING:
    from app.memory import Memory

BUCKETS = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)  # retrievability at the lower end of each, falling
MONTH = timedelta(days=30)
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Course:
    """Retrievability of one memory over time: (moment, R) evenly spaced, its uses, and why it stands where it does.

    `dormant` is when it falls asleep unless used; None where it is protected or asleep already.
    """

    record: Record
    points: tuple[tuple[datetime, float], ...]
    uses: tuple[Use, ...]
    why: str
    protected: str | None
    dormant: datetime | None


@dataclass(frozen=True, slots=True)
class Fading:
    """All memories: counts per kind and bucket of retrievability (the most awake first), what is protected, what
    falls asleep within a month, the most important first."""

    kinds: Mapping[str, Sequence[int]]
    protected: Mapping[str, int]
    soon: tuple[Record, ...]


def course(memory: Memory, id: str, now: datetime, points: int = 60) -> Course:
    """The curve of one memory from when it was said until a month from now. Raises RecordNotFound."""
    record, curve = memory.store.get(id), curve_of(memory)
    uses = tuple(memory.store.uses(record.id))
    start, end = record.event_time, max(now, record.event_time) + MONTH
    step = (end - start) / max(points - 1, 1)
    moments = [start + step * n for n in range(points)]
    awake = protection(record, now) is None and retrievability(record, now, curve) >= DORMANT_BELOW
    dormant = _dormant_at(record, curve) if awake else None
    values = retraced(record, uses, moments, now, curve)
    drawn = tuple(zip(moments, values, strict=True))
    return Course(record, drawn, uses, explain(record, now, curve), protection(record, now), dormant)


def retraced(
    record: Record, uses: Sequence[Use], moments: Sequence[datetime], now: datetime, curve: Curve
) -> list[float]:
    """R at each moment (rising), from its first stability through every use; the last stretch is the record's own."""
    stability, since = first_stability(record.importance) if uses else record.stability, record.event_time
    left, values = list(uses), []
    for moment in moments:
        while left and left[0].at <= moment:
            use = left.pop(0)
            value = curve.value(stability, (use.at - since).total_seconds() / DAY)
            stability, since = grown(stability, value, use.gain), max(use.at, since)
            if not left:
                stability = record.stability
        value = curve.value(stability, (moment - since).total_seconds() / DAY)
        values.append(max(value, FLOOR) if protection(record, now) else value)
    return values


def fading(memory: Memory, now: datetime, limit: int = 100) -> Fading:
    """How awake everything is."""
    curve = curve_of(memory)
    edges = [curve.days_until(1.0, value) for value in BUCKETS]
    kinds: dict[str, list[int]] = {}
    protected: dict[str, int] = {}
    for kind, bucket, count in count_by_idleness(memory.store.connection, now, edges):
        name = KIND_NAMES[Kind(kind)]
        if bucket < 0:
            protected[name] = count
        else:
            kinds.setdefault(name, [0] * (len(BUCKETS) + 1))[bucket] = count
    asleep = curve.days_until(1.0, DORMANT_BELOW)
    seqs = fading_between(memory.store.connection, now, now + MONTH, asleep, limit)
    found = memory.store.by_seq(seqs)
    return Fading(kinds, protected, tuple(found[seq] for seq in seqs if seq in found))


def curve_of(memory: Memory) -> Curve:
    """The curve that this memory's settings name."""
    settings = memory.config.forgetting
    return Curve("exponential" if settings.shape == "exponential" else "power", settings.decay)


def strengths(memory: Memory, ids: Sequence[str], now: datetime) -> dict[str, float]:
    """Retrievability of these memories, by id; those that are gone are left out."""
    curve = curve_of(memory)
    return {id: retrievability(record, now, curve) for id, record in memory.store.get_many(ids).items()}


def _dormant_at(record: Record, curve: Curve) -> datetime:
    days = curve.days_until(record.stability, DORMANT_BELOW)
    return max(record.last_used or record.event_time, record.event_time) + timedelta(days=days)
