"""JSON lines: one turn or note per line. Only `text` is required."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from app.exchange.items import MAX_TEXT, Item, Problem, Turn, open_binary, parse_time

MAX_LINE = 8 * MAX_TEXT  # bytes; escapes make a line longer than its text
ROLES = ("user", "assistant", "other")


def read_jsonl(path: Path) -> Iterator[Item]:
    """Turns in the order of the lines. Raises BadInput where the file cannot be read at all."""
    with open_binary(path) as file:
        number = 0
        while True:
            try:
                line = file.readline(MAX_LINE + 1)
            except (OSError, EOFError) as error:
                yield Problem(f"line {number + 1}", f"the file is damaged from here on: {error}")
                return
            if not line:
                return
            number += 1
            if len(line) > MAX_LINE:
                _skip_line(file)
                yield Problem(f"line {number}", f"longer than {MAX_LINE // 1_000_000} MB")
            elif line.strip():
                yield _item(line, number)


def _item(line: bytes, number: int) -> Item:
    place = f"line {number}"
    try:
        value = json.loads(line.decode("utf-8-sig"))
        return turn_from(value, place)
    except UnicodeDecodeError as error:
        return Problem(place, f"not UTF-8 at byte {error.start}")
    except json.JSONDecodeError as error:
        return Problem(place, f"not JSON: {error.msg} at column {error.colno}")
    except (ValueError, RecursionError) as error:
        return Problem(place, str(error))


def turn_from(value: Any, place: str) -> Turn:
    """The turn that a JSON object describes. Raises ValueError with what is wrong."""
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    text = value.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ValueError("`text` is missing or empty")
    if len(text) > MAX_TEXT:
        raise ValueError(f"`text` is longer than {MAX_TEXT:,} characters")
    role = value.get("role") or "user"
    if role not in ROLES:
        raise ValueError(f"`role` is {role!r}, not one of {', '.join(ROLES)}")
    return Turn(
        text,
        place,
        speaker=_words(value, "speaker"),
        role=role,
        time=parse_time(value.get("time")),
        session=_words(value, "session"),
        external_id=_words(value, "id"),
    )


def _words(value: dict[str, Any], key: str) -> str | None:
    found = value.get(key)
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, str | int):
        raise ValueError(f"`{key}` is not text")
    return str(found)


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
        pass
