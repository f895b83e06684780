"""Counts and spans over all records, for views that show the whole: SQL that no list of records could answer fast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from storage.rows import from_text, to_text

IDLE = (
    "(julianday(?) - julianday(max(coalesce(last_used, event_time), event_time)))"  # days since the last use
)
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


def truth_changes(connection: Any, start: datetime, end: datetime, limit: int = 100) -> list[int]:
    """Row numbers of facts that began or ceased to be true from `start` until before `end`, newest first."""
    first, last = to_text(start), to_text(end)
    sql = (
        "SELECT seq FROM records WHERE kind = 'semantic' AND ((valid_from >= ? AND valid_from < ?)"
        " OR (valid_to >= ? AND valid_to < ?)) ORDER BY coalesce(valid_to, valid_from) DESC, seq DESC LIMIT ?"
    )
    return [seq for (seq,) in connection.execute(sql, (first, last, first, last, limit))]


def count_mentions(connection: Any, limit: int = 500) -> list[tuple[str, int]]:
    """Ids of entities and how many memories mention each, the most mentioned first."""
    sql = "SELECT dst, count(*) FROM links WHERE kind = 'mentions' GROUP BY dst ORDER BY 2 DESC, 1 LIMIT ?"
    return [(id, count) for id, count in connection.execute(sql, (limit,))]


def count_by_idleness(connection: Any, now: datetime, edges: Sequence[float]) -> list[tuple[str, int, int]]:
    """(kind, bucket, records): bucket n was left alone for at least edges[n-1] of its stabilities (0: for less than
    edges[0]). `edges` rise. What is pinned or protected is counted in bucket -1, whatever its age."""
    steps = " ".join(f"WHEN {IDLE} < ? * stability THEN {n}" for n in range(len(edges)))
    sql = (
        f"SELECT kind, CASE WHEN pinned OR protected IS NOT NULL THEN -1 {steps} ELSE {len(edges)} END, count(*)"
        " FROM records GROUP BY 1, 2 ORDER BY 1, 2"
    )
    moment = to_text(now)
    values = [value for edge in edges for value in (moment, edge)]
    return [(kind, bucket, count) for kind, bucket, count in connection.execute(sql, values)]


def fading_between(
    connection: Any, now: datetime, later: datetime, stabilities: float, limit: int
) -> list[int]:
    """Row numbers of unprotected records that have not been left alone for so many of their stabilities now, and will
    have been `later`; the most important first."""
    sql = (
        f"SELECT seq FROM records WHERE pinned = 0 AND protected IS NULL AND valid_to IS NULL"
        f" AND {IDLE} < ? * stability AND {IDLE} >= ? * stability ORDER BY importance DESC, seq DESC LIMIT ?"
    )
    values = (to_text(now), stabilities, to_text(later), stabilities, limit)
    return [seq for (seq,) in connection.execute(sql, values)]


def spread(connection: Any, words: Sequence[str], most: int = 1_000) -> dict[str, int]:
    """How many records hold each word, as full text knows it; counted up to `most`, so that no word costs more."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM records_fts WHERE records_fts MATCH ? LIMIT ?)"
    return {
        word: int(connection.execute(sql, ('"{}"'.format(word.replace('"', "")), most)).fetchone()[0])
        for word in words
    }
