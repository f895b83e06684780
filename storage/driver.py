"""The driver's connection, except that a failing disk speaks in our words to whoever reads. Knows no tables.

Errors of a statement (its syntax, a constraint) stay the driver's own: they are for whoever wrote the statement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlcipher3 import dbapi2

from storage.errors import StoreDamaged, StoreUnreadable

ROWS = 256  # that are fetched at once: the watch over the disk costs more than a row does


class Connection(dbapi2.Connection):  # type: ignore[misc]  # sqlcipher3 ships no types
    """A connection whose cursors are `Cursor`s."""

    def cursor(self, factory: Any = None) -> Any:
        """A cursor of this connection."""
        return super().cursor(factory or Cursor)


class Cursor(dbapi2.Cursor):  # type: ignore[misc]
    """A cursor that raises StoreUnreadable and StoreDamaged where the disk or the file fails it."""

    def execute(self, sql: str, *values: Any) -> Any:
        """Run one statement."""
        return _asked(super().execute, sql.startswith("SELECT"), sql, *values)

    def fetchone(self) -> Any:
        """The next row, or None."""
        return _asked(super().fetchone, True)

    def fetchall(self) -> Any:
        """All rows that are left."""
        return _asked(super().fetchall, True)

    def fetchmany(self, size: int = ROWS) -> Any:
        """The next `size` rows, fewer at the end."""
        return _asked(super().fetchmany, True, size)

    def __iter__(self) -> Iterator[Any]:
        while rows := self.fetchmany():
            yield from rows


def _asked(do: Callable[..., Any], reading: bool, *values: Any) -> Any:
    try:
        return do(*values)
    except dbapi2.DatabaseError as error:
        words = str(error).lower()
        if reading and "disk i/o" in words:
            hint = "Look after the disk; what was kept is in the backups, too: `mem backup --list`."
            raise StoreUnreadable(f"The store cannot be read: {error}.", hint) from error
        if "malformed" in words:
            hint = "Run `mem doctor` to check and repair it."
            raise StoreDamaged(f"The store is damaged: {error}.", hint) from error
        raise
