"""`mem mcp` and `mem serve`: the memory for other programs of this computer."""

from __future__ import annotations

from typing import Annotated

import typer

from app.config import find_home
from app.errors import Refused
from cli.opening import open_home
from cli.options import HomeOption, new_app
from cli.output import say

app = new_app()
EXTRA = "Install it: pip install 'mem-assistant[doors]'."


@app.command()
def mcp(home: HomeOption = None) -> None:
    """Serve the memory to an MCP client over standard input and output.

    A client is told to run it, for example by `claude mcp add mem -- mem mcp`.

    Example: mem mcp
    """
    from app.doors.keeper import Keeper

    try:
        import mcp.server.mcpserver  # noqa: F401  an extra
    except ImportError as error:
        raise Refused("The MCP library is not installed.", EXTRA) from error
    from app.doors.mcp import server

    keeper = Keeper(lambda: open_home(find_home(home)))
    try:
        server(keeper).run("stdio")
    finally:
        keeper.close()


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port on 127.0.0.1.")] = 8765,
    home: HomeOption = None,
) -> None:
    """Serve the memory over HTTP on this computer alone: recall, remember, ask, chat completions, a page.

    Example: mem serve --port 8765
    """
    try:
        import uvicorn
    except ImportError as error:
        raise Refused("The web server is not installed.", EXTRA) from error
    from app.doors.http import application, token_of
    from app.doors.keeper import Keeper

    place = find_home(home)
    keeper = Keeper(lambda: open_home(place))
    token = token_of(place.path)
    say(f"The page:     http://127.0.0.1:{port}/#token={token}")
    say(f"For programs: http://127.0.0.1:{port}/v1 with the token {token} (Ctrl-C ends it)")
    try:
        uvicorn.run(application(keeper, token, port), host="127.0.0.1", port=port, log_level="warning")
    finally:
        keeper.close()
