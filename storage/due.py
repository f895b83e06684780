"""Which memories the states of the night concern: one look over a table, no meaning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from storage.records import State, Use
from storage.rows import from_text, to_text

_IDLE = "(julianday(:now) - julianday(max(coalesce(last_used, event_time), event_time)))"
_COVERED = "SELECT session FROM records WHERE kind = 'gist' AND session IS NOT NULL"


def due_to_fade(
    connection: Any, now: datetime, dim: float, rest: float, age: timedelta, after: int, limit: int
) -> list[int]:
    """Unprotected rows whose state time may have changed; oldest rows first. The caller decides.

    Active ones unused for more than `dim` times their own stability; and dormant ones unused for more than `rest`
    times it, older than `age`, whose session a gist covers.
    """
    sql = (
        "SELECT seq FROM records WHERE pinned = 0 AND protected IS NULL AND seq > :after AND"
        f" (state = 'active' AND {_IDLE} > :dim * stability OR state = 'dormant' AND event_time < :old"
        f" AND kind <> 'gist' AND {_IDLE} > :rest * stability AND session IN ({_COVERED})) ORDER BY seq LIMIT :limit"
    )
    values = {"now": to_text(now), "dim": dim, "rest": rest, "old": to_text(now - age)}
    return [seq for (seq,) in connection.execute(sql, {**values, "after": after, "limit": limit})]


def covered(connection: Any, seqs: Sequence[int]) -> set[int]:
    """Those of these rows that are no gist and whose session a gist covers."""
    sql = (
        "SELECT seq FROM records WHERE seq IN (SELECT value FROM json_each(?)) AND kind <> 'gist'"
        f" AND session IN ({_COVERED})"
    )
    return {seq for (seq,) in connection.execute(sql, (json.dumps(list(seqs)),))}


def blurred(connection: Any, model: str, limit: int) -> list[int]:
    """Active rows whose vector is kept at a lower precision: they were woken since it was."""
    sql = (
        "SELECT DISTINCT v.seq FROM vectors v JOIN records r ON r.seq = v.seq"
        " WHERE v.model = ? AND v.precision <> 'f32' AND r.state = ? ORDER BY v.seq LIMIT ?"
    )
    return [seq for (seq,) in connection.execute(sql, (model, str(State.ACTIVE), limit))]


def count_uses(connection: Any) -> int:
    """How many uses were ever logged."""
    return int(connection.execute("SELECT count(*) FROM uses").fetchone()[0])


def all_uses(connection: Any) -> list[Use]:
    """Every use of every memory, memory by memory, each in the order of time."""
    rows = connection.execute("SELECT record, at, session, gain FROM uses ORDER BY record, at").fetchall()
    return [Use(record, from_text(at), session, gain) for record, at, session, gain in rows]
