"""`mem setup`: choose and fetch models for this machine, check them, and embed what waited for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.clock import now
from app.config import find_home, load_config
from cli.options import HomeOption, JsonOption, YesOption, confirmed, new_app, opened
from cli.output import document, say, size
from cli.progress import Counter, Download

if TYPE_CHECKING:
    from app.setup import Plan

app = new_app()


@app.command()
def setup(
    chat: Annotated[
        str | None, typer.Option("--chat", metavar="ID", help='A chat model of the catalog, or "none".')
    ] = None,
    embed: Annotated[str | None, typer.Option("--embed", metavar="ID", help="An embedding model.")] = None,
    yes: YesOption = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Choose and fetch models for this machine. A download that was cut goes on where it stopped.

    Example: mem setup --chat qwen2.5-coder-1.5b --yes
    """
    from app.setup import fetch, fetch_suggested, keys_of, plan, use

    place = find_home(home)
    place.create()
    wanted = plan(place, load_config(place.config), chat, embed)
    _explain(wanted)
    if wanted.to_fetch:
        confirmed("Fetch them?", yes)
    chosen = load_config(place.config).models.chat if chat is None else chat
    for model in wanted.models:
        with Download(model.id) as download:
            if model.kind == "chat" and not chosen:
                got = fetch_suggested(place, model.id, download.show)
            else:
                fetch(place, model.id, download.show)
                got = model.id
        if got != model.id:
            say(f"{model.id} could not be fetched from here; {got} is taken for now.")
        use(place, got)
    with opened(home) as memory, Counter("memories embedded") as counter:
        backlog = memory.embed_backlog(now(), progress=counter.show)
        backlog += memory.embed_backlog(now(), view="context")
    if json:
        document({"models": [keys_of(m) for m in plan(place, load_config(place.config), chat, embed).models],
                  "embedded": backlog})  # fmt: skip
    if backlog:
        say(f"{backlog} memories are now found by meaning, too.")
    say("Ready. " + ("Talk with `mem chat`." if chat != "none" else "Find things with `mem recall`."))


def _explain(wanted: Plan) -> None:
    machine = wanted.machine
    say(
        f"This machine: {size(machine.ram)} of memory, {machine.cores} core{'s' if machine.cores > 1 else ''}."
    )
    for model in wanted.models:
        state = (
            "is here" if model.installed else f"{size(model.size)} to fetch from {' or '.join(model.sources)}"
        )
        say(f"  {model.id} ({model.kind}): {model.about}. Licence {model.licence}; {state}.")
    if wanted.to_fetch:
        say(f"{size(wanted.to_fetch)} into {wanted.folder}; {size(wanted.free)} are free there.")
