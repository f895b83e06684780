"""One read-only SQL statement, for a user who asks the database directly; an authorizer refuses all else."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

READING = frozenset(
    {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
)
INTERRUPTIBLE_STEPS = 10_000  # how often Ctrl-C is looked for, in steps of SQLite's machine


class QueryRefused(Exception):
    """The statement is wrong, or would do more than read."""


def read_only_rows(connection: Any, sql: str) -> tuple[tuple[str, ...], Iterator[tuple[Any, ...]]]:
    """Column names and rows of one SELECT. Raises QueryRefused; the connection stays refusing until it is closed."""
    from sqlcipher3 import dbapi2

    def allow(action: int, *_: Any) -> int:
        return sqlite3.SQLITE_OK if action in READING else sqlite3.SQLITE_DENY

    connection.set_authorizer(allow)
    connection.set_progress_handler(lambda: 0, INTERRUPTIBLE_STEPS)
    try:
        cursor = connection.execute(sql)
    except (dbapi2.Error, dbapi2.Warning, ValueError) as error:
        raise QueryRefused(str(error)) from error
    return tuple(c[0] for c in cursor.description or ()), iter(cursor)
