"""Backups of one home: making one, keeping the right ones, putting one back."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from app.config import Home, load_config
from app.errors import BadInput, Refused
from app.keys import unlock_backup
from app.memory import Memory
from storage.backup import Backup, list_backups, restore, rotate
from storage.rekey import SALT_BYTES

__all__ = ["Backup", "list_backups", "make", "put_back"]


def make(memory: Memory, now: datetime) -> Backup:
    """A verified copy of the store; older ones are thinned out to days, weeks and months. Raises StorageError."""
    path = memory.store.backup(memory.home.backups, now)
    rotate(memory.home.backups)
    return Backup(path, now, path.stat().st_size)


def find_backup(home: Home, path: Path) -> Path:
    """The backup at `path`, or the one of that name among those of `home`. Raises BadInput where there is none."""
    if not path.exists() and path.name == str(path):
        path = home.backups / path
    _header(path)
    return path


def put_back(home: Home, path: Path, now: datetime, ask: Callable[[], str] | None = None) -> Path | None:
    """Put the backup in place of the store; returns where the old one is kept, None where there was none.

    Raises Refused while the daemon runs, BadInput for what is no backup, StorageError and its kinds.
    """
    from app.service import status

    if status(home) is not None:
        raise Refused("The background service has the store open.", "Stop it first: `mem daemon stop`.")
    key = unlock_backup(_header(path), home, load_config(home.config), ask)
    home.create()
    return restore(path, home.database, now, key)


def _header(path: Path) -> bytes:
    try:
        with gzip.open(path, "rb") as file:
            return file.read(SALT_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise BadInput(f"{path} is no backup: {why}.", "See `mem backup --list`.") from error
