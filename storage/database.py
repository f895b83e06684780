"""One SQLite connection, opened safely: permissions, key, durability, migrations, and errors in our own words."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from storage.errors import StorageError, StoreDamaged, StoreLocked, StoreReadOnly, StoreTooNew, WrongKey
from storage.files import fault
from storage.lock import WriterLock
from storage.schema import VERSION, migrate

Connection = Any  # sqlcipher3 ships no types

BUSY_MS = 10_000
PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -16000",
    "PRAGMA wal_autocheckpoint = 8000",  # pages; `backfill` comes first, and leaves this little to do
)
BACKFILL_PAGES = 1000


def connect(path: Path, *, key: str | None = None, read_only: bool = False) -> Connection:
    """Open (and create, and migrate) the database at `path`; `key` opens an encrypted one.

    Raises StoreTooNew, StoreDamaged, StoreReadOnly, StoreLocked, WrongKey.
    """
    if not read_only:
        _create(path)
    elif not path.exists():
        raise StorageError(
            f"There is no store at {path}.", "Run `mem remember` or `mem import` to begin one."
        )
    last = time.monotonic() + BUSY_MS / 1000
    while True:
        try:
            return _opened(path, key, read_only)
        except StoreLocked:
            # SQLite waits for no lock where others make, or leave, the file at the same moment.
            if time.monotonic() > last:
                raise
            time.sleep(0.005)


def _opened(path: Path, key: str | None, read_only: bool) -> Connection:
    from sqlcipher3 import dbapi2

    from storage.driver import Connection as Told

    with translated(path, encrypted=key is not None):
        connection = dbapi2.connect(
            f"file:{_quoted(path)}{'?mode=ro' if read_only else ''}",
            uri=True,
            isolation_level=None,
            factory=Told,
        )
        try:
            if key is not None:
                connection.execute("PRAGMA cipher_log_level = NONE")  # a wrong key is told once, by us
                connection.execute("PRAGMA key = '{}'".format(key.replace("'", "''")))
            for pragma in PRAGMAS[: 1 if read_only else None]:
                connection.execute(pragma).fetchall()
            _check_version(connection, path, read_only)
        except BaseException:
            connection.close()
            raise
    return connection


def memory() -> Connection:
    """An empty database in memory with the current schema, for replay and tests."""
    from sqlcipher3 import dbapi2

    connection = dbapi2.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection


@contextmanager
def translated(path: Path, *, encrypted: bool = False) -> Iterator[None]:
    """Turn the driver's errors into ours."""
    from sqlcipher3 import dbapi2

    try:
        yield
    except dbapi2.DatabaseError as error:
        raise _translate(error, path, encrypted) from error


def _translate(error: Exception, path: Path, encrypted: bool) -> StorageError:
    words = str(error).lower()
    if "locked" in words or "busy" in words:
        return StoreLocked(
            f"The store {path} is locked.", "Another mem command is writing; try again in a moment."
        )
    if "not a database" in words and encrypted:
        return WrongKey("The key does not open the store.", "Check the passphrase; nothing was changed.")
    if "not a database" in words or "malformed" in words or "corrupt" in words:
        return StoreDamaged(
            f"The store {path} is damaged: {error}.", "Run `mem doctor` to check and repair it."
        )
    if any(w in words for w in ("readonly", "read-only", "full", "disk i/o", "unable to open")):
        hint = "Check the permissions of the folder and the free space of its disk; nothing was lost."
        return StoreReadOnly(f"The store {path} does not take writes: {error}.", hint)
    return StorageError(f"The store {path} failed: {error}.", "Run `mem doctor`.")


def _create(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            # The file is made first, so that SQLite passes 0600 on to its -wal and -shm.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        hint = "Choose another place with --home or MEM_HOME, or mend the permissions."
        raise StoreReadOnly(f"Cannot write to {path.parent}: {error.strerror}.", hint) from error


def _quoted(path: Path) -> str:
    from urllib.parse import quote

    return quote(str(path))


def _check_version(connection: Connection, path: Path, read_only: bool) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        hint = "Update mem (`pip install -U mem-assistant`); the store was not touched."
        raise StoreTooNew(f"The store {path} was written by a newer version ({version} > {VERSION}).", hint)
    if version < VERSION and not read_only:
        lock = WriterLock(path.with_name("mem.lock"))
        lock.acquire()  # two first commands at once: the second finds the tables made
        try:
            migrate(connection)
        finally:
            lock.release()


def backfill(connection: Connection) -> None:
    """Move what the write-ahead log holds into the database, once it is much, while others write on.

    Call it after a commit, without the writer lock: with it, a crowd would wait for this. What was committed is safe
    whatever becomes of it.
    """
    from sqlcipher3 import dbapi2

    with suppress(dbapi2.DatabaseError):
        _, pages, moved = connection.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        if pages - moved > BACKFILL_PAGES:
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")


@contextmanager
def transaction(connection: Any) -> Iterator[None]:
    """All of the block or none of it; on any way out but the end nothing of it stays."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        fault("store.begin")
        yield
        fault("store.commit")
        connection.execute("COMMIT")
        fault("store.committed")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
