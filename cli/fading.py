"""What dims and what rests: faded, archive, restore."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.clock import now
from app.errors import NothingFound
from cli.complete import complete_id
from cli.options import HomeOption, JsonOption, LimitOption, new_app, opened
from cli.output import document, say, table

app = new_app()

IdsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Memories.", autocompletion=complete_id)
]


@app.command()
def faded(limit: LimitOption = 20, json: JsonOption = False, home: HomeOption = None) -> None:
    """What has dimmed, and why. Nothing of it is gone: a question that names it still finds it.

    Example: mem faded -n 50
    """
    from app.fading import dimmed
    from app.present import record_keys

    with opened(home) as memory:
        found = dimmed(memory, now(), limit)
    if json:
        document([record_keys(d.record) | {"strength": round(d.strength, 3), "why": d.why} for d in found])
    if not found:
        raise NothingFound(
            "Nothing has dimmed.", "Memories dim when they are long unused; the night marks them."
        )
    if not json:
        rows = [(d.record.id, str(d.record.state), f"{d.strength:.2f}", d.why, d.record.text) for d in found]
        table(rows, ("id", "state", "strength", "why", "memory"))


@app.command()
def archive(ids: IdsArgument, json: JsonOption = False, home: HomeOption = None) -> None:
    """Put memories to rest. They are still found, marked as from the archive, and any use wakes them.

    Example: mem archive m7k2
    """
    _set("archived", ids, home, json)


@app.command()
def restore(ids: IdsArgument, json: JsonOption = False, home: HomeOption = None) -> None:
    """Wake archived or dimmed memories.

    Example: mem restore m7k2
    """
    _set("active", ids, home, json)


def _set(state: str, ids: list[str], home: Path | None, json: bool) -> None:
    from app.fading import set_state
    from app.present import record_keys
    from app.records import State

    with opened(home) as memory:
        changed = set_state(memory, ids, State(state), now())
    if json:
        document([record_keys(r) for r in changed])
    else:
        say(f"{state.capitalize()}: {', '.join(r.id for r in changed)}.")
