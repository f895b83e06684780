"""WhatsApp's exported chats, of iOS and Android, in whichever order the phone wrote day and month."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from app.exchange.archive import member, members
from app.exchange.items import MAX_TEXT, Item, Problem, Turn, read_limited

HEAD = re.compile(
    r"^\[?(?P<a>\d{1,4})[./-](?P<b>\d{1,2})[./-](?P<c>\d{2,4}),?\s+"
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?\s*(?P<half>[AaPp]\.?\s?[Mm]\.?)?\]?"
    r"(?:\s+-)?\s+(?P<who>[^:]{1,100}?):\s(?P<text>.*)$"
)
NOTICE = re.compile(r"^\[?\d{1,4}[./-]\d{1,2}[./-]\d{2,4},?\s+\d{1,2}[:.]\d{2}")
INVISIBLE = re.compile("[\u200e\u200f\u202a-\u202e]")
NOT_SAID = re.compile(
    r"^(?:<[^<>]*(?:omitted|weggelassen|omis|omitido)[^<>]*>|(?:image|video|audio|sticker|GIF|document) omitted)$"
)


@dataclass(slots=True)
class _Message:
    line: int
    parts: tuple[int, int, int]
    clock: tuple[int, int, int]
    who: str
    text: str


def read_whatsapp(path: Path, *, month_first: bool | None = None) -> Iterator[Item]:
    """Turns of a chat as text or zip; a conversation is what was said on one day. Raises BadInput.

    `month_first` decides where the dates of a chat leave it open; None takes the order in which time runs forwards.
    """
    for name in members(path, "*.txt"):
        with member(path, name) as file:
            text = read_limited(file, path).decode("utf-8-sig", errors="replace")
        messages = list(_messages(text))
        order = _order([m.parts for m in messages], month_first)
        chat = Path(name).stem if path.suffix != ".zip" else path.stem
        yield from (
            _turn(m, order, chat) for m in messages if m.text.strip() and not NOT_SAID.match(m.text.strip())
        )


def looks_like_whatsapp(head: str) -> bool:
    """Whether most of the first lines begin as messages do."""
    lines = [INVISIBLE.sub("", line) for line in head.splitlines()[:20] if line.strip()]
    return bool(lines) and sum(bool(NOTICE.match(line)) for line in lines) * 2 >= len(lines)


def _messages(text: str) -> Iterator[_Message]:
    held: _Message | None = None
    for number, raw in enumerate(text.split("\n"), 1):
        line = INVISIBLE.sub("", raw).replace("\u202f", " ").replace("\xa0", " ").rstrip("\r")
        if found := HEAD.match(line):
            if held is not None:
                yield held
            parts = (int(found["a"]), int(found["b"]), int(found["c"]))
            held = _Message(number, parts, _clock(found), found["who"].strip(), found["text"])
        elif NOTICE.match(line):
            if held is not None:
                yield held
            held = None  # "X added Y", "messages are encrypted": nobody said it
        elif held is not None:
            held.text += "\n" + line
    if held is not None:
        yield held


def _clock(found: re.Match[str]) -> tuple[int, int, int]:
    hour = int(found["hour"])
    half = (found["half"] or "").lower()
    if half:
        hour = hour % 12 + (12 if half.startswith("p") else 0)
    return hour, int(found["minute"]), int(found["second"] or 0)


def _order(dates: list[tuple[int, int, int]], month_first: bool | None) -> str:
    """ "ymd", "dmy" or "mdy": the order in which every date exists; else the one its user names; else the one in which
    time runs backwards least often."""
    if dates and dates[0][0] > 31:
        return "ymd"
    if any(b > 12 for _, b, _ in dates):
        return "mdy"
    if any(a > 12 for a, _, _ in dates):
        return "dmy"

    if month_first is not None:
        return "mdy" if month_first else "dmy"

    def backwards(order: str) -> int:
        days = [_ymd(parts, order) for parts in dates]
        return sum(later < earlier for earlier, later in itertools.pairwise(days))

    return min(("dmy", "mdy"), key=backwards)


def _ymd(parts: tuple[int, int, int], order: str) -> tuple[int, int, int]:
    named = dict(zip(order, parts, strict=True))
    year = named["y"] + 2000 if named["y"] < 100 else named["y"]
    return year, named["m"], named["d"]


def _turn(message: _Message, order: str, chat: str) -> Item:
    place = f"line {message.line}"
    try:
        moment = datetime(*_ymd(message.parts, order), *message.clock).astimezone()
    except (ValueError, OverflowError) as error:
        return Problem(place, f"no such date: {error}")
    return Turn(
        message.text.strip()[:MAX_TEXT],
        place,
        speaker=message.who,
        role="other",
        time=moment,
        session=f"{chat} {moment:%Y-%m-%d}",
    )
