"""`mem remember`: keep something, in the user's own words."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.clock import now
from app.config import find_home
from app.errors import BadRequest
from cli.options import HomeOption, JsonOption, new_app, one_of, opened, read_argument
from cli.output import document, one_line, say
from cli.times import moment

app = new_app()


@app.command()
def remember(
    words: Annotated[
        list[str] | None, typer.Argument(metavar="TEXT", help='What to keep; "-" reads standard input.')
    ] = None,
    kind: Annotated[str, typer.Option("--kind", help="Kind of memory.")] = "episodic",
    at: Annotated[
        str | None, typer.Option("--at", help="When it happened: a date, or words like yesterday.")
    ] = None,
    tag: Annotated[
        list[str] | None, typer.Option("--tag", help="A label; may be given several times.")
    ] = None,
    pin: Annotated[bool, typer.Option("--pin", help="Never let it fade.")] = False,
    edit: Annotated[bool, typer.Option("--edit", help="Write it in $EDITOR.")] = False,
    session: Annotated[str | None, typer.Option("--session", help="The conversation it belongs to.")] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Keep something. It is stored the moment the command returns; no model has to answer.

    Example: mem remember "Anna's birthday is on 12 May" --tag family
    """
    from app.records import Kind

    text = read_argument(words or [])
    if edit:
        from cli.editor import edited

        text = edited(text, find_home(home))
    if not text.strip():
        raise BadRequest("There is nothing to remember.", 'Write it after the command: mem remember "TEXT".')
    here = now()
    said_at = moment(at, here)
    kept = _kept(
        {
            "text": text,
            "kind": str(one_of(Kind, kind, "kind")),
            "said_at": said_at.isoformat() if said_at else None,
            "pin": pin,
            "tags": tag or [],
            "session": session,
        },
        home,
    )
    embedded, task = kept.pop("embedded"), kept.get("task")
    document(kept) if json else print(f"{kept['id']}  {one_line(kept['text'])[:200]}")
    if task:
        say(f"{one_line(task['promise'])} [{task['id']}].")
    if not embedded:
        say("Kept. It is found by its words alone until a model is there: run `mem setup`.")


def _kept(values: dict[str, Any], home: Path | None) -> dict[str, Any]:
    """Let the daemon keep it where it lives, so that its warm model embeds it; else this process."""
    from app.remote import request

    kept = request(find_home(home), {"op": "remember", **values})
    if kept is None:
        from app.requests import remember as keep

        with opened(home) as memory:
            kept = keep(memory, values, now())
    return kept
