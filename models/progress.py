"""What a download reports while it runs: small events in the past tense, and the meter that counts bytes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

SHOW_SECONDS = 0.1  # between two reports of bytes


@dataclass(frozen=True, slots=True)
class Fetched:
    """So much of the model is there. Bytes; `rate` in bytes a second, `eta` in seconds, None until it is known."""

    file: str
    done: int
    total: int
    rate: float
    eta: float | None


@dataclass(frozen=True, slots=True)
class SourceChosen:
    """A source is being tried."""

    file: str
    source: str


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """A source did not deliver; the next one follows if there is one."""

    file: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileReady:
    """A file is in its place and verified. `fetched` is False when it was there already."""

    file: str
    fetched: bool


Event = Fetched | SourceChosen | SourceFailed | FileReady
Progress = Callable[[Event], None]


class Meter:
    """Counts bytes over all files of a model, whatever way they come, and tells how fast."""

    def __init__(self, total: int, report: Progress) -> None:
        self.report = report
        self._total = total
        self._finished = 0
        self._shown = float("-inf")
        self._began: tuple[float, int] | None = None  # when, and with how many bytes already there

    def show(self, file: str, done: int) -> None:
        """So many bytes of this file are there."""
        now, done = time.monotonic(), min(self._finished + done, self._total)
        self._began = self._began or (now, done)
        if now - self._shown < SHOW_SECONDS and done < self._total:
            return
        self._shown = now
        rate = (done - self._began[1]) / max(now - self._began[0], 1e-6)
        eta = (self._total - done) / rate if rate else None
        self.report(Fetched(file, done, self._total, rate, eta))

    def ready(self, file: str, size: int, *, fetched: bool) -> None:
        """This file is in its place. What was there already does not count as fast."""
        self._finished += size
        if not fetched:
            self._began = None
        self.report(FileReady(file, fetched))
