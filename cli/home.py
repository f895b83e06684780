"""`mem` alone: what is here, where it lives, what to do next. Fits 24 lines of 80 columns and needs no model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from app.clock import now
from app.config import find_home
from app.errors import BadRequest
from cli.output import ago, clipped, document, one_line, size, styled, terminal_width

if TYPE_CHECKING:
    from app.home import Overview
    from app.records import Record

KIND_WORDS = {
    "episodic": "episodes",
    "semantic": "facts",
    "procedural": "how-tos",
    "core": "portrait",
    "resource": "document parts",
    "task": "tasks",
    "gist": "summaries",
}
WIDTH = 80
MOST_DUE = 3


def show(argv: list[str]) -> int:
    """Print the home screen; `argv` may hold --home PATH and --json."""
    from app.home import overview
    from app.tasks import overdue

    place = find_home(_home(argv))
    memory = None
    if place.database.exists():
        from cli.opening import open_home

        memory = open_home(place, read_only=True)
    try:
        found = overview(place, memory)
        due = overdue(memory.store, now()) if memory else []
    finally:
        if memory is not None:
            memory.close()
    if "--json" in argv:
        document(_keys(found) | {"due": [task.id for task in due]})
    else:
        width = min(WIDTH, terminal_width())
        print("\n".join(clipped(line, width) if "\x1b" not in line else line for line in _lines(found, due)))
    return 0


def _home(argv: list[str]) -> Path | None:
    rest = [a for a in argv if a != "--json"]
    if not rest:
        return None
    if rest[0].startswith("--home="):
        return Path(rest[0].removeprefix("--home="))
    if rest[0] != "--home" or len(rest) != 2:
        raise BadRequest(f"There is no option {rest[0]!r}.", "See `mem --help`.")
    return Path(rest[1])


def _lines(found: Overview, due: Sequence[Record]) -> Iterator[str]:
    here = now()
    yield styled("mem", "bold") + "  a personal memory that lives on this computer"
    yield ""
    if found.memories:
        counts = ", ".join(f"{n:,} {KIND_WORDS.get(k, k)}" for k, n in found.kinds.items())
        yield f"  memories   {found.memories:,}: {counts}"
        if found.newest is not None:
            yield f'  newest     {ago(found.newest.event_time, here)}: "{one_line(found.newest.text)[:100]}"'
        night = "never yet" if found.last_night is None else ago(found.last_night, here)
        yield f"  last night {night}; {found.waiting:,} episodes wait to be slept on"
    else:
        yield "  memories   none yet"
    yield f"  home       {found.path} ({size(found.size)})"
    yield f"  search     {_search(found)}"
    yield f"  chat       {_chat(found)}"
    yield f"  daemon     {'running' if found.daemon else 'not running'}"
    for task in due[:MOST_DUE]:
        yield styled(f"  due        {one_line(task.text)[:80]} [{task.id}]", "yellow")
    yield ""
    yield styled("Next", "bold")
    for command, words in _next(found):
        yield f"  {command:<26} {words}"
    yield ""
    yield "`mem --help` lists every command."


def _search(found: Overview) -> str:
    if not found.embed.here:
        return "by words; by meaning, too, once `mem setup` has fetched a model"
    waiting = f"; {found.unembedded:,} memories still to embed" if found.unembedded else ""
    return f"by words and by meaning ({found.embed.name}){waiting}"


def _chat(found: Overview) -> str:
    if not found.chat.name:
        return "no model yet"
    return found.chat.name if found.chat.here else f"{found.chat.name} is chosen and not here"


def _next(found: Overview) -> Iterator[tuple[str, str]]:
    """What helps most now, at most five."""
    if not found.embed.here or not found.chat.here:
        yield "mem setup", "fetch the models that fit this machine"
    if not found.memories:
        yield 'mem remember "TEXT"', "keep something"
        yield "mem import PATH", "take in notes or conversations that you have"
    if found.chat.here:
        yield "mem chat", "talk"
    if found.memories:
        yield 'mem recall "QUESTION"', "find something"
    if found.reviews:
        yield "mem review", f"{found.reviews} questions of the night wait for you"
    elif found.waiting:
        yield "mem sleep", "one night now: facts, summaries, what fades"
    if found.memories:
        yield "mem tui", "everything on one screen"


def _keys(found: Overview) -> dict[str, object]:
    return {
        "home": str(found.path),
        "size": found.size,
        "memories": found.memories,
        "kinds": found.kinds,
        "newest": found.newest.id if found.newest else None,
        "since": found.since.isoformat() if found.since else None,
        "unembedded": found.unembedded,
        "waiting": found.waiting,
        "reviews": found.reviews,
        "last_night": found.last_night.isoformat() if found.last_night else None,
        "chat": {"model": found.chat.name, "here": found.chat.here},
        "embed": {"model": found.embed.name, "here": found.embed.here},
        "daemon": found.daemon,
    }
