"""Memories over time: how many there are in each month and day, what was said then, and which facts changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from app.records import Filter, Record
from storage.overview import count_by_period, truth_changes

if TYPE_CHECKING:
    from app.memory import Memory

PAGE = 200


@dataclass(frozen=True, slots=True)
class Turning:
    """A fact that began to be true (`began`), or ceased to be, at a time."""

    record: Record
    at: datetime
    began: bool


@dataclass(frozen=True, slots=True)
class Span:
    """A month or a day: memories per day, the newest memories, and the facts that changed."""

    name: str
    days: tuple[tuple[str, int], ...]
    records: tuple[Record, ...]
    turnings: tuple[Turning, ...]


def months(memory: Memory) -> list[tuple[str, int]]:
    """("2024-03", memories) for every month that has any, newest first."""
    return count_by_period(memory.store.connection, "month")[::-1]


def span(memory: Memory, name: str) -> Span:
    """What there is of a month ("2024-03") or a day ("2024-03-02"), on the calendar of UTC."""
    start, end = bounds(name)
    seqs = truth_changes(memory.store.connection, start, end)
    found = memory.store.by_seq(seqs)
    turnings = [t for seq in seqs if seq in found for t in _turnings(found[seq], start, end)]
    return Span(
        name,
        tuple(count_by_period(memory.store.connection, "day", name)),
        tuple(memory.store.records(Filter(after=start, before=end), limit=PAGE)),
        tuple(sorted(turnings, key=lambda t: t.at, reverse=True)),
    )


def bounds(name: str) -> tuple[datetime, datetime]:
    """Start and end of a month or a day. Raises ValueError for what is neither."""
    if len(name) == 7:
        start = datetime.strptime(name, "%Y-%m").replace(tzinfo=UTC)
        return start, (start + timedelta(days=31)).replace(day=1)
    start = datetime.strptime(name, "%Y-%m-%d").replace(tzinfo=UTC)
    return start, start + timedelta(days=1)


def _turnings(record: Record, start: datetime, end: datetime) -> list[Turning]:
    ends = [(record.valid_from, True), (record.valid_to, False)]
    return [Turning(record, at, began) for at, began in ends if at is not None and start <= at < end]
