"""Slash commands of the chat. A few are its own; every other is the `mem` command of that name."""

from __future__ import annotations

import shlex
from collections.abc import Callable

from app.config import Home
from app.errors import BadRequest
from cli.commands import COMMANDS
from cli.output import one_line, say
from cli.talk import Talk, why

NOT_HERE = frozenset({"chat", "tui", "setup", "daemon", "restore-backup"})

HELP = """/why                 what the last answer rests on
/context             what is in the window; /context pin|hide|fold|restore ID changes it
/recall QUERY        find what you said or kept      /remember TEXT   keep something
/forget ID           erase a memory                  /undo RUN        take back a change
/sleep               one night now                   /quit            end (also Ctrl-D)
Any other `mem` command works as well: /show ID, /list, /history ID, /tasks ...
A trailing \\ goes on in the next line; \"\"\" opens and closes a block."""


class Quit(Exception):
    """The user wants to end the chat."""


def run_slash(talk: Talk, line: str, home: Home) -> None:
    """Carry out one slash command. Raises Quit, and what the command raises."""
    name, _, rest = line[1:].partition(" ")
    own: dict[str, Callable[[], None]] = {
        "quit": _quit,
        "exit": _quit,
        "help": lambda: say(HELP),
        "why": lambda: say("\n".join(why(talk.answered, talk.recalled))),
        "context": lambda: _context(talk, rest.split()),
    }
    if name in own:
        own[name]()
    elif name in COMMANDS and name not in NOT_HERE:
        from cli.main import run

        run([name, "--home", str(home.path), *_words(name, rest)])
    else:
        say(f"There is no /{name} here; see /help.")


def _words(name: str, rest: str) -> list[str]:
    """Arguments of a command; what is to be found or kept is taken as it was typed, quotes and all."""
    if name in ("recall", "remember", "ask"):
        return ["--", rest] if rest else []
    try:
        return shlex.split(rest)
    except ValueError:  # an open quote: take the words as they are
        return rest.split()


def _quit() -> None:
    raise Quit


def _context(talk: Talk, words: list[str]) -> None:
    change, id = [*words, "", ""][:2]
    try:
        parts = talk.speaker.context(change, id)
    except BadRequest as error:
        say(f"{error} {error.hint}")
        return
    for part in parts:
        say(f"{part.name:<10} {part.tokens:>6}  {part.state:<8} {one_line(part.text)[:80]}")
    say(f"{sum(p.tokens for p in parts)} tokens.")
