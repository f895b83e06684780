"""Lines of a file that nobody vouches for: numbered, bounded in length, decoded, the bad ones reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from app.exchange.items import MAX_TEXT, Problem, open_binary

MAX_LINE = 8 * MAX_TEXT  # bytes; escapes make a line longer than its text


def numbered_lines(path: Path) -> Iterator[tuple[str, str | Problem]]:
    """("line 3", its text or what is wrong with it) for every line that is not blank. Raises BadInput."""
    with open_binary(path) as file:
        number = 0
        while True:
            place = f"line {number + 1}"
            try:
                line = file.readline(MAX_LINE + 1)
            except (OSError, EOFError) as error:
                yield place, Problem(place, f"the file is damaged from here on: {error}")
                return
            if not line:
                return
            number += 1
            if len(line) > MAX_LINE:
                _skip_line(file)
                yield place, Problem(place, f"longer than {MAX_LINE // 1_000_000} MB")
            elif line.strip():
                yield place, _decoded(line, place)


def _decoded(line: bytes, place: str) -> str | Problem:
    try:
        return line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Problem(place, f"not UTF-8 at byte {error.start}")


def _skip_line(file: IO[bytes]) -> None:
    while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
        pass
