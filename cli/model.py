"""`mem model`: fetch, choose and look at models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.config import find_home, load_config
from cli.options import HomeOption, JsonOption, YesOption, confirmed, new_app, opened
from cli.output import document, say, size, table
from cli.progress import Download

app = new_app()


@app.callback()
def model() -> None:
    """Models: which there are, which are here, which are used.

    Example: mem model list
    """


@app.command("list")
def list_models(json: JsonOption = False, home: HomeOption = None) -> None:
    """All models that mem knows by name. Any other GGUF file works too: `mem model use PATH`.

    Example: mem model list
    """
    from app.setup import choices, keys_of

    place = find_home(home)
    found = choices(place, load_config(place.config))
    if json:
        document([keys_of(c) for c in found])
        return
    rows = [
        (
            c.id,
            c.kind,
            "in use" if c.in_use and c.installed else "here" if c.installed else "chosen" if c.in_use else "",
            size(c.size),
            "" if c.fits else "too large",
            c.about,
        )
        for c in found
    ]
    table(rows, ("id", "kind", "state", "size", "fits", "about"))


@app.command()
def info(
    id: Annotated[str, typer.Argument(help="A model of the catalog.")],
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Size, licence, memory, context length and sources of one model.

    Example: mem model info qwen3-4b
    """
    from app.setup import choice, keys_of

    place = find_home(home)
    found = choice(place, load_config(place.config), id)
    if json:
        document(keys_of(found))
        return
    print(found.about)
    for name, value in (
        ("licence", found.licence),
        ("size", size(found.size)),
        ("memory", f"{size(found.ram)} while it runs"),
        ("context", f"{found.context_tokens:,} tokens"),
        ("sources", ", ".join(found.sources)),
        ("file", f"{found.path}{'' if found.installed else ' (not here)'}"),
    ):
        print(f"{name.ljust(8)} {value}")


@app.command()
def pull(
    id: Annotated[str, typer.Argument(help="A model of the catalog.")],
    file: Annotated[Path | None, typer.Option("--file", help="A copy that you already have.")] = None,
    yes: YesOption = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Fetch a model, going on where a download was cut, and check it byte for byte.

    Example: mem model pull qwen2.5-coder-1.5b --yes
    """
    from app.setup import choice, fetch, keys_of

    place = find_home(home)
    config = load_config(place.config)
    wanted = choice(place, config, id)
    if not wanted.installed and file is None:
        say(
            f"{wanted.id}: {wanted.about}. Licence {wanted.licence}; {size(wanted.size)} into {wanted.path.parent}."
        )
        confirmed("Fetch it?", yes)
    with Download(id) as download:
        fetch(place, id, download.show, file)
    if json:
        document(keys_of(choice(place, config, id)))
    else:
        say(f"{id} is here. Use it with `mem model use {id}`.")


@app.command()
def use(
    model: Annotated[str, typer.Argument(metavar="ID|PATH", help="A model of the catalog, or a GGUF file.")],
    home: HomeOption = None,
) -> None:
    """Choose the model that chats, or the one that embeds.

    Example: mem model use ~/models/my-model.gguf
    """
    from app.setup import use as choose

    say(f"{choose(find_home(home), model)} = {model}")


@app.command()
def rm(
    id: Annotated[str, typer.Argument(help="A model of the catalog.")],
    yes: YesOption = False,
    home: HomeOption = None,
) -> None:
    """Delete a fetched model from the disk.

    Example: mem model rm qwen2.5-coder-0.5b --yes
    """
    from app.setup import remove

    place = find_home(home)
    confirmed(f"Delete the files of {id}?", yes)
    say(f"{size(remove(place, load_config(place.config), id))} came free.")


@app.command()
def ps(json: JsonOption = False, home: HomeOption = None) -> None:
    """Which models are loaded now. Only the background service keeps models loaded.

    Example: mem model ps
    """
    from app.service import status

    place = find_home(home)
    config = load_config(place.config)
    running = status(place) or {}
    loaded = running.get("models") or {}
    found = [
        {"kind": kind, "id": id, "loaded": bool(loaded.get(kind))}
        for kind, id in (("chat", config.models.chat), ("embed", config.models.embed))
    ]
    if json:
        document(found)
        return
    table(
        [(str(m["id"] or "none"), str(m["kind"]), "loaded" if m["loaded"] else "") for m in found],
        ("id", "kind", "state"),
    )
    if not running:
        say("The background service is not running: `mem daemon start` keeps models warm.")


@app.command()
def bench(json: JsonOption = False, home: HomeOption = None) -> None:
    """How fast the chosen models run on this machine. Takes some seconds.

    Example: mem model bench
    """
    from app.speed import measure

    with opened(home) as memory:
        found = measure(memory)
    if json:
        document({name: getattr(found, name) for name in found.__dataclass_fields__})
        return
    print(
        f"{found.chat}: reads {found.prompt_per_second:,.0f} and writes {found.reply_per_second:,.1f} tokens a second"
    )
    print(f"{found.embedder}: embeds {found.texts_per_second:,.0f} texts a second")
