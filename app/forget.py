"""Forgetting on request: what would go, and erasing it with everything derived from it alone (app/traces.py proves it).

Erased is erased: it is the one change that cannot be undone. A keyed hash stays so that it is not learnt again.
The rows go in one transaction, which notes that copies in other files are still to go: a crash between is made good.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from app.backups import make
from app.lessen import titled, without, without_echoes, without_title
from app.memory import Memory
from app.records import LinkKind, Record
from app.traces import telling_words, words_in
from storage.check import checkpoint, compact
from storage.scrub import drop_entity_entries, echoing, passages, scrub_ledger

UNSETTLED = "forget.unsettled"  # meta: the rows are gone, and copies in other files may not be


@dataclass(frozen=True, slots=True)
class Preview:
    """What forgetting would do: `asked` and `derived` (from them alone) go; `kept` rest on other memories, too."""

    asked: tuple[Record, ...]
    derived: tuple[Record, ...]
    kept: tuple[Record, ...]

    @property
    def all(self) -> tuple[Record, ...]:
        """Everything that would be erased."""
        return self.asked + self.derived


def preview(memory: Memory, records: Sequence[Record]) -> Preview:
    """Follow what was derived from `records`, and from that, until nothing more rests on them alone."""
    going = {r.id for r in records}
    touched: dict[str, Record] = {}
    grew = True
    while grew:
        grew = False
        for child in _derived_from(memory, going):
            touched[child.id] = child
            if child.id not in going and _sources(memory, child.id) <= going:
                going.add(child.id)
                grew = True
    asked = {r.id for r in records}
    derived = tuple(r for id, r in touched.items() if id in going and id not in asked)
    return Preview(tuple(records), derived, tuple(r for id, r in touched.items() if id not in going))


def forget(memory: Memory, plan: Preview, now: datetime) -> None:
    """Erase everything in `plan` from rows, indexes, journal, night's ledger, index files and backups.

    Where there were backups, a verified one without it takes their place. Raises StorageError; what was erased is gone,
    and `settle` does the rest.
    """
    ids = [record.id for record in plan.all]
    lonely = _entities_of(memory, ids)
    texts = [record.text for record in plan.all]
    with memory.store.atomic("forget", now):
        for record in plan.kept:
            memory.store.rewrite(without(memory.store, record, plan.all))
        wholes = titled(memory.store, plan.all)
        memory.store.erase(ids)
        titles = _retitle(memory, wholes, plan.all) + [
            str(r.extra["title"]) for r in plan.kept if "title" in r.extra
        ]
        for id in lonely:
            _forget_names(memory, id)
        changed = [*plan.kept, *_clear_echoes(memory, texts)]
        scrub_ledger(memory.store.connection, ids, texts + titles)
        memory.store.set_meta(UNSETTLED, True)
    settle(memory, now, plan.all)
    if changed:  # what was worded anew is found by its new words
        memory.embed_backlog(now)


def settle(memory: Memory, now: datetime, records: Sequence[Record] = ()) -> None:
    """Remove what may hold copies of what was erased, and back up what is left; nothing where that is done already.

    `records` are the erased ones where they are known; free pages are then rewritten only if they need it.
    Raises StorageError.
    """
    if not memory.store.meta(UNSETTLED):
        return
    checkpoint(memory.store.connection, memory.store.path)
    words = telling_words(memory, records)
    files = (memory.store.path, memory.store.path.with_name(f"{memory.store.path.name}-wal"))
    if not records or any(words_in(path, words) for path in files if path.exists()):
        compact(memory.store.connection, memory.store.path)
    copies = list(_copies(memory))
    fresh = make(memory, now).path if any(c.parent == memory.home.backups for c in copies) else None
    for copy in copies:
        if copy != fresh:
            copy.unlink(missing_ok=True)
    with memory.store.atomic("forget", now):
        memory.store.set_meta(UNSETTLED, False)


def _retitle(memory: Memory, ids: Sequence[str], going: Sequence[Record]) -> list[str]:
    """Take the words of what went out of the titles of what it was part of; returns the titles that changed."""
    changed = []
    for whole in memory.store.get_many(ids).values():
        record = without_title(memory.store, whole, going)
        if record != whole:
            memory.store.rewrite(record)
            changed += [
                str(whole.extra[name]) for name in whole.extra if whole.extra[name] != record.extra[name]
            ]
    return changed


def _forget_names(memory: Memory, id: str) -> None:
    """Drop an entity that nothing names any more, and aliases that only the forgotten words used."""
    links = memory.store.links(id, LinkKind.MENTIONS, out=False)
    left = memory.store.get_many([link.src for link in links]).values()
    said = " ".join(record.text for record in left).casefold()
    entity = next((e for e in memory.store.entities() if e.id == id), None)
    if entity is None:
        return
    lost = [name for name in (entity.name, *entity.aliases) if name.casefold() not in said]
    for record in left:
        context = _without_names(record.context, lost)
        if context != record.context:
            memory.store.rewrite(replace(record, context=context))
    if entity.name in lost:
        for link in links:
            memory.store.unlink(link)
        memory.store.delete_entity(id)
        drop_entity_entries(memory.store.connection, id)
    elif lost:
        memory.store.rewrite(replace(entity, aliases=tuple(n for n in entity.aliases if n not in lost)))


def _without_names(context: str, names: Sequence[str]) -> str:
    """A context line without the names that the night added to it (a line of names, or one of several in it)."""
    for name in names:
        context = re.sub(rf"(?:(?<=\n)|^|, ){re.escape(name)}(?=,|\n|$)", "", context)
    return "\n".join(line.removeprefix(", ") for line in context.split("\n") if line.strip())


def _clear_echoes(memory: Memory, texts: Sequence[str]) -> list[Record]:
    """Take the words out of what other memories carry beside their own: context, doubts, earlier versions."""
    going = passages(texts)
    found = [without_echoes(memory.store.get(id), going) for id in echoing(memory.store.connection, going)]
    for record in found:
        memory.store.rewrite(record)
    return found


def _derived_from(memory: Memory, ids: Collection[str]) -> list[Record]:
    children = {link.src for id in ids for link in memory.store.links(id, LinkKind.DERIVED_FROM, out=False)}
    return list(memory.store.get_many(sorted(children)).values())


def _sources(memory: Memory, id: str) -> set[str]:
    return {link.dst for link in memory.store.links(id, LinkKind.DERIVED_FROM, back=False)}


def _entities_of(memory: Memory, ids: Sequence[str]) -> set[str]:
    return {link.dst for id in ids for link in memory.store.links(id, LinkKind.MENTIONS, back=False)}


def _copies(memory: Memory) -> Iterator[Path]:
    """Files that hold copies of what was: they are made anew without it."""
    home = memory.home
    rehearsals = home.path.glob("night-*")  # a dry run that was killed leaves its copy of the store
    for folder in (home.backups, home.path / "index", home.path / "prefix", home.logs, *rehearsals):
        if folder.is_dir():
            yield from (path for path in folder.rglob("*") if path.is_file())
    yield from home.path.glob(f"{home.database.name}.before-restore-*")
