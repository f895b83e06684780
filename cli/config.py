"""`mem config`: settings."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from app.clock import now
from app.config import find_home, flat, load_config, save_setting
from app.errors import BadRequest, Refused
from cli.options import HomeOption, JsonOption, YesOption, confirmed, new_app
from cli.output import document, say, table

app = new_app()


@app.callback()
def config() -> None:
    """Settings, kept in config.toml.

    Example: mem config set night.at 02:00
    """


@app.command()
def get(
    key: Annotated[str | None, typer.Argument(help="One setting, such as night.at; all without it.")] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Show one setting or all.

    Example: mem config get models.chat
    """
    settings = flat(load_config(find_home(home).config))
    if key is not None and key not in settings:
        raise BadRequest(f"There is no setting {key!r}.", "See `mem config get` for all of them.")
    if json:
        document(settings if key is None else {key: settings[key]})
    elif key is None:
        table([(name, _words(value)) for name, value in settings.items()], ("setting", "value"))
    else:
        print(_words(settings[key]))


@app.command("set")
def set_(
    key: Annotated[str, typer.Argument(help="The setting, such as night.at.")],
    value: Annotated[str, typer.Argument(help="Its new value.")],
    home: HomeOption = None,
) -> None:
    """Change one setting.

    Example: mem config set models.threads 4
    """
    place = find_home(home)
    place.create()
    save_setting(place.config, key, value)
    say(f"{key} = {value}")


@app.command()
def path(home: HomeOption = None) -> None:
    """Print where the settings are kept.

    Example: mem config path
    """
    print(find_home(home).config)


@app.command()
def edit(home: HomeOption = None) -> None:
    """Open the settings in $EDITOR; a file with a mistake in it is not taken over.

    Example: mem config edit
    """
    from cli.editor import edited

    place = find_home(home)
    place.create()
    old = place.config.read_text(encoding="utf-8") if place.config.exists() else ""
    draft = place.config.with_suffix(".toml.draft")
    draft.write_text(edited(old, place, ".toml") + "\n", encoding="utf-8")
    try:
        load_config(draft)
        draft.chmod(0o600)
        draft.replace(place.config)
    finally:
        draft.unlink(missing_ok=True)
    say(f"Saved {place.config}.")


@app.command()
def encrypt(
    keyring: Annotated[
        bool, typer.Option("--keyring", help="Let the system's keyring keep the passphrase.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Encrypt the store, or change its passphrase. Backups and indexes in the clear are overwritten and removed.

    The passphrase is asked for; without a terminal it is taken from MEM_NEW_PASSPHRASE.

    Example: mem config encrypt
    """
    from app.keys import lock
    from cli.opening import asker

    place = find_home(home)
    mode = "keyring" if keyring else "passphrase"
    lock(place, load_config(place.config), _new_passphrase(), mode, now(), asker())
    say("The store is encrypted. Without the passphrase nobody can open it, and nobody can bring it back.")


@app.command()
def decrypt(yes: YesOption = False, home: HomeOption = None) -> None:
    """Take the encryption off the store, for good.

    Example: mem config decrypt --yes
    """
    from app.keys import open_up
    from cli.opening import asker

    place = find_home(home)
    confirmed("Store everything in the clear from now on?", yes)
    open_up(place, load_config(place.config), asker())
    say("The store is not encrypted any more.")


def _new_passphrase() -> str:
    if given := os.environ.get("MEM_NEW_PASSPHRASE"):
        return given
    if not sys.stdin.isatty():
        raise Refused("A passphrase is needed, and nobody is at the keyboard.", "Set MEM_NEW_PASSPHRASE.")
    from getpass import getpass

    first = getpass("New passphrase: ", stream=sys.stderr)
    if getpass("Once more: ", stream=sys.stderr) != first:
        raise BadRequest("The two are not the same.", "Try again.")
    return first


def _words(value: object) -> str:
    return (
        ", ".join(map(str, value))
        if isinstance(value, tuple)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
    )
