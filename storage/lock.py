"""The writer lock: two advisory file locks that let the processes of one home take turns fairly.

SQLite's own busy handler sleeps and retries, which starves a waiter under load; the kernel's file
lock wakes the next one at once. A holder that lets go and comes again would still be faster than
whoever is just waking, so everybody first queues for a second lock, which the next in turn holds
while it waits. The kernel drops both when their holder dies, so nothing stale remains.
"""

from __future__ import annotations

import fcntl
import os
import threading
from contextlib import suppress
from pathlib import Path

from storage.errors import StoreLocked, StoreReadOnly


class WriterLock:
    """A lock on `path` between processes; re-entrant within one instance."""

    def __init__(self, path: Path, timeout: float = 10.0) -> None:
        self._path = path
        self._timeout = timeout
        self._file: int | None = None
        self._depth = 0

    def acquire(self) -> None:
        """Take the lock, waiting up to the timeout. Raises StoreLocked, StoreReadOnly."""
        self._depth += 1
        if self._depth > 1:
            return
        try:
            queue = _opened(self._path.with_suffix(".queue"))
            try:
                self._wait(queue)
                self._file = _opened(self._path)
                self._wait(self._file)
            finally:
                os.close(queue)
        except OSError as error:
            self._give_up()
            hint = "Check the permissions of the folder and the free space of its disk."
            raise StoreReadOnly(
                f"{self._path.parent} does not take writes: {error.strerror}.", hint
            ) from error
        except BaseException:
            self._give_up()
            raise

    def release(self) -> None:
        """Give the lock back."""
        self._depth -= 1
        if self._depth == 0:
            self._close()

    def _wait(self, file: int) -> None:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        # The kernel lets waiters in by their order and cannot be given a deadline: a thread waits, and is left behind.
        # Once the file is closed here, the kernel lets go of the lock as soon as that thread would get it.
        waiting = threading.Thread(target=_lock, args=(file,), daemon=True)
        if self._timeout > 0:
            waiting.start()
            waiting.join(self._timeout)
        if self._timeout <= 0 or waiting.is_alive():
            hint = "Another mem command is busy; wait for it or stop it (`mem daemon status`)."
            raise StoreLocked(f"The store in {self._path.parent} is locked.", hint)

    def _give_up(self) -> None:
        self._depth = 0
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _lock(file: int) -> None:
    """Wait for the lock, however long."""
    with suppress(OSError):  # closed before it came to wait: nobody wants it any more
        fcntl.flock(file, fcntl.LOCK_EX)
