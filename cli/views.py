"""What a person looks through: sessions, entities, timeline, profile, procedures, stats."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.clock import now
from app.errors import NothingFound
from cli.options import HomeOption, JsonOption, LimitOption, new_app, opened
from cli.output import ago, document, table

if TYPE_CHECKING:
    from app.records import Record

app = new_app()

AllOption = Annotated[bool, typer.Option("--all", help="Also what is archived or no longer true.")]


@app.command()
def sessions(limit: LimitOption = 20, json: JsonOption = False, home: HomeOption = None) -> None:
    """Conversations, newest first.

    Example: mem sessions -n 5
    """
    from app.browse import sessions as listed

    with opened(home) as memory:
        found = listed(memory, limit)
    if json:
        document(
            [
                {
                    "session": s.name,
                    "turns": s.turns,
                    "first": s.first.isoformat(),
                    "last": s.last.isoformat(),
                    "begins": s.words,
                }
                for s in found
            ]
        )
    _nothing(found, "There are no conversations yet.", "Begin one with `mem chat` or `mem import PATH`.")
    if not json:
        here = now()
        table(
            [(s.name, str(s.turns), ago(s.last, here), s.words) for s in found],
            ("session", "turns", "last", "begins"),
        )


@app.command()
def entities(json: JsonOption = False, home: HomeOption = None) -> None:
    """People, places and things that memories mention, the most mentioned first.

    Example: mem entities
    """
    from app.views import entities as listed

    with opened(home) as memory:
        found = listed(memory)
    if json:
        document(
            [
                {
                    "id": e.id,
                    "name": e.name,
                    "kind": e.kind,
                    "aliases": list(e.aliases),
                    "mentions": e.mentions,
                }
                for e in found
            ]
        )
    _nothing(found, "No people, places or things are known yet.", "The night finds them: `mem sleep`.")
    if not json:
        rows = [(e.id, e.kind, str(e.mentions), e.name) for e in found]
        table(rows, ("id", "kind", "mentions", "name"))


@app.command()
def timeline(
    month: Annotated[
        str, typer.Argument(metavar="[MONTH]", help="The days of one month, such as 2024-03.")
    ] = "",
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """How much happened in each month, or on each day of one.

    Example: mem timeline 2024-03
    """
    from app.views import timeline as counted

    with opened(home) as memory:
        found = counted(memory, month)
    if json:
        document([{"period": name, "memories": count} for name, count in found])
    _nothing(found, "Nothing happened then, as far as is known.", "See `mem timeline` for the months.")
    if not json:
        most = max(count for _, count in found)
        rows = [(name, f"{count:,}", "#" * max(1, round(40 * count / most))) for name, count in found]
        table(rows, ("when", "memories", ""))


@app.command()
def profile(json: JsonOption = False, home: HomeOption = None) -> None:
    """What is known about you, and is true now.

    Example: mem profile
    """
    from app.views import profile as known

    with opened(home) as memory:
        found = known(memory)
    _list(
        found, json, "Nothing is known about you yet.", "The night finds facts in what you said: `mem sleep`."
    )


@app.command()
def procedures(all: AllOption = False, json: JsonOption = False, home: HomeOption = None) -> None:
    """How-to and lessons.

    Example: mem procedures
    """
    _kind("procedural", all, json, home, "No procedures are known yet.", "The night finds them: `mem sleep`.")


@app.command()
def stats(json: JsonOption = False, home: HomeOption = None) -> None:
    """How much there is of everything.

    Example: mem stats --json
    """
    from app.views import stats as counted

    with opened(home) as memory:
        found = counted(memory)
    if json:
        document(found)
        return
    rows = []
    for name, value in found.items():
        words = (
            ", ".join(f"{k or 'unnamed'} {n:,}" for k, n in value.items())
            if isinstance(value, dict)
            else f"{value:,}"
        )
        rows.append((name, words))
    table(rows, ("what", "how many"))


def _kind(kind: str, all: bool, json: bool, home: Path | None, nothing: str, hint: str) -> None:
    from app.records import Kind
    from app.views import of_kind

    with opened(home) as memory:
        found = of_kind(memory, Kind(kind), all_states=all)
    _list(found, json, nothing, hint)


def _list(found: list[Record], json: bool, nothing: str, hint: str) -> None:
    from app.present import record_keys

    if json:
        document([record_keys(r) for r in found])
    _nothing(found, nothing, hint)
    if not json:
        here = now()
        table(
            [(r.id, ago(r.valid_from or r.event_time, here), r.text) for r in found], ("id", "since", "what")
        )


def _nothing(found: object, message: str, hint: str) -> None:
    if not found:
        raise NothingFound(message, hint)
