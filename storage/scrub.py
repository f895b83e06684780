"""Takes forgotten words out of the bookkeeping of the nights: raw outputs, reports, questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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


def _passages(text: str) -> list[str]:
    """Runs of four words, by which a quotation is known; a shorter text is its own passage."""
    words = text.split()
    return [" ".join(words[i : i + 4]) for i in range(max(1, len(words) - 3))]
