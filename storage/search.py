"""Filters to SQL, and the full-text query. Returns row numbers (`records.seq`), never text."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from storage.records import Filter
from storage.rows import to_text


def where(filter: Filter, alias: str = "r") -> tuple[str, list[Any]]:
    """An SQL condition over `records` for `filter`, and its values; "1" when nothing is asked."""
    clauses: list[str] = []
    values: list[Any] = []
    for column, allowed in (("kind", filter.kinds), ("state", filter.states), ("source", filter.sources)):
        if allowed:
            clauses.append(f"{alias}.{column} IN ({', '.join('?' * len(allowed))})")
            values += sorted(map(str, allowed))
    for clause, value in (("session = ?", filter.session), ("speaker = ?", filter.speaker)):
        if value is not None:
            clauses.append(f"{alias}.{clause}")
            values.append(value)
    for clause, moment in (("event_time >= ?", filter.after), ("event_time < ?", filter.before)):
        if moment is not None:
            clauses.append(f"{alias}.{clause}")
            values.append(to_text(moment))
    if filter.as_of is not None:
        at = to_text(filter.as_of)
        clauses.append(
            f"coalesce({alias}.valid_from, {alias}.event_time) <= ?"
            f" AND ({alias}.valid_to IS NULL OR {alias}.valid_to > ?)"
        )
        values += [at, at]
    elif not filter.include_superseded:
        clauses.append(f"{alias}.valid_to IS NULL AND {alias}.superseded_by IS NULL")
    return " AND ".join(clauses) or "1", values


def full_text(connection: Any, match: str, limit: int, filter: Filter) -> list[tuple[int, float]]:
    """The best `limit` rows for an FTS5 expression as (seq, score), best first; score is -bm25 (higher is better)."""
    condition, values = where(filter)
    if condition == "1":
        sql = "SELECT rowid, -rank FROM records_fts WHERE records_fts MATCH ? ORDER BY rank, rowid LIMIT ?"
        return [(s, r) for s, r in connection.execute(sql, (match, limit))]
    sql = (
        "SELECT f.rowid, -f.rank FROM records_fts f JOIN records r ON r.seq = f.rowid"
        f" WHERE records_fts MATCH ? AND {condition} ORDER BY f.rank, f.rowid LIMIT ?"
    )
    return [(s, r) for s, r in connection.execute(sql, (match, *values, limit))]


def rows_matching(connection: Any, filter: Filter) -> list[int]:
    """Every seq that `filter` lets through, ascending."""
    condition, values = where(filter)
    return [
        seq
        for (seq,) in connection.execute(f"SELECT seq FROM records r WHERE {condition} ORDER BY seq", values)
    ]


class Brief(NamedTuple):
    """What ranking reads of a record; times as the store keeps them."""

    seq: int
    id: str
    kind: str
    text: str
    context: str
    speaker: str | None
    role: str
    session: str | None
    event_time: str
    last_used: str | None
    stability: float
    pinned: int
    protected: str | None
    superseded_by: str | None
    valid_from: str | None
    valid_to: str | None
    subject: str | None


def briefs(connection: Any, seqs: Iterable[int]) -> dict[int, Brief]:
    """The records of these row numbers that exist, by row number, at a fifth of the cost of whole records."""
    sql = f"SELECT {', '.join(Brief._fields)} FROM records WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"
    return {row[0]: Brief(*row) for row in connection.execute(sql, (json.dumps(list(seqs)),))}


def distinct(connection: Any, column: str, most: int) -> list[str]:
    """The values of an indexed text column in order, at most `most`; jumps from value to value, reads no other rows."""
    sql = (
        f"WITH RECURSIVE found(value) AS (SELECT min({column}) FROM records UNION ALL SELECT (SELECT min({column})"
        f" FROM records WHERE {column} > found.value) FROM found WHERE found.value IS NOT NULL)"
        " SELECT value FROM found WHERE value IS NOT NULL LIMIT ?"
    )
    return [value for (value,) in connection.execute(sql, (most,))]
