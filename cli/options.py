"""Options that many commands share, and how a command opens the memory."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import BadRequest, Refused
from app.place import find_home
from cli.opening import open_home

if TYPE_CHECKING:
    from app.memory import Memory

HomeOption = Annotated[
    Path | None, typer.Option("--home", help="The folder of this memory.", show_default="MEM_HOME")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON with stable keys.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Only tell what would happen.")]
LimitOption = Annotated[int, typer.Option("-n", "--limit", min=1, help="How many at most.")]


def new_app() -> typer.Typer:
    """A Typer application in this project's manner: plain help, nothing that loads rich."""
    return typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


@contextmanager
def opened(home: Path | None, *, read_only: bool = False) -> Iterator[Memory]:
    """The memory of this home, open for one command."""
    memory = open_home(find_home(home), read_only=read_only)
    try:
        yield memory
    finally:
        memory.close()


def confirmed(question: str, yes: bool) -> None:
    """Ask, unless `yes`. Raises Refused when the answer is no, or when nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused("This needs a yes, and nobody is at the keyboard.", "Add --yes.")
    if not typer.confirm(question, err=True):
        raise Refused("Nothing was changed.", "")


def read_argument(words: list[str]) -> str:
    """The words of the command line as one text; "-" alone reads standard input."""
    if words == ["-"]:
        return sys.stdin.buffer.read().decode("utf-8", errors="replace")
    # Bytes of the command line that are no UTF-8 arrive as lone surrogates.
    return " ".join(words).encode(errors="surrogateescape").decode(errors="replace")


def one_of(values: Any, given: str, what: str) -> Any:
    """The member of the enumeration `values` that is called `given`. Raises BadRequest."""
    try:
        return values(given)
    except ValueError as error:
        raise BadRequest(f"There is no {what} {given!r}.", f"It is one of: {', '.join(values)}.") from error
