"""JSON lines: one turn or note per line. Only `text` is required."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.exchange.items import MAX_TEXT, Item, Problem, Turn, parse_time
from app.exchange.lines import numbered_lines

ROLES = ("user", "assistant", "other")


def read_jsonl(path: Path) -> Iterator[Item]:
    """Turns in the order of the lines. Raises BadInput where the file cannot be read at all."""
    for place, line in numbered_lines(path):
        yield line if isinstance(line, Problem) else _item(line, place)


def _item(line: str, place: str) -> Item:
    try:
        return turn_from(json.loads(line), place)
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
