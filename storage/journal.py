"""The append-only log of every change to records, links, entities and uses: undo, replay and the state hash.

Every write of the store goes through `put` and `remove` here, so nothing changes unlogged. Knows rows only.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.errors import RecordNotFound, StorageError
from storage.files import fault
from storage.records import Change
from storage.rows import KEYS, Row, change_from, from_text, key_of, to_json

WORN_COLUMNS = frozenset({"last_used", "use_count", "stability", "state"})
"""Columns that daily use changes; a difference in them alone does not stand in the way of an undo."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is written beside each change: when, in which run, and the verb."""

    at: str
    run: str
    action: str


class Journal:
    """Writes rows and their log in the caller's transaction. Not for use outside one."""

    def __init__(self, connection: Any) -> None:
        self._db = connection

    def put(self, stamp: Stamp, table: str, row: Row) -> None:
        """Insert the row, or update the one with its key; only real changes are logged."""
        key = key_of(table, row)
        old = self.row(table, key)
        if old is None:
            _insert(self._db, table, row)
            self._log(stamp, table, key, None, row)
            return
        changed = [c for c in row if row[c] != old[c]]
        if changed:
            _update(self._db, table, key, {c: row[c] for c in changed})
            self._log(stamp, table, key, {c: old[c] for c in changed}, {c: row[c] for c in changed})

    def add(self, stamp: Stamp, table: str, row: Row) -> None:
        """Insert a row that is known to be new (no lookup)."""
        _insert(self._db, table, row)
        self._log(stamp, table, key_of(table, row), None, row)

    def remove(self, stamp: Stamp, table: str, key: str) -> None:
        """Delete the row; nothing happens when there is none."""
        old = self.row(table, key)
        if old is not None:
            _delete(self._db, table, key)
            self._log(stamp, table, key, old, None)

    def erase(self, table: str, key: str) -> None:
        """Take the contents out of every entry about this row: what was forgotten leaves no copy in the log."""
        self._db.execute(
            'UPDATE journal SET before = NULL, after = NULL, erased = 1 WHERE "table" = ? AND key = ?',
            (table, key),
        )

    def row(self, table: str, key: str) -> Row | None:
        """The row as it stands, or None."""
        where, values = _where(table, key)
        cursor = self._db.execute(f"SELECT * FROM {table} WHERE {where}", values)
        found = cursor.fetchone()
        return None if found is None else dict(zip((c[0] for c in cursor.description), found, strict=True))

    def changes(
        self,
        *,
        run: str | None = None,
        seq: int | None = None,
        record: str | None = None,
        after: int = 0,
        updates_only: bool = False,
        limit: int = -1,
        newest_first: bool = False,
    ) -> Iterator[Change]:
        """Entries of a run, of one number, or of one record; all when none is given. `limit` -1 means all.

        `updates_only` keeps the changes of records that were there before and still are.
        """
        clauses, values = ["seq > ?"], [after]
        for clause, value in (("run = ?", run), ("seq = ?", seq)):
            if value is not None:
                clauses.append(clause)
                values.append(value)  # type: ignore[arg-type]
        if record is not None:
            clauses.append("\"table\" = 'records' AND key = ?")
            values.append(to_json([record]))  # type: ignore[arg-type]
        if updates_only:
            clauses.append("\"table\" = 'records' AND before IS NOT NULL AND after IS NOT NULL")
        order = "DESC" if newest_first else "ASC"
        cursor = self._db.execute(
            f"SELECT * FROM journal WHERE {' AND '.join(clauses)} ORDER BY seq {order} LIMIT ?",
            (*values, limit),
        )
        columns = [c[0] for c in cursor.description]
        for found in cursor.fetchall():
            yield change_from(dict(zip(columns, found, strict=True)))

    def runs(self, limit: int) -> list[tuple[str, datetime, str, int]]:
        """The newest runs: id, time of the last change, its verbs, how many changes."""
        sql = (
            "SELECT run, max(at), group_concat(DISTINCT action), count(*) FROM journal"
            " GROUP BY run ORDER BY max(seq) DESC LIMIT ?"
        )
        return [(run, from_text(at), verbs, n) for run, at, verbs, n in self._db.execute(sql, (limit,))]

    def undo(self, stamp: Stamp, changes: list[Change]) -> int:
        """Reverse `changes`, newest first; returns how many rows changed.

        Raises StorageError where a later change stands on one of them, or where its contents were forgotten.
        """
        if not changes:
            raise RecordNotFound("There is nothing of that name to undo.", "See `mem log`.")
        for change in reversed(changes):
            self._check_undoable(change)
            if change.before is None:
                self.remove(stamp, change.table, change.key)
            elif change.after is None:
                self.add(stamp, change.table, dict(change.before))
            else:
                current = self.row(change.table, change.key) or {}
                self.put(stamp, change.table, {**current, **change.before})
        return len(changes)

    def _check_undoable(self, change: Change) -> None:
        if change.before is None and change.after is None:
            raise StorageError(f"Entry {change.seq} was forgotten and cannot come back.", "See `mem log`.")
        now = self.row(change.table, change.key)
        if change.after is None:
            clash = now is not None
        else:
            fixed = {c: v for c, v in change.after.items() if c not in WORN_COLUMNS}
            clash = now is None or any(now[c] != v for c, v in fixed.items())
        if clash:
            name = ", ".join(map(str, json.loads(change.key)))
            raise StorageError(
                f"{name} was changed again later.", "Undo the later run first (see `mem log`)."
            )

    def _log(
        self, stamp: Stamp, table: str, key: str, before: Row | None, after: Mapping[str, Any] | None
    ) -> None:
        fault("store.write")
        self._db.execute(
            'INSERT INTO journal (at, run, action, "table", key, before, after) VALUES (?, ?, ?, ?, ?, ?, ?)',
            (stamp.at, stamp.run, stamp.action, table, key, _json(before), _json(after)),
        )


def state_hash(connection: Any) -> str:
    """SHA-256 over every journaled table, rows in the order of their keys: equal states, equal hash."""
    digest = hashlib.sha256()
    for table, columns in KEYS.items():
        cursor = connection.execute(f"SELECT * FROM {table} ORDER BY {', '.join(columns)}")
        names = [c[0] for c in cursor.description]
        for row in cursor:
            digest.update(to_json([table, dict(zip(names, row, strict=True))]).encode())
    return digest.hexdigest()


def replay(source: Any, target: Any) -> None:
    """Apply the journal of `source` to the empty database `target`, in order; erased entries are skipped."""
    cursor = source.execute('SELECT "table", key, before, after FROM journal WHERE erased = 0 ORDER BY seq')
    for table, key, before, after in cursor:
        if after is None:
            _delete(target, table, key)
        elif before is None:
            _insert(target, table, json.loads(after))
        else:
            _update(target, table, key, json.loads(after))


def _json(row: Mapping[str, Any] | None) -> str | None:
    return None if row is None else to_json(row)


def _where(table: str, key: str) -> tuple[str, list[Any]]:
    return " AND ".join(f'"{column}" = ?' for column in KEYS[table]), json.loads(key)


def _insert(db: Any, table: str, row: Mapping[str, Any]) -> None:
    columns = ", ".join(f'"{c}"' for c in row)
    marks = ", ".join("?" * len(row))
    db.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", tuple(row.values()))


def _update(db: Any, table: str, key: str, row: Mapping[str, Any]) -> None:
    where, values = _where(table, key)
    columns = ", ".join(f'"{c}" = ?' for c in row)
    db.execute(f"UPDATE {table} SET {columns} WHERE {where}", (*row.values(), *values))


def _delete(db: Any, table: str, key: str) -> None:
    where, values = _where(table, key)
    db.execute(f"DELETE FROM {table} WHERE {where}", values)
