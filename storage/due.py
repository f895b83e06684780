"""Which memories the states of the night concern: one look over a table, no meaning."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from storage.records import State, Use
from storage.rows import from_text, to_text

_AGE = "(julianday(?) - julianday(max(coalesce(last_used, event_time), event_time)))"


def due_to_fade(connection: Any, now: datetime, stabilities: float, after: int, limit: int) -> list[int]:
    """Active, unprotected rows unused for more than so many times their own stability; oldest rows first."""
    sql = (
        f"SELECT seq FROM records WHERE state = ? AND pinned = 0 AND protected IS NULL AND {_AGE} > ? * stability"
        " AND seq > ? ORDER BY seq LIMIT ?"
    )
    return [
        seq
        for (seq,) in connection.execute(sql, (str(State.ACTIVE), to_text(now), stabilities, after, limit))
    ]


def due_to_rest(
    connection: Any, now: datetime, stabilities: float, age: timedelta, after: int, limit: int
) -> list[int]:
    """Dormant, unprotected rows unused for so many stabilities, older than `age`, whose session a gist covers."""
    sql = (
        f"SELECT seq FROM records WHERE state = ? AND pinned = 0 AND protected IS NULL AND {_AGE} > ? * stability"
        " AND event_time < ? AND session IN (SELECT session FROM records WHERE kind = 'gist' AND session IS NOT NULL)"
        " AND kind <> 'gist' AND seq > ? ORDER BY seq LIMIT ?"
    )
    values = (str(State.DORMANT), to_text(now), stabilities, to_text(now - age), after, limit)
    return [seq for (seq,) in connection.execute(sql, values)]


def blurred(connection: Any, model: str, limit: int) -> list[int]:
    """Active rows whose vector is kept at a lower precision: they were woken since it was."""
    sql = (
        "SELECT DISTINCT v.seq FROM vectors v JOIN records r ON r.seq = v.seq"
        " WHERE v.model = ? AND v.precision <> 'f32' AND r.state = ? ORDER BY v.seq LIMIT ?"
    )
    return [seq for (seq,) in connection.execute(sql, (model, str(State.ACTIVE), limit))]


def all_uses(connection: Any) -> list[Use]:
    """Every use of every memory, memory by memory, each in the order of time."""
    rows = connection.execute("SELECT record, at, session, gain FROM uses ORDER BY record, at").fetchall()
    return [Use(record, from_text(at), session, gain) for record, at, session, gain in rows]
