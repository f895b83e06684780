"""`mem sql`: ask the database directly, read-only."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.errors import NothingFound
from cli.options import HomeOption, JsonOption, new_app, opened, read_argument
from cli.output import document, table

app = new_app()


@app.command()
def sql(
    query: Annotated[
        list[str], typer.Argument(metavar="SELECT", help='One statement; "-" reads standard input.')
    ],
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Ask the database directly. Nothing can be changed this way.

    Example: mem sql "SELECT kind, count(*) FROM records GROUP BY kind"
    """
    from app.sql import query as ask

    with opened(home, read_only=True) as memory:
        columns, found = ask(memory, read_argument(query))
        rows = [tuple(_plain(value) for value in row) for row in found]
    if json:
        document([dict(zip(columns, row, strict=True)) for row in rows])
    if not rows:
        raise NothingFound("No rows.", 'See the tables: mem sql "SELECT name, sql FROM sqlite_schema".')
    if not json:
        table([["" if v is None else str(v) for v in row] for row in rows], columns)


def _plain(value: Any) -> Any:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else value
