"""Read-only questions to the database in its own language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.errors import BadRequest
from app.memory import Memory
from storage.query import QueryRefused, read_only_rows


def query(memory: Memory, sql: str) -> tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]:
    """The column names and the rows that one SELECT yields. Raises BadRequest for what is wrong or would write."""
    try:
        return read_only_rows(memory.store.connection, sql)
    except QueryRefused as error:
        raise BadRequest(
            f"The query was refused: {error}.", "Only reading is possible: SELECT, WITH, EXPLAIN."
        ) from error
