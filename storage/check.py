"""Whether the database is what it should be. Each function returns problems in words, none when all is well."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from storage.database import translated
from storage.errors import StoreDamaged
from storage.lock import WriterLock

ORPHANS = "NOT EXISTS (SELECT 1 FROM records r WHERE r.seq = vectors.seq)"
CUT = (
    "length(vec) <>"
    " CASE precision WHEN 'f32' THEN dim * 4 WHEN 'i8' THEN dim WHEN 'b1' THEN (dim + 7) / 8 ELSE -1 END"
)


def integrity_problems(connection: Any) -> list[str]:
    """What SQLite finds when it walks every page and index."""
    rows = connection.execute("PRAGMA integrity_check(20)").fetchall()
    return [str(row[0]) for row in rows if row[0] != "ok"]


def full_text_problem(connection: Any) -> str:
    """What is wrong between the full-text index and the rows that it indexes, "" when nothing."""
    from sqlcipher3 import dbapi2

    try:
        # rank 1: the index is compared with the rows' own words, not only with itself
        connection.execute("INSERT INTO records_fts (records_fts, rank) VALUES ('integrity-check', 1)")
    except (dbapi2.DatabaseError, StoreDamaged) as error:
        return str(error)
    return ""


def vector_problems(connection: Any) -> list[str]:
    """Vectors without a record, and vectors whose bytes are not as long as their dimension and precision say."""
    found = []
    for condition, words in ((ORPHANS, "belong to no memory"), (CUT, "have the wrong length")):
        (count,) = connection.execute(f"SELECT count(*) FROM vectors WHERE {condition}").fetchone()
        if count:
            found.append(f"{count} {words}")
    return found


def drop_orphan_vectors(connection: Any) -> int:
    """Delete what `vector_problems` found; the words are embedded again. Returns how many."""
    return int(connection.execute(f"DELETE FROM vectors WHERE {ORPHANS} OR ({CUT})").rowcount)


def rebuild_full_text(connection: Any) -> None:
    """Write the full-text index anew from the rows."""
    connection.execute("INSERT INTO records_fts (records_fts) VALUES ('rebuild')")


def checkpoint(connection: Any, path: Path) -> bool:
    """Move the write-ahead log into the database at `path` and empty it; False while another process is reading.

    Raises StoreReadOnly.
    """
    with translated(path):
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


def compact(connection: Any, path: Path) -> None:
    """Write the database at `path` anew without its free space, where a page that was split may keep old bytes.

    Raises StoreLocked, StorageError and its kinds.
    """
    lock = WriterLock(path.with_name("mem.lock"))
    lock.acquire()
    try:
        with translated(path):
            connection.execute("VACUUM")
        checkpoint(connection, path)
    finally:
        lock.release()
