"""Filters to SQL, and the full-text query. Returns row numbers (`records.seq`), never text."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from storage.records import EVERYTHING, Filter
from storage.rows import to_text

SCORED = 3_000  # rows that one question may have scored, some 3 ms
FEW = 20_000  # rows that a filter lets through, up to which they are listed
COUNTED = 20_000  # rows up to which a word's rows are counted: beyond, it is common
COMPANY = 4  # words, the rarest among them, that are looked for together where all are common


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


def full_text(
    connection: Any, match: str, limit: int, filter: Filter, span: tuple[int, int] | None = None
) -> list[tuple[int, float]]:
    """The best `limit` rows for an FTS5 expression as (seq, score), best first; score is -bm25 (higher is better).

    Of more than SCORED that match, or `limit`, the newest are scored. `span`: lowest and highest seq.
    """
    condition, values = where(filter)
    join = "" if condition == "1" else " JOIN records r ON r.seq = f.rowid"
    inside = "" if span is None else " AND f.rowid BETWEEN ? AND ?"
    sql = (
        f"SELECT seq, -score FROM (SELECT f.rowid AS seq, f.rank AS score FROM records_fts f{join}"
        f" WHERE records_fts MATCH ?{inside} AND {condition} ORDER BY f.rowid DESC LIMIT {max(SCORED, limit)})"
        " ORDER BY score, seq LIMIT ?"
    )
    return [(s, r) for s, r in connection.execute(sql, (match, *(span or ()), *values, limit))]


class Among:
    """The rows that a filter lets through: as `rows`, ascending, while they are few; else whoever asks names some."""

    def __init__(self, connection: Any, filter: Filter) -> None:
        self.filter = filter
        self._connection = connection
        found = [] if filter == EVERYTHING else rows_matching(connection, filter, FEW + 1)
        self.rows = None if filter == EVERYTHING or len(found) > FEW else found

    def of(self, rows: Iterable[int]) -> set[int]:
        """Those of `rows` that are let through."""
        if self.filter == EVERYTHING:
            return set(rows)
        condition, values = where(self.filter)
        sql = f"SELECT seq FROM records r WHERE seq IN (SELECT value FROM json_each(?)) AND {condition}"
        return {seq for (seq,) in self._connection.execute(sql, (json.dumps(list(rows)), *values))}

    def listed(self) -> list[int]:
        """All of them, however many."""
        return rows_matching(self._connection, self.filter) if self.rows is None else self.rows


def by_words(
    connection: Any, words: Sequence[str], limit: int, among: Among
) -> tuple[list[tuple[int, float]], list[tuple[int, float]]]:
    """The best rows with any of the words: by their text alone, and by text and context together."""
    few = among.rows if among.rows is not None and len(among.rows) <= SCORED else None
    span = (few[0], few[-1]) if few else None
    # What is common in the whole store may tell a few apart.
    match = telling(connection, words) if few is None else any_of(words) if few else ""
    if not match:
        return [], []
    return (
        full_text(connection, f"{{text}} : ({match})", limit, among.filter, span),
        full_text(connection, match, limit, among.filter, span),
    )


def any_of(words: Iterable[str]) -> str:
    """An FTS5 expression that any of the words meets, each quoted; "" for none."""
    return " OR ".join(f'"{word}"' for word in words)


def telling(connection: Any, words: Sequence[str], most: int = SCORED) -> str:
    """An FTS5 expression for rows with any of the words, rarest first while some `most` rows meet it; "" for none.

    Where even the rarest is in more rows than that, it must stand beside another: a word that is everywhere tells
    memories apart only in company, and to score every row that has it would take as long as the store is large.
    """
    (newest,) = connection.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
    if newest <= most:
        return any_of(words)
    counts = _counts(connection, map(_quoted, words), most + 1)
    ordered = sorted(counts, key=counts.__getitem__)
    reached = list(accumulate(counts[word] for word in ordered))
    kept = ordered[: bisect_right(reached, most)]
    if kept or len(ordered) < 2:
        return " OR ".join(kept or ordered)
    counts = _counts(connection, counts, COUNTED)
    ordered = sorted(counts, key=counts.__getitem__)
    rarest, *others = ordered[:COMPANY]
    return f"{rarest} AND ({' OR '.join(others)})"


def _counts(connection: Any, words: Iterable[str], most: int) -> dict[str, int]:
    """In how many rows each quoted word is, counted up to `most`; without those that are in none."""
    sql = f"SELECT count(*) FROM (SELECT 1 FROM records_fts WHERE records_fts MATCH ? LIMIT {most})"
    counts = {word: int(connection.execute(sql, (word,)).fetchone()[0]) for word in words}
    return {word: count for word, count in counts.items() if count}


def _quoted(word: str) -> str:
    return f'"{word}"'


def earliest(connection: Any, filter: Filter, most: int) -> list[int]:
    """The rows that `filter` lets through, by time, at most `most`."""
    condition, values = where(filter)
    sql = f"SELECT seq FROM records r WHERE {condition} ORDER BY event_time, seq LIMIT ?"
    return [seq for (seq,) in connection.execute(sql, (*values, most))]


def rows_matching(connection: Any, filter: Filter, most: int = -1) -> list[int]:
    """Every seq that `filter` lets through, ascending; with `most`, some of them where there are more."""
    condition, values = where(filter)
    sql = f"SELECT seq FROM records r WHERE {condition} LIMIT ?"
    return sorted(seq for (seq,) in connection.execute(sql, (*values, most)))


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
    return {
        brief.seq: brief for brief in map(Brief._make, connection.execute(sql, (json.dumps(list(seqs)),)))
    }


def distinct(connection: Any, column: str, most: int) -> list[str]:
    """The values of an indexed text column in order, at most `most`; jumps from value to value, reads no other rows."""
    sql = (
        f"WITH RECURSIVE found(value) AS (SELECT min({column}) FROM records UNION ALL SELECT (SELECT min({column})"
        f" FROM records WHERE {column} > found.value) FROM found WHERE found.value IS NOT NULL)"
        " SELECT value FROM found WHERE value IS NOT NULL LIMIT ?"
    )
    return [value for (value,) in connection.execute(sql, (most,))]


def sources(connection: Any, seqs: Iterable[int]) -> dict[int, list[int]]:
    """Of these rows those that were derived, each with the rows that it came from, ascending."""
    sql = (
        "SELECT d.seq, s.seq FROM records d JOIN links l ON l.src = d.id AND l.kind = 'derived_from'"
        " JOIN records s ON s.id = l.dst WHERE d.kind <> 'episodic'"
        " AND d.seq IN (SELECT value FROM json_each(?)) ORDER BY d.seq, s.seq"
    )
    found: dict[int, list[int]] = {}
    for derived, source in connection.execute(sql, (json.dumps(list(seqs)),)):
        found.setdefault(derived, []).append(source)
    return found


def outlived(connection: Any, ids: Iterable[str]) -> set[str]:
    """Of these memories those from which facts were drawn that have all been superseded: their words are history."""
    sql = (
        "SELECT l.dst FROM links l JOIN records f ON f.id = l.src AND f.kind = 'semantic'"
        " WHERE l.kind = 'derived_from' AND l.dst IN (SELECT value FROM json_each(?))"
        " GROUP BY l.dst HAVING count(f.superseded_by) = count(*)"
    )
    return {id for (id,) in connection.execute(sql, (json.dumps(list(ids)),))}
