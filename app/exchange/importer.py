"""From items to memories: in batches, once each, and what was forgotten stays forgotten."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice

from app import encode
from app.exchange.items import Item, Problem, Row, Turn
from app.exchange.own import RowWriter
from app.guard.admit import checked_record
from app.memory import Memory
from app.recall.context import context_of
from app.records import Filter, Kind, Link, LinkKind, Record
from storage.lock import WriterLock

BATCH = 512
DOCUMENTS = frozenset({Kind.RESOURCE})
PATIENCE = 600.0  # seconds that a batch waits for another import's batch
CONTEXT_TURNS = 3  # turns before it that a turn's context may take words from


@dataclass(slots=True)
class Report:
    """What an import did. `known` were there already; `forgotten` had been erased and stay so.

    `outdated` are parts of a document that no longer stand in it: they are closed, not lost.
    """

    read: int = 0
    added: int = 0
    known: int = 0
    forgotten: int = 0
    outdated: int = 0
    links: int = 0
    run: str | None = None
    problems: list[Problem] = field(default_factory=list)


def import_items(
    memory: Memory,
    items: Iterable[Item],
    now: datetime,
    *,
    dry_run: bool = False,
    progress: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Store all turns of `items` as one run. Problems are collected, never in the way of the rest.

    Each batch is one transaction, so an interrupted import keeps what it reported and can be run again.
    """
    report = Report()
    writer = _Writer(memory, now, report, dry_run)
    for batch in _batches(items):
        report.problems += [item for item in batch if isinstance(item, Problem)]
        report.read += len(batch)
        writer.write([item for item in batch if isinstance(item, Turn)])
        writer.write_rows([item for item in batch if isinstance(item, Row)])
        progress(report)
    if not dry_run:
        writer.link()
        writer.date_parts()
        if writer.rows:
            memory.embed_backlog(now)
        memory.embed_backlog(now, view="context")
    return report


class _Writer:
    """Holds what one import has to remember between its batches."""

    def __init__(self, memory: Memory, now: datetime, report: Report, dry_run: bool) -> None:
        self.memory = memory
        self.now = now
        self.report = report
        self.dry_run = dry_run
        self._lock = WriterLock(memory.home.path / "import.lock", timeout=PATIENCE)
        self._previous: dict[str, list[Record]] = {}
        self._seen: set[tuple[str | None, str, str]] = set()
        self._documents: dict[str, str] = {}
        self._parts: dict[
            tuple[str, str], set[str]
        ] = {}  # session and path of a document -> the parts it has now
        self._references: list[tuple[str, tuple[str, ...]]] = []
        self._repeats: Counter[str] = Counter()
        self.rows: RowWriter | None = None

    def write(self, turns: list[Turn]) -> None:
        """Store those of one batch that are new. Two imports at once take turns, so that each thing comes in once."""
        self._lock.acquire()
        try:
            self._write(turns)
        finally:
            self._lock.release()

    def _write(self, turns: list[Turn]) -> None:
        fresh = list(self._fresh(turns))
        records = [self._record(turn) for turn in fresh]
        self.report.added += len(records)
        if self.dry_run or not records:
            return
        added = self.memory.add(records, "import", self.now, self.report.run)
        if self.report.run is None:
            self.report.run = next(self.memory.store.journal.changes(record=added[0].id)).run
        for turn, record in zip(fresh, added, strict=True):
            if turn.kind is Kind.RESOURCE and turn.session:
                self._documents.setdefault(_document_name(turn.session), record.id)
            if turn.refers_to:
                self._references.append((record.id, turn.refers_to))

    def write_rows(self, rows: list[Row]) -> None:
        """Store one batch of rows of another home."""
        if not rows:
            return
        if self.dry_run:
            self.report.added += len(rows)
            return
        self.rows = self.rows or RowWriter(self.memory, self.now)
        added, self.report.run = self.rows.write(rows, self.report.run)
        self.report.added += added
        self.report.known += len(rows) - added

    def link(self) -> None:
        """Turn references between documents into links."""
        links = [
            Link(source, self._documents[name], LinkKind.SIMILAR)
            for source, targets in self._references
            for name in dict.fromkeys(map(_document_name, targets))
            if name in self._documents and self._documents[name] != source
        ]
        if links:
            with self.memory.store.atomic("import", self.now, self.report.run):
                self.memory.store.link(links)
            self.report.links = len(links)

    def date_parts(self) -> None:
        """What a changed document no longer says is no longer valid; it is still found as what it said then."""
        changed = []
        for (session, path), keys in self._parts.items():
            for record in self.memory.store.records(Filter(session=session, kinds=DOCUMENTS)):
                until = None if record.external_id in keys else record.valid_to or self.now
                if record.extra.get("path") == path and record.valid_to != until:
                    changed.append(replace(record, valid_to=until))
        if not changed:
            return
        with self.memory.store.atomic("import", self.now, self.report.run) as self.report.run:
            for record in changed:
                self.memory.store.update(record)
        self.report.outdated = sum(record.valid_to is not None for record in changed)

    def _fresh(self, turns: list[Turn]) -> Iterator[Turn]:
        named = [self._named(turn) for turn in turns]
        stored = self.memory.store.by_external([turn.key for turn in named])
        for turn in named:
            if turn.kind is Kind.RESOURCE and turn.session and (path := turn.extra.get("path")):
                self._parts.setdefault((turn.session, path), set()).add(turn.key)
            name = (turn.session, turn.key, turn.text)
            if name in self._seen or any(_same(r, turn) for r in stored.get(turn.key, ())):
                self.report.known += 1
            elif self.memory.store.is_forgotten(turn.text):
                self.report.forgotten += 1
            else:
                self._seen.add(name)
                yield turn

    def _named(self, turn: Turn) -> Turn:
        """With an id of its own: the same words said again in the same minute are a second turn."""
        session, id = turn.session and encode.whole(turn.session), turn.external_id
        if id is not None:
            return replace(turn, session=session, external_id=encode.whole(id))
        self._repeats[turn.key] += 1
        times = self._repeats[turn.key]
        return replace(turn, session=session, external_id=turn.key if times == 1 else f"{turn.key}.{times}")

    def _record(self, turn: Turn) -> Record:
        record = encode.turn(
            turn.text,
            now=self.now,
            said_at=turn.time,
            speaker=turn.speaker,
            role=turn.role,
            source=turn.source,
            session=turn.session,
            external_id=turn.key,
        )
        before = self._previous.setdefault(turn.session, []) if turn.session else []
        context = turn.context or context_of(record, before)
        before.append(record)
        del before[:-CONTEXT_TURNS]
        return replace(record, kind=turn.kind, context=context, extra=dict(turn.extra))


def _same(record: Record, turn: Turn) -> bool:
    """Whether a turn is there already. Two files may give one id to different words: both were said then."""
    if record.session != turn.session:
        return False
    if record.kind is not Kind.EPISODIC or record.text == turn.text:
        return True
    kept, _ = checked_record(replace(record, text=encode.whole(turn.text)))
    return kept.text == record.text


def _document_name(reference: str) -> str:
    """A note as links name it: the last part of its path, without ending, in lower case."""
    name = reference.replace("\\", "/").rsplit("/", 1)[-1].strip().lower()
    return name.removesuffix(".md").removesuffix(".markdown")


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    source = iter(items)
    while batch := list(islice(source, BATCH)):
        yield batch
