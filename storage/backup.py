"""Backups: a compressed, verified copy of the whole store; its return; and which copies to keep.

An encrypted store gives an encrypted copy under the same key. Knows files and rows, not when to make one.
"""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.database import connect, translated
from storage.errors import StorageError, StoreDamaged, StoreTooNew, WrongKey
from storage.files import fault, make_private, private, replacing, sweep
from storage.journal import state_hash
from storage.lock import WriterLock
from storage.rekey import is_plain

TIME = "%Y%m%dT%H%M%SZ"
PREFIX, SUFFIX = "mem-", ".db.gz"
LEVEL = 1  # gzip: four times faster than 6 and hardly larger on text beside vectors
BLOCK = 1 << 20
MOST = (
    200  # times its packed size is the most that a backup unpacks to; a store is some 3 to 40 times as large
)


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy on disk; `size` is in bytes."""

    path: Path
    at: datetime
    size: int


def snapshot(connection: Any, folder: Path, now: datetime, key: str | None = None) -> Path:
    """Copy the store as it stands into `folder`, prove that the copy restores to the same state, return its path.

    Others may read and write meanwhile. Call it outside a transaction.
    Raises StoreReadOnly when the disk does not take it, StoreDamaged when the copy is not what the store is.
    """
    make_private(folder)
    sweep(folder)
    target = folder / f"{PREFIX}{now.astimezone(UTC).strftime(TIME)}{SUFFIX}"
    with replacing(target) as packed:
        with _scratch(folder / "copy.db") as copy:
            state = _export(connection, copy, key)
            fault("backup.compress")
            _pack(copy, packed, level=0 if key else LEVEL)  # what is encrypted does not shrink
        with _scratch(folder / "check.db") as again:
            fault("backup.verify")
            _unpack(packed, again)
            if _state(again, key) != state:
                raise StoreDamaged(
                    "The backup differs from the store.", "It was thrown away; run `mem doctor`."
                )
    return target


def restore(path: Path, database: Path, now: datetime, key: str | None = None) -> Path | None:
    """Put the backup at `path` in the place of `database`; returns where the old store is kept, None if there was none.

    No other process should have the store open. Raises StoreTooNew, WrongKey, StoreDamaged (the backup), StoreReadOnly;
    the old store is then untouched.
    """
    if not path.is_file():
        raise StorageError(f"There is no backup at {path}.", "See `mem backup --list`.")
    lock = WriterLock(database.with_name("mem.lock"))
    lock.acquire()
    try:
        with replacing(database) as new:
            _unpack(path, new)
            try:
                _state(new, key)
            except StoreTooNew as error:
                raise StoreTooNew(f"{path} was written by a newer version of mem.", error.hint) from error
            except StoreDamaged as error:
                raise StoreDamaged(
                    f"{path} is damaged.", "Choose another one: `mem backup --list`."
                ) from error
            kept = _keep(database, now, key) if database.exists() else None
            fault("restore.swap")
        return kept
    finally:
        lock.release()


def list_backups(folder: Path) -> list[Backup]:
    """The backups in `folder`, newest first; other files are left out."""
    found = []
    for path in folder.glob(f"{PREFIX}*{SUFFIX}"):
        with suppress(ValueError):
            at = datetime.strptime(path.name[len(PREFIX) : -len(SUFFIX)], TIME).replace(tzinfo=UTC)
            found.append(Backup(path, at, path.stat().st_size))
    return sorted(found, key=lambda b: b.at, reverse=True)


def rotate(folder: Path, keep_daily: int = 7, keep_weekly: int = 4, keep_monthly: int = 6) -> list[Path]:
    """Remove all but the newest backup of each of the last days, weeks and months that have one; returns the removed.

    The newest of all always stays.
    """
    backups = list_backups(folder)
    keep = set(backups[:1])
    keep |= _newest_of(backups, lambda at: (at.year, at.month, at.day), keep_daily)
    keep |= _newest_of(backups, lambda at: at.isocalendar()[:2], keep_weekly)
    keep |= _newest_of(backups, lambda at: (at.year, at.month), keep_monthly)
    removed = [b.path for b in backups if b not in keep]
    for path in removed:
        fault("backup.rotate")
        path.unlink(missing_ok=True)
    return removed


def _newest_of(newest_first: list[Backup], period: Callable[[datetime], object], many: int) -> set[Backup]:
    first: dict[object, Backup] = {}
    for backup in newest_first:
        first.setdefault(period(backup.at), backup)
    return set(list(first.values())[:many])


def _export(connection: Any, copy: Path, key: str | None) -> str:
    """Write every row into `copy`; returns the state hash of the same moment."""
    with translated(copy):
        connection.execute("ATTACH DATABASE ? AS copy KEY ?", (str(copy), key or ""))
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            connection.execute("BEGIN")  # one moment for the hash and the copy
            state = state_hash(connection)
            fault("backup.copy")
            connection.execute("SELECT sqlcipher_export('copy')")
            connection.execute(f"PRAGMA copy.user_version = {version}")
            connection.execute("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            connection.execute("DETACH DATABASE copy")
    return state


def _state(path: Path, key: str | None) -> str:
    """The state hash of the store at `path`, after a look at its pages. Raises StoreTooNew, WrongKey, StoreDamaged."""
    if key is None and not is_plain(path):
        raise WrongKey("The backup is encrypted, or is none.", "Open the store with its passphrase first.")
    connection = connect(path, key=key, read_only=True)
    try:
        with translated(path, encrypted=key is not None):
            problem = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise StoreDamaged(f"The backup is damaged: {problem}.", "Choose another one.")
            return state_hash(connection)
    finally:
        connection.close()


def _pack(source: Path, target: Path, level: int) -> None:
    with source.open("rb") as plain, gzip.open(target, "wb", compresslevel=level) as packed:
        shutil.copyfileobj(plain, packed, BLOCK)


def _unpack(source: Path, target: Path) -> None:
    fault("restore.unpack")
    room = MOST * source.stat().st_size
    try:
        with gzip.open(source, "rb") as packed, target.open("wb") as plain:
            while block := packed.read(BLOCK):
                room -= plain.write(block)
                if room < 0:
                    raise EOFError("it unpacks to more than a store can be")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise StoreDamaged(f"{source} is not a whole backup: {error}.", "Choose another one.") from error


def _keep(database: Path, now: datetime, key: str | None) -> Path:
    """Give the old store a second name; afterwards nothing beside `database` belongs to it any more."""
    fault("restore.keep")
    kept = database.with_name(f"{database.name}.before-restore-{now.astimezone(UTC).strftime(TIME)}")
    # A store too damaged to be tidied is kept as it is, its log beside it.
    with suppress(StorageError):
        connection = connect(database, key=key)
        try:
            with translated(database):
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()
    for tail in ("", "-wal"):
        old = database.with_name(database.name + tail)
        if old.exists():
            _second_name(old, kept.with_name(kept.name + tail))
    for tail in ("-wal", "-shm"):
        database.with_name(database.name + tail).unlink(missing_ok=True)
    return kept


def _second_name(old: Path, new: Path) -> None:
    new.unlink(missing_ok=True)
    try:
        os.link(old, new)
    except OSError:  # a file system without hard links
        with replacing(new) as copy:
            shutil.copyfile(old, copy)


@contextmanager
def _scratch(path: Path) -> Iterator[Path]:
    temporary = private(path)
    try:
        yield temporary
    finally:
        for tail in ("", "-journal", "-wal", "-shm"):
            temporary.with_name(temporary.name + tail).unlink(missing_ok=True)
