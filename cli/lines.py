"""Reads messages from the keyboard or from a pipe: pasted blocks, continued lines and triple quotes are one message."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TextIO

FENCE = '"""'


def messages(prompt: str, source: TextIO | None = None) -> Iterator[str]:
    """What the user says, one message at a time, to the end of the input. At a terminal, Ctrl-C clears the line."""
    source = source or sys.stdin
    if source is sys.stdin and sys.stdin.isatty():
        _line_editing()
        lines = _typed(prompt)
    else:
        lines = (line.rstrip("\n") for line in source)
    yield from joined(lines)


def joined(lines: Iterator[str]) -> Iterator[str]:
    """Lines as messages: a trailing backslash continues, and everything between two \"\"\" belongs together."""
    held: list[str] = []
    fenced = False
    for line in lines:
        opens = line.strip().startswith(FENCE) if not fenced and not held else False
        if opens or fenced:
            body = line.strip()[len(FENCE) :] if opens else line
            fenced = not body.rstrip().endswith(FENCE)
            held.append(body if fenced else body.rstrip()[: -len(FENCE)])
        else:
            fenced = False
            held.append(line[:-1] if (more := line.endswith("\\")) else line)
            if more:
                continue
        if not fenced:
            if message := "\n".join(held).strip():
                yield message
            held = []
    if message := "\n".join(held).strip():
        yield message


def _typed(prompt: str) -> Iterator[str]:
    while True:
        try:
            yield input(prompt)
        except EOFError:
            print(file=sys.stderr)
            return
        except KeyboardInterrupt:
            print("\n(Ctrl-D or /quit ends the chat)", file=sys.stderr)


def _line_editing() -> None:
    """Arrow keys, history of this run (never kept in a file), and a pasted block as one message."""
    try:
        import readline
    except ImportError:  # Python without readline: lines can still be typed
        return
    readline.parse_and_bind("set enable-bracketed-paste on")
    readline.set_auto_history(True)
