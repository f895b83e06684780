"""Forgetting on request: what would go, erasing it with everything derived from it alone, and proving it gone.

Erased is erased: it is the one change that cannot be undone. A keyed hash stays so that it is not learnt again.
The rows go in one transaction, which notes that copies in other files are still to go: a crash between is made good.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from app.backups import make
from app.lessen import without, without_echoes
from app.memory import Memory
from app.records import LinkKind, Record
from storage.check import checkpoint, compact, full_text_problem, vector_problems
from storage.scrub import drop_entity_entries, echoing, passages, scrub_ledger, tables_holding

BLOCK = 1 << 20
RARE_WORD = re.compile(r"\w{5,}")
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


@dataclass(frozen=True, slots=True)
class Trace:
    """Words that should be gone and where they still stand."""

    words: str
    file: Path


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of place that was searched: how much of it there is (files, or tables of the store), and what was found."""

    name: str
    searched: int
    found: tuple[str, ...]


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
        memory.store.erase(ids)
        for id in lonely:
            _forget_names(memory, id)
        changed = [*plan.kept, *_clear_echoes(memory, texts)]
        scrub_ledger(memory.store.connection, ids, texts)
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
    needles = _needles_of(memory, records)
    files = (memory.store.path, memory.store.path.with_name(f"{memory.store.path.name}-wal"))
    if not records or any(_found(path, needles) for path in files if path.exists()):
        compact(memory.store.connection, memory.store.path)
    copies = list(_copies(memory))
    fresh = make(memory, now).path if any(c.parent == memory.home.backups for c in copies) else None
    for copy in copies:
        if copy != fresh:
            copy.unlink(missing_ok=True)
    with memory.store.atomic("forget", now):
        memory.store.set_meta(UNSETTLED, False)


def traces(memory: Memory, records: Sequence[Record]) -> list[Trace]:
    """Search every file of the home for the records' words, and for those of them that no other memory has.

    Call it after `forget` with the records that went; an empty list is the proof. A packed backup is unpacked for it.
    """
    checkpoint(memory.store.connection, memory.store.path)
    needles = _needles_of(memory, records)
    return [
        Trace(needle, path)
        for path in sorted(memory.home.path.rglob("*"))
        if path.is_file() and not path.is_symlink()
        for needle in _found(path, needles)
    ]


def places(memory: Memory, records: Sequence[Record]) -> list[Place]:
    """Every kind of place that keeps words, searched for those of the erased `records`: files, and the store's tables.

    In an encrypted home the files tell nothing, and the tables are the proof.
    """
    home, db = memory.home, memory.store.connection
    found = traces(memory, records)
    tables, holding = tables_holding(db, _needles_of(memory, records))
    rows = [
        Place("tables and journal", tables, tuple(holding)),
        Place("full text", 1, tuple(filter(None, [full_text_problem(db)]))),
        Place("vectors", 1, tuple(vector_problems(db))),
    ]
    left = sorted(p for p in home.path.rglob("*") if p.is_file() and not p.is_symlink())
    for name, mine in (
        ("store and its log", lambda p: p.name in (memory.store.path.name, f"{memory.store.path.name}-wal")),
        ("index files", lambda p: home.path / "index" in p.parents),
        ("prompt states", lambda p: home.path / "prefix" in p.parents),
        ("logs", lambda p: home.logs in p.parents),
        ("backups", lambda p: home.backups in p.parents or ".before-restore-" in p.name),
        ("other files", lambda p: True),
    ):
        here = [p for p in left if mine(p)]
        left = [p for p in left if p not in here]
        rows.append(Place(name, len(here), tuple(sorted({t.file.name for t in found if t.file in here}))))
    return rows


def _needles_of(memory: Memory, records: Sequence[Record]) -> list[str]:
    return list(dict.fromkeys(n for record in records for n in _needles(memory, record.text)))


def _needles(memory: Memory, text: str) -> Iterator[str]:
    if len(text) >= 8 and not _still_said(memory, text):
        yield text
    for word in dict.fromkeys(w.lower() for w in RARE_WORD.findall(text)):
        if not _still_said(memory, word):
            yield word


def _still_said(memory: Memory, words: str) -> bool:
    quoted = " ".join(re.findall(r"\w+", words))
    return bool(quoted) and bool(memory.store.search_text(f'"{quoted}"', 1))


def _found(path: Path, needles: Sequence[str]) -> list[str]:
    wanted = {needle: needle.lower().encode() for needle in needles}
    overlap = max(map(len, wanted.values()), default=0)
    found: set[str] = set()
    packed = path.suffix == ".gz"
    # A file that went away while others work, or that is no whole archive, is read as far as it goes.
    with suppress(FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error), _reading(path, packed) as file:
        held = b""
        while block := file.read(BLOCK):
            held = held[-overlap:] + block.lower() if overlap else block.lower()
            found |= {needle for needle, raw in wanted.items() if raw in held}
    return [needle for needle in needles if needle in found]


def _reading(path: Path, packed: bool) -> IO[bytes]:
    return gzip.open(path, "rb") if packed else path.open("rb")


def _forget_names(memory: Memory, id: str) -> None:
    """Drop an entity that nothing mentions any more, and aliases that only the forgotten words used."""
    mentions = [link.src for link in memory.store.links(id, LinkKind.MENTIONS, out=False)]
    if not mentions:
        memory.store.delete_entity(id)
        drop_entity_entries(memory.store.connection, id)
        return
    said = " ".join(r.text for r in memory.store.get_many(mentions).values()).casefold()
    entity = next(e for e in memory.store.entities() if e.id == id)
    names = tuple(name for name in entity.aliases if name in said or name == entity.name.casefold())
    if names != entity.aliases:
        memory.store.rewrite(replace(entity, aliases=names))


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
    for folder in (home.backups, home.path / "index", home.path / "prefix", home.logs):
        if folder.is_dir():
            yield from (path for path in folder.rglob("*") if path.is_file())
    yield from home.path.glob(f"{home.database.name}.before-restore-*")
