"""How values look on a screen: times as people say them, strength as a bar with its number, text that cannot act."""

from __future__ import annotations

import re
from datetime import datetime

from app.guard.hostile import inert

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
STEPS = 5
LONGEST = 20_000  # characters of one memory on the screen


def safe(text: str) -> str:
    """Words of a memory for the screen: escapes and direction characters cannot act; what is too long is cut."""
    if len(text) > LONGEST:
        text = (
            f"{text[:LONGEST]}\n[... {len(text) - LONGEST:,} characters more: `mem show` has all of it ...]"
        )
    return text if text.isprintable() else inert(text.replace("\r\n", "\n"))


def printable(markdown: str) -> str:
    """A reply of the model, which stays Markdown: without control and direction characters."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", markdown)


def one_line(text: str, limit: int = 300) -> str:
    """The same in one line."""
    return " ".join(safe(text[:limit]).split())


def day(moment: datetime, now: datetime) -> str:
    """ "2 Mar 2024" on the calendar here."""
    here = moment.astimezone(now.tzinfo)
    return f"{here.day} {here:%b %Y}"


def minute(moment: datetime, now: datetime) -> str:
    """ "2 Mar 2024 18:05" on the clock here."""
    return f"{day(moment, now)} {moment.astimezone(now.tzinfo):%H:%M}"


def ago(moment: datetime, now: datetime) -> str:
    """ "just now", "3 h ago", "in 2 days"; a date when it is further than a month."""
    seconds = (now - moment).total_seconds()
    size = abs(seconds)
    if size < 60:
        return "just now" if seconds >= 0 else "soon"
    for unit, length, limit in (("min", 60, 3600), ("h", 3600, 86400), ("day", 86400, 31 * 86400)):
        if size < limit:
            count = int(size // length)
            words = f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return day(moment, now)


def strength(r: float) -> str:
    """Retrievability as a bar and a number: "▮▮▮▯▯ 0.61"."""
    full = max(0, min(STEPS, round(r * STEPS)))
    return "▮" * full + "▯" * (STEPS - full) + f" {r:.2f}"


def validity(start: datetime, end: datetime | None, now: datetime, width: int = 24) -> str:
    """When a fact was true, on a line that runs from its start to today: "2 Mar 2023 ━━━━──── 5 Jan 2024, now over"."""
    if end is None:
        return f"{day(start, now)} {'━' * width} still true"
    whole = max((max(now, end) - start).total_seconds(), 1.0)
    true = max(1, min(width, round(width * (end - start).total_seconds() / whole)))
    state = "ended" if end <= now else "ends"
    return f"{day(start, now)} {'━' * true}{'┄' * (width - true)} {state} {day(end, now)}"


def number(count: int) -> str:
    """12,345."""
    return f"{count:,}"


def size(count: float) -> str:
    """Bytes for a person."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def bar(count: float, most: float, width: int) -> str:
    """A bar of at most `width` cells, in eighths of a cell; something is never drawn as nothing."""
    eighths = round(width * 8 * count / most) if most else 0
    eighths = max(eighths, 1 if count > 0 else 0)
    full, rest = divmod(min(eighths, width * 8), 8)
    return ("█" * full + (" ▏▎▍▌▋▊▉"[rest] if rest else "")).ljust(width)
