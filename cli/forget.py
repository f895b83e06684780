"""`mem forget`: erase memories for good, after showing what that takes along."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.clock import now
from app.errors import BadRequest, NothingFound, Refused
from cli.complete import complete_id, complete_session
from cli.options import DryRunOption, HomeOption, JsonOption, YesOption, confirmed, new_app, one_of, opened
from cli.output import clipped, document, one_line, say

if TYPE_CHECKING:
    from app.forget import Preview
    from app.memory import Memory
    from app.records import Record
    from app.traces import Place

app = new_app()

SHOWN = 10


@app.command()
def forget(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID...", help="Memories to erase.", autocompletion=complete_id),
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", help="Those that bear on this, as recall finds them.")
    ] = None,
    session: Annotated[
        str | None,
        typer.Option("--session", help="A whole conversation or document.", autocompletion=complete_session),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="Everything from this kind of source.")
    ] = None,
    dry_run: DryRunOption = False,
    yes: YesOption = False,
    verify: Annotated[
        bool, typer.Option("--verify", help="Prove it: search every file for the words.")
    ] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Erase memories for good, with everything that was derived from them alone. This cannot be undone.

    A keyed hash stays behind, so that an import does not bring them back. A fresh, checked backup takes
    the place of those that hold them.

    Example: mem forget m7k2 --verify
    """
    from app import forget as forgetting
    from app.traces import places as search_places

    if sum(map(bool, (ids, query, session, source))) != 1:
        raise BadRequest(
            "Say what to forget, in one way.", "Give ids, or one of --query, --session, --source."
        )
    with opened(home) as memory:
        plan = forgetting.preview(memory, _chosen(memory, ids or [], query, session, source))
        if not json:
            _explain(plan)
        if not dry_run:
            confirmed(f"Erase {len(plan.all)} for good?", yes)
            forgetting.forget(memory, plan, now())
        places = search_places(memory, plan.all) if verify and not dry_run else []
    if json:
        document(_keys(plan, dry_run) | _searched(places))
    elif not dry_run:
        print(f"Forgot {len(plan.all)}.")
    if verify and not dry_run:
        _prove(places)


def _searched(places: list[Place]) -> dict[str, Any]:
    searched = [{"place": p.name, "searched": p.searched, "found": list(p.found)} for p in places]
    return {"traces": [found for place in places for found in place.found], "places": searched}


def _prove(places: list[Place]) -> None:
    for place in places:
        say(f"  {place.name:<18} {place.searched:>4} searched   {', '.join(place.found) or 'nothing'}")
    where = sorted({name for place in places for name in place.found})
    if where:
        raise Refused(
            f"Words of it still stand in {', '.join(where)}.",
            "Stop other mem programs, then run `mem doctor --fix`.",
        )
    say("No file in the home holds its words any more.")


def _chosen(
    memory: Memory, ids: list[str], query: str | None, session: str | None, source: str | None
) -> list[Record]:
    from app.lookup import answer, lookup_from
    from app.records import Filter, Source

    if query is not None:
        found = answer(memory, lookup_from({"query": query}, now()))
        ids = [] if found["abstain"] else [hit["id"] for hit in found["hits"]]
    if session is not None:
        records = memory.store.records(Filter(session=session), newest_first=False)
    elif source is not None:
        records = memory.store.records(Filter(sources=frozenset({one_of(Source, source, "source")})))
    else:
        records = [memory.store.get(id) for id in dict.fromkeys(ids)]
    if not records:
        raise NothingFound("Nothing matches.", "See `mem list` or `mem sessions`.")
    return records


def _explain(plan: Preview) -> None:
    for title, records in (
        ("To be erased:", plan.asked),
        ("Derived from that alone, to be erased with it:", plan.derived),
        ("Derived from that and from other memories, kept:", plan.kept),
    ):
        if records:
            say(title)
        for record in records[:SHOWN]:
            say(f"  {record.id}  {clipped(one_line(record.text), 100)}")
        if len(records) > SHOWN:
            say(f"  and {len(records) - SHOWN:,} more")


def _keys(plan: Preview, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "forgotten": [r.id for r in plan.asked],
        "derived": [r.id for r in plan.derived],
        "kept": [r.id for r in plan.kept],
    }
