"""`mem tui`: everything on one screen."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app.config import find_home
from app.errors import Refused
from cli.options import HomeOption, new_app
from cli.output import say

app = new_app()


@app.command()
def tui(
    plain: Annotated[
        bool, typer.Option("--plain", help="For screen readers: say which commands do the same.")
    ] = False,
    home: HomeOption = None,
) -> None:
    """Everything on one screen: chat, memories, nights. Press ? there for the keys.

    Example: mem tui
    """
    if plain:
        say(
            "Every screen has a command that prints plain lines: `mem chat --plain`, `mem list`, `mem show`,\n"
            "`mem recall`, `mem timeline`, `mem faded`, `mem sleep --report`, `mem review`, `mem doctor`."
        )
        return
    if not sys.stdout.isatty() or not sys.stdin.isatty():
        raise Refused(
            "This is no terminal to draw on.",
            "Use the commands that print lines: `mem tui --plain` lists them.",
        )
    from tui.app import run  # textual

    run(find_home(home))
