"""`mem completion`: the script by which a shell completes commands, ids, kinds and sessions."""

from __future__ import annotations

from typing import Annotated

import typer

from app.errors import BadRequest
from cli.complete import VARIABLE
from cli.options import new_app
from cli.output import say

app = new_app()

SHELLS = ("bash", "zsh", "fish", "powershell", "pwsh")


@app.command()
def completion(
    shell: Annotated[str, typer.Argument(metavar="|".join(SHELLS), help="The shell.")],
    install: Annotated[bool, typer.Option("--install", help="Put it where the shell looks for it.")] = False,
) -> None:
    """Print the script that lets a shell complete commands, ids, kinds and sessions.

    Example: mem completion bash --install
    """
    from typer._completion_shared import get_completion_script
    from typer._completion_shared import install as install_script

    if shell not in SHELLS:
        raise BadRequest(f"There is no shell {shell!r}.", f"It is one of: {', '.join(SHELLS)}.")
    if install:
        _, path = install_script(shell=shell, prog_name="mem", complete_var=VARIABLE)
        say(f"Written to {path}. Open a new shell.")
    else:
        print(get_completion_script(prog_name="mem", complete_var=VARIABLE, shell=shell))
