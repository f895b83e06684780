"""Counts and spans over all records, for views that show the whole: SQL that no list of records could answer fast."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from storage.rows import from_text

PERIODS = {"year": 4, "month": 7, "day": 10}  # leading characters of a time's text


@dataclass(frozen=True, slots=True)
class SessionSpan:
    """One conversation: how many turns, its first words, and when it began and ended."""

    name: str
    turns: int
    first: datetime
    last: datetime
    words: str


def count_by_period(
    connection: Any, period: Literal["year", "month", "day"], within: str = ""
) -> list[tuple[str, int]]:
    """How many records there are per "2024", "2024-03" or "2024-03-02" (UTC), oldest first; read from an index.

    `within` keeps the periods that begin with it: "2024-03" for the days of a month.
    """
    size = PERIODS[period]
    sql = (
        f"SELECT substr(event_time, 1, {size}), count(*) FROM records"
        " WHERE event_time >= ? AND event_time < ? GROUP BY 1 ORDER BY 1"
    )
    return [(name, count) for name, count in connection.execute(sql, (within, within + "~"))]


def session_spans(connection: Any, limit: int = 100) -> list[SessionSpan]:
    """The conversations that were spoken in last, newest first."""
    sql = (
        "SELECT s.session, s.turns, s.first, s.last, r.text FROM"
        " (SELECT session, count(*) AS turns, min(event_time) AS first, max(event_time) AS last, min(seq) AS seq"
        "  FROM records WHERE session IS NOT NULL AND kind = 'episodic' GROUP BY session) s"
        " JOIN records r ON r.seq = s.seq ORDER BY s.last DESC, s.session LIMIT ?"
    )
    return [
        SessionSpan(name, turns, from_text(first), from_text(last), words[:200])
        for name, turns, first, last, words in connection.execute(sql, (limit,))
    ]
