"""Progress on standard error, only where a person watches."""

from __future__ import annotations

import sys
import time
from typing import Self


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
