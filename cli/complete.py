"""Shell completion: of commands, options, ids, kinds and sessions. It prints nothing where anything goes wrong."""

from __future__ import annotations

from collections.abc import Iterator

from app.errors import AppError, StorageError

SHOWN = 50


def complete_kind(incomplete: str) -> list[str]:
    """Kinds of memory that begin so."""
    from app.records import Kind

    return [str(kind) for kind in Kind if kind.startswith(incomplete)]


def complete_id(incomplete: str) -> list[tuple[str, str]]:
    """Ids that begin so, the newest first, with the first words of each."""
    return [pair for pair in _recent("id") if pair[0].startswith(incomplete)][:SHOWN]


def complete_session(incomplete: str) -> list[str]:
    """Sessions that begin so."""
    return [name for name, _ in _recent("session") if name.startswith(incomplete)][:SHOWN]


def _recent(what: str) -> Iterator[tuple[str, str]]:
    from cli.options import opened

    try:
        with opened(None, read_only=True) as memory:
            if what == "session":
                yield from ((name, "") for name in memory.store.counts("session") if name)
            else:
                yield from ((r.id, " ".join(r.text.split())[:40]) for r in memory.store.records(limit=1000))
    except (AppError, StorageError):
        return  # a shell that is completing has no place for an error
