"""Notices when files change, by looking at their dates now and then; needs nothing of the system."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

PAUSE_SECONDS = 2.0


def changes(path: Path, sleep: Callable[[float], None] = time.sleep) -> Iterator[None]:
    """Yield once, and again whenever something at or below `path` has changed and then kept still for a pause."""
    imported: object = None
    before: object = None
    while True:
        now = signature(path)
        if now != imported and (imported is None or now == before):
            imported = now
            yield
        before = now
        sleep(PAUSE_SECONDS)


def signature(path: Path) -> tuple[tuple[str, int, int], ...]:
    """Names, dates and sizes of the file, or of the files in the folder; links are not followed."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if not p.is_symlink())
    found = []
    for file in files:
        try:
            seen = file.lstat()
        except FileNotFoundError:
            continue  # it went between the listing and the look
        found.append((str(file), seen.st_mtime_ns, seen.st_size))
    return tuple(found)
