"""How commands print: data to standard output, talk to standard error, tables that fit, times as people say them.

All text that comes from memories goes through `shown`, so that nothing in it can drive the terminal.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

UNLIMITED = 100_000
LINE = 2000  # characters of a text that a table or a line may show
STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}


def say(text: str) -> None:
    """Tell the user something that is not the data asked for."""
    print(text, file=sys.stderr)


def document(value: Any) -> None:
    """Print one JSON document, indented for a person at a terminal, else in one line."""
    print(json.dumps(value, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))


def shown(text: str) -> str:
    """Text of a memory, safe for a terminal."""
    from app.guard.hostile import inert

    return inert(text)


def one_line(text: str) -> str:
    """The beginning of it in one line, which is all that a line has room for."""
    return " ".join(shown(text[:LINE]).split())


def styled(text: str, style: str) -> str:
    """Coloured where standard output is a terminal that wants it."""
    plain = not sys.stdout.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM", "dumb") == "dumb"
    return text if plain else f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def terminal_width() -> int:
    """Columns to fill: the terminal's, or unlimited where the output is not a terminal."""
    if os.environ.get("COLUMNS", "").isdigit():
        return max(20, int(os.environ["COLUMNS"]))
    if not sys.stdout.isatty():
        return UNLIMITED
    return max(20, os.get_terminal_size(sys.stdout.fileno()).columns)


def table(rows: Iterable[Sequence[str]], headers: Sequence[str]) -> None:
    """Print rows in columns; the last column takes the room that is left and is cut there."""
    cells = [[one_line(c) for c in row] for row in rows]
    widths = [max(cell_width(row[i]) for row in [list(headers), *cells]) for i in range(len(headers) - 1)]
    room = max(10, terminal_width() - sum(widths) - 2 * len(widths))
    for number, row in enumerate([[h.upper() for h in headers], *cells]):
        fixed = [c + " " * (w - cell_width(c)) for c, w in zip(row, widths, strict=False)]
        line = "  ".join([*fixed, clipped(row[-1], room)]).rstrip()
        print(styled(line, "dim") if number == 0 else line)


def clipped(text: str, width: int) -> str:
    """`text` cut to `width` columns, with an ellipsis where something is missing."""
    if len(text) * 2 <= width or cell_width(text) <= width:
        return text
    used, kept = 1, []
    for character in text:
        used += cell_width(character)
        if used > width:
            break
        kept.append(character)
    return "".join(kept).rstrip() + "…"


def wrapped(text: str, indent: str = "", lines: int = 12) -> str:
    """`text` folded to the terminal; what is longer than `lines` ends in an ellipsis. `mem show` has all of it."""
    import textwrap

    width = min(terminal_width(), 100) - len(indent)
    folded = [part for line in text.splitlines() for part in textwrap.wrap(line, width) or [""]]
    if len(folded) > lines:
        folded = [*folded[: lines - 1], folded[lines - 1] + " …"]
    return "\n".join(indent + part for part in folded)


def cell_width(text: str) -> int:
    """Terminal columns that `text` takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def ago(moment: datetime, now: datetime) -> str:
    """A time as one would say it: "just now", "3 h ago", "in 2 days", and a date when it is further than a month."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 60:
        return "just now" if seconds >= 0 else "soon"
    for unit, length, limit in (("min", 60, 3600), ("h", 3600, 86400), ("days", 86400, 31 * 86400)):
        if size < limit:
            count = int(size // length)
            words = f"{count} {'day' if unit == 'days' and count == 1 else unit}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return moment.astimezone(now.tzinfo).strftime("%d %b %Y").lstrip("0")


def day(moment: datetime, now: datetime) -> str:
    """Date and time of the clock on the wall here."""
    return moment.astimezone(now.tzinfo).strftime("%Y-%m-%d %H:%M")


def size(number: float) -> str:
    """Bytes for a person."""
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" or number >= 10 else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
