"""Rewrites a whole store under another key, or under none, into a new file that takes the old one's place."""

from __future__ import annotations

from pathlib import Path

from storage.check import checkpoint
from storage.database import connect, translated
from storage.errors import StoreDamaged
from storage.files import overwrite, replacing
from storage.journal import state_hash
from storage.lock import WriterLock
from storage.schema import VERSION

SALT_BYTES = 16


def raw_key(key: bytes, salt: bytes) -> str:
    """SQLCipher's form for a ready-made 32-byte key; the 16-byte salt becomes the first bytes of the file."""
    return f"x'{key.hex()}{salt.hex()}'"


def read_salt(path: Path) -> bytes:
    """The salt in the header of an encrypted store (16 bytes). Raises OSError where there is no file."""
    with path.open("rb") as file:
        return file.read(SALT_BYTES)


def is_plain(path: Path) -> bool:
    """Whether the file begins as an unencrypted SQLite database does."""
    return read_salt(path) == b"SQLite format 3\x00"


def rekey(path: Path, old: str | None, new: str | None) -> str:
    """Write every page of the store at `path` under the key `new` (None: plain). Returns the state hash.

    The copy is compared with the original before it takes its place; a crash leaves one of the two whole.
    The old file's bytes are overwritten before it goes. Raises StorageError and its kinds.
    """
    lock = WriterLock(path.with_name("mem.lock"))
    lock.acquire()
    try:
        connection = connect(path, key=old)
        before = state_hash(connection)
        checkpoint(connection, path)
        with path.open("r+b") as original:
            with replacing(path) as copy, translated(path):
                connection.execute("ATTACH DATABASE ? AS copy KEY ?", (str(copy), new or ""))
                connection.execute("SELECT sqlcipher_export('copy')")
                connection.execute(f"PRAGMA copy.user_version = {VERSION}")
                connection.execute("DETACH DATABASE copy")
                connection.close()
                _check(copy, new, before)
            for tail in ("-wal", "-shm"):
                path.with_name(path.name + tail).unlink(missing_ok=True)
            overwrite(original)  # only now: until the rename it was the one whole store
    finally:
        lock.release()
    return before


def _check(copy: Path, key: str | None, expected: str) -> None:
    connection = connect(copy, key=key)
    found = state_hash(connection)
    connection.execute("PRAGMA journal_mode = DELETE")  # leaves no -wal and -shm under the temporary name
    connection.close()
    if found != expected:
        raise StoreDamaged(
            "The copy under the new key differs from the store.", "Nothing was changed; run `mem doctor`."
        )
