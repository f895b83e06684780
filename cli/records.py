"""Single memories and lists of them: list, show, history, edit, pin, unpin."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.clock import now
from app.errors import NothingFound
from cli.complete import complete_id, complete_kind, complete_session
from cli.options import HomeOption, JsonOption, LimitOption, new_app, one_of, opened, read_argument
from cli.output import ago, day, document, one_line, say, shown, styled, table
from cli.times import moment

if TYPE_CHECKING:
    from app.notes import Note
    from app.records import Change, Filter, Link, Record

app = new_app()

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="A memory's id, as listed.", autocompletion=complete_id)
]
IdsArgument = Annotated[
    list[str], typer.Argument(metavar="ID...", help="Memories.", autocompletion=complete_id)
]


@app.command("list")
def list_memories(
    limit: LimitOption = 20,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="Only this kind; may be repeated.", autocompletion=complete_kind),
    ] = None,
    state: Annotated[
        str | None, typer.Option("--state", help="Only active, dormant or archived ones.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", help="Only this conversation.", autocompletion=complete_session)
    ] = None,
    after: Annotated[str | None, typer.Option("--after", help="Only what happened from then on.")] = None,
    before: Annotated[str | None, typer.Option("--before", help="Only what happened before then.")] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """The newest memories.

    Example: mem list --kind semantic -n 50
    """
    from app.present import record_keys

    with opened(home) as memory:
        found = memory.store.records(_filter(kind, state, session, after, before), limit=limit)
    if json:
        document([record_keys(r) for r in found])
    if not found:
        raise NothingFound(
            "Nothing is kept here yet.", 'Begin with `mem remember "TEXT"` or `mem import PATH`.'
        )
    if not json:
        here = now()
        rows = [(r.id, ago(r.event_time, here), str(r.kind), r.speaker or "", r.text) for r in found]
        table(rows, ("id", "when", "kind", "who", "memory"))


@app.command()
def show(id: IdArgument, json: JsonOption = False, home: HomeOption = None) -> None:
    """One memory in full: its words, where they come from, what it is linked with.

    Example: mem show m7k2
    """
    from app.notes import note_keys, note_of
    from app.present import record_detail
    from app.uses import OPENED, use

    with opened(home) as memory:
        record = memory.store.get(id)
        links = memory.store.links(record.id)
        if not json:  # a person opened it; a script only read it
            use(memory, [record.id], OPENED, f"opened {now():%Y-%m-%d}", now())
        others = memory.store.get_many([_other(link, record.id) for link in links])
        note = note_of(memory, record)
    if json:
        document(record_detail(record, links) | {"note": note_keys(note)})
        return
    print(styled(shown(record.text), "bold"))
    print()
    for name, value in _facts(record) + _note(note):
        print(f"{styled(name.ljust(12), 'dim')} {one_line(value)}")
    for link in links:
        other = others.get(_other(link, record.id))
        arrow = "->" if link.src == record.id else "<-"
        words = one_line(other.text)[:60] if other else ""
        print(f"{styled(str(link.kind).ljust(12), 'dim')} {arrow} {_other(link, record.id)}  {words}")


@app.command()
def history(id: IdArgument, json: JsonOption = False, home: HomeOption = None) -> None:
    """What changed on one memory, and when.

    Example: mem history m7k2
    """
    with opened(home) as memory:
        record = memory.store.get(id)
        changes = list(memory.store.journal.changes(record=record.id))
    if json:
        document([_change_keys(c) for c in changes])
        return
    here = now()
    rows = [(str(c.seq), day(c.at, here), c.run, c.action, _difference(c)) for c in changes]
    table(rows, ("entry", "when", "run", "action", "change"))


@app.command()
def edit(
    id: IdArgument,
    text: Annotated[
        str | None, typer.Option("--text", help='The new words; "-" reads standard input.')
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Reword a memory that was derived or written as a note; what was said in a conversation stays as it was.

    Example: mem edit m7k2 --text "Anna lives in Bergen"
    """
    from app.present import record_keys
    from cli.editor import edited

    with opened(home) as memory:
        old = memory.store.get(id)
        words = edited(old.text, memory.home) if text is None else read_argument([text])
        if not words.strip():
            from app.errors import BadRequest

            raise BadRequest("A memory cannot be empty.", "To erase it, use `mem forget`.")
        record = memory.edit(old.id, words, now())
    document(record_keys(record)) if json else print(f"{record.id}  {one_line(record.text)[:200]}")


@app.command()
def pin(
    ids: IdsArgument,
    home: HomeOption = None,
) -> None:
    """Keep memories from ever fading.

    Example: mem pin m7k2
    """
    _pin(ids, home, pinned=True)


@app.command()
def unpin(
    ids: IdsArgument,
    home: HomeOption = None,
) -> None:
    """Let memories fade again.

    Example: mem unpin m7k2
    """
    _pin(ids, home, pinned=False)


def _pin(ids: list[str], home: Path | None, *, pinned: bool) -> None:
    with opened(home) as memory:
        here = now()
        with memory.store.atomic("pin" if pinned else "unpin", here):
            for id in ids:
                memory.pin(memory.store.get(id).id, here, pinned=pinned)
    say(f"{'Pinned' if pinned else 'Unpinned'}: {', '.join(ids)}.")


def _filter(
    kinds: list[str] | None, state: str | None, session: str | None, after: str | None, before: str | None
) -> Filter:
    from app.records import Filter, Kind, State

    here = now()
    return Filter(
        kinds=frozenset(one_of(Kind, kind, "kind") for kind in kinds or ()),
        states=frozenset({one_of(State, state, "state")} if state else ()),
        session=session,
        after=moment(after, here),
        before=moment(before, here),
    )


def _facts(record: Record) -> list[tuple[str, str]]:
    """The lines under a memory's words; only those that say something."""
    here = now()
    valid = record.valid_from or record.valid_to
    uses = f"{record.use_count} times, last {ago(record.last_used, here)}" if record.last_used else ""
    lines = [
        ("id", record.id),
        ("kind", str(record.kind)),
        ("said by", record.speaker or ""),
        ("when", f"{day(record.event_time, here)} ({ago(record.event_time, here)})"),
        ("session", record.session or ""),
        ("known as", record.external_id or ""),
        (
            "source",
            f"{record.source}" + (f", trusted as {record.trust}" if record.trust != record.source else ""),
        ),
        ("valid", f"{_date(record.valid_from)} to {_date(record.valid_to)}" if valid else ""),
        ("replaced by", record.superseded_by or ""),
        ("state", f"{record.state}, stability {record.stability:.1f} days, importance {record.importance:g}"),
        ("used", uses),
        ("pinned", "yes" if record.pinned else ""),
        ("protected", record.protected or ""),
        ("tags", ", ".join(record.extra.get("tags", []))),
        ("derived by", record.derived_by or ""),
    ]
    return [(name, value) for name, value in lines if value]


def _note(note: Note) -> list[tuple[str, str]]:
    """What the nights know of a memory beside its words."""
    within = [(level.name, f"{level.id}  {level.title}") for level in note.within]
    return [
        ("note", note.line),
        ("keywords", ", ".join(note.keywords)),
        ("about", ", ".join(note.tags)),
        *within,
    ]


def _date(moment: object) -> str:
    return "…" if moment is None else str(moment)[:10]


def _other(link: Link, id: str) -> str:
    return link.dst if link.src == id else link.src


def _change_keys(change: Change) -> dict[str, object]:
    return {
        "entry": change.seq,
        "time": change.at.isoformat(),
        "run": change.run,
        "action": change.action,
        "before": change.before,
        "after": change.after,
    }


def _difference(change: Change) -> str:
    if change.before is None and change.after is None:
        return "forgotten"
    if change.before is None:
        return "added"
    if change.after is None:
        return "removed"
    return "; ".join(f"{k}: {change.before.get(k)} -> {v}" for k, v in change.after.items())
