"""Lanes: threads with a memory of their own that do one job after another with it.

A store belongs to its thread; so the daemon gives each kind of work a thread and hands it jobs.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.config import Home
    from app.memory import Memory

Job = Callable[[Callable[[], "Memory"]], None]  # is given what opens the lane's memory
RETRY_SECONDS = 10.0  # after this long a lane looks again for an embedder that was missing


class Lane(threading.Thread):
    """One thread, one memory, one job at a time. The memory is opened again when its files were replaced."""

    def __init__(
        self, name: str, home: Home, open_memory: Callable[[], Memory], died: Callable[[], None]
    ) -> None:
        """`died` is called when a job raised what it should have handled: the thread is gone then."""
        super().__init__(name=f"mem-{name}", daemon=True)
        self._home = home
        self._open_memory = open_memory
        self._died = died
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._working = False
        self._memory: Memory | None = None
        self._seen: tuple[int, ...] = ()
        self._opened = 0.0

    @property
    def busy(self) -> bool:
        """Whether a job runs or waits."""
        return self._working or not self._jobs.empty()

    def submit(self, job: Job) -> None:
        """Queue a job; it handles its own errors."""
        self._jobs.put(job)

    def stop(self) -> None:
        """End after the jobs that are queued."""
        self._jobs.put(None)

    def run(self) -> None:
        """Work until stopped."""
        ended = False
        try:
            while (job := self._jobs.get()) is not None:
                self._working = True
                job(self._current)
                self._working = False
            ended = True
        finally:
            self._close()
            if not ended:
                self._died()

    def _current(self) -> Memory:
        seen = _stamps(self._home)
        waited = time.monotonic() - self._opened > RETRY_SECONDS
        lacking = self._memory is not None and self._memory.embedder_error is not None and waited
        if self._memory is None or seen != self._seen or lacking:
            self._close()
            self._memory = self._open_memory()
            self._seen, self._opened = _stamps(self._home), time.monotonic()
        return self._memory

    def _close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None


def _stamps(home: Home) -> tuple[int, ...]:
    """Which files the home's settings and database are: they change when `mem setup` or a restore replaces them."""
    out = []
    for path, moment in ((home.config, True), (home.database, False)):
        try:
            found = path.stat()
            out += [found.st_ino, found.st_mtime_ns if moment else 0]
        except FileNotFoundError:
            out += [0, 0]
    return tuple(out)
