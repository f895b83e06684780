"""The vault's table: sealed bytes by name. Knows nothing of keys; never journaled, so nothing sealed is copied."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storage.rows import to_text


def put(connection: Any, name: str, kind: str, sealed: bytes, now: datetime) -> None:
    """Insert or replace, in the caller's transaction."""
    connection.execute(
        "INSERT INTO vault (name, kind, sealed, created_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (name) DO UPDATE SET kind = excluded.kind, sealed = excluded.sealed",
        (name, kind, sealed, to_text(now)),
    )


def get(connection: Any, name: str) -> bytes | None:
    """The sealed bytes, or None."""
    found = connection.execute("SELECT sealed FROM vault WHERE name = ?", (name,)).fetchone()
    return None if found is None else bytes(found[0])


def delete(connection: Any, name: str) -> bool:
    """Remove; False when there was none."""
    return bool(connection.execute("DELETE FROM vault WHERE name = ?", (name,)).rowcount)


def names(connection: Any) -> list[tuple[str, str, str]]:
    """(name, kind, created_at), by name."""
    return list(connection.execute("SELECT name, kind, created_at FROM vault ORDER BY name").fetchall())
