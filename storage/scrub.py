"""Takes forgotten words out of the bookkeeping: of the nights (raw outputs, reports, questions) and of the journal."""

from __future__ import annotations

from collections.abc import Sequence
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
    marks = [f'"{id}"' for id in ids] + [passage for text in texts for passage in _passages(text)]
    for mark in marks:
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


def _passages(text: str) -> list[str]:
    """Runs of four words, by which a quotation is known; a shorter text is its own passage."""
    words = text.split()
    return [" ".join(words[i : i + 4]) for i in range(max(1, len(words) - 3))]
