"""Progress on standard error, only where a person watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from cli.output import one_line, say, size

if TYPE_CHECKING:
    from app.setup import Event


class Counter:
    """A line that counts up in place: "3,400 imported, 210 a second"."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._began = time.monotonic()
        self._live = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")

    def show(self, count: int) -> None:
        """Redraw."""
        if self._live:
            rate = count / max(time.monotonic() - self._began, 1e-6)
            sys.stderr.write(f"\r\x1b[K{count:,} {self._what}, {rate:,.0f} a second")
            sys.stderr.flush()


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """A function that shows one line in place of the last, as long as the block lasts."""
    live = sys.stderr.isatty()

    def show(text: str) -> None:
        if live:
            sys.stderr.write(f"\r\x1b[K{text[:100]}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        show("")


class Download:
    """A model on its way: one bar at a terminal, one line per source and file elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._live = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._clear()

    def show(self, event: Event) -> None:
        """Draw what the download reports."""
        from app.setup import Fetched, FileReady, SourceChosen, SourceFailed

        match event:
            case Fetched(_, done, total, rate, eta) if self._live:
                share = done / total if total else 0.0
                left = "" if eta is None else f", {_duration(eta)} left"
                bar = ("#" * round(share * 24)).ljust(24, ".")
                sys.stderr.write(
                    f"\r\x1b[K{self._name} [{bar}] {share:4.0%} of {size(total)}, {size(rate)}/s{left}"
                )
                sys.stderr.flush()
            case SourceChosen(file, source):
                self._line(f"{self._name}: {file} from {source}")
            case SourceFailed(file, source, reason):
                self._line(f"{self._name}: {source} does not deliver {file}: {one_line(reason)}")
            case FileReady(file, True):
                self._line(f"{self._name}: {file} is here and verified")

    def _line(self, text: str) -> None:
        self._clear()
        say(text)

    def _clear(self) -> None:
        if self._live:
            sys.stderr.write("\r\x1b[K")


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
