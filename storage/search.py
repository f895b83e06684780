"""Filters to SQL, and the full-text query. Returns row numbers (`records.seq`), never text."""

from __future__ import annotations

from typing import Any

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
