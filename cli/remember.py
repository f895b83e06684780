"""`mem remember`: keep something, in the user's own words."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

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
    from app import encode
    from app.clock import now
    from app.records import Kind

    text = read_argument(words or [])
    if edit:
        from cli.editor import edited

        text = edited(text)
    if not text.strip():
        raise BadRequest("There is nothing to remember.", 'Write it after the command: mem remember "TEXT".')
    here = now()
    record = encode.turn(text, now=here, said_at=moment(at, here), session=session)
    record = replace(
        record,
        kind=one_of(Kind, kind, "kind"),
        pinned=pin,
        protected="written by hand",
        extra={"tags": tag} if tag else {},
    )
    with opened(home) as memory:
        (kept,) = memory.add([record], "remember", here)
        unembedded = memory.embedder_error
    if json:
        from app.present import record_keys

        document(record_keys(kept))
    else:
        print(f"{kept.id}  {one_line(kept.text)[:200]}")
    if unembedded:
        say("Kept. It is found by its words alone until a model is there: run `mem setup`.")
