"""Takes forgotten words out of the bookkeeping: of the nights (raw outputs, reports, questions) and of the journal."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from storage.rows import to_json

HOLDERS = (
    ("jobs", "input", "'null'"),
    ("jobs", "output", "NULL"),
    ("jobs", "error", "NULL"),
    ("runs", "report", "NULL"),
)


def scrub_ledger(connection: Any, ids: Sequence[str], texts: Sequence[str]) -> None:
    """Empty what names one of `ids` or repeats a passage of `texts`; belongs inside a transaction."""
    for mark in [f'"{id}"' for id in ids] + [_in_json(passage) for passage in passages(texts)]:
        for table, column, empty in HOLDERS:
            sql = f"UPDATE {table} SET {column} = {empty} WHERE instr(lower({column}), lower(?)) > 0"
            connection.execute(sql, (mark,))
        sql = "DELETE FROM reviews WHERE instr(lower(question || proposal), lower(?)) > 0"
        connection.execute(sql, (mark,))


def drop_entity_entries(connection: Any, id: str) -> None:
    """Delete the journal's entries about an entity that is gone and about links to it: its id is its name.

    The rows are not there any more, so a replay leads to the same state without their entries.
    """
    sql = "DELETE FROM journal WHERE \"table\" IN ('entities', 'links') AND instr(key, ?) > 0"
    connection.execute(sql, (to_json(id),))


def passages(texts: Iterable[str]) -> list[str]:
    """Runs of four words in lower case, by which a quotation is known; a shorter text is its own passage."""
    found: dict[str, None] = {}
    for text in texts:
        words = text.lower().split()
        found |= dict.fromkeys(" ".join(words[i : i + 4]) for i in range(max(1, len(words) - 3)) if words)
    return list(found)


def echoing(connection: Any, wanted: Sequence[str]) -> list[str]:
    """Ids of records whose context, details or earlier versions repeat a passage that is not in their own text.

    One pass over the records and one over the journal; entries about rows that are gone are emptied on the way.
    """
    patterns = [(passage, _in_json(passage)) for passage in wanted]
    found: dict[str, None] = {}
    texts: dict[str, str] = {}
    sql = "SELECT id, text, context, json_remove(extra, '$.quote', '$.value', '$.title') FROM records"
    for id, text, context, extra in connection.execute(sql):
        texts[id] = " ".join(text.lower().split())
        beside = " ".join(f"{context} {extra}".lower().split())
        if any(raw in beside or escaped in beside for raw, escaped in patterns):
            found[id] = None
    sql = (
        "SELECT seq, key, lower(coalesce(before, '') || coalesce(after, '')) FROM journal"
        " WHERE \"table\" = 'records' AND erased = 0"
    )
    for seq, key, values in connection.execute(sql).fetchall():
        id = key.strip('[]"')
        hit = [raw for raw, escaped in patterns if escaped in values]
        if hit and id not in texts:
            connection.execute(
                "UPDATE journal SET before = NULL, after = NULL, erased = 1 WHERE seq = ?", (seq,)
            )
        elif hit and any(raw not in texts[id] for raw in hit):
            found[id] = None
    return list(found)


def tables_holding(connection: Any, needles: Sequence[str]) -> tuple[int, list[str]]:
    """How many tables keep words, and "table.column" for those in which one of `needles` (lower case) still stands."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'records_fts%' ORDER BY name"
    tables = [name for (name,) in connection.execute(sql).fetchall()]
    found = []
    for table in tables:
        columns = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")').fetchall()]
        for column in columns:
            value = f'lower(CAST("{column}" AS TEXT))'
            sql = f'SELECT 1 FROM "{table}" WHERE instr({value}, ?) OR instr({value}, ?) LIMIT 1'
            marks = ((needle.lower(), _in_json(needle.lower())) for needle in needles)
            if any(connection.execute(sql, mark).fetchone() for mark in marks):
                found.append(f"{table}.{column}")
    return len(tables), found


def _in_json(words: str) -> str:
    """The words as they stand inside a JSON string."""
    return json.dumps(words, ensure_ascii=False)[1:-1]
