"""Store: one connection, typed verbs, one way to write. SQLite is the truth; every change is journaled.

A Store belongs to the thread that opened it. Reads may happen at any time; writes only inside `atomic`.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from storage.database import backfill, connect, transaction, translated
from storage.errors import RecordNotFound, StorageError
from storage.files import sweep
from storage.ids import short_id
from storage.journal import Journal, Stamp
from storage.lock import WriterLock
from storage.records import EVERYTHING, Entity, Filter, Link, LinkKind, Record, Use
from storage.rows import (
    entity_from,
    entity_row,
    key_of,
    link_from,
    link_row,
    record_from,
    record_row,
    to_json,
    to_text,
    use_row,
)
from storage.search import full_text, rows_matching, where

if TYPE_CHECKING:
    from storage.hnsw import Graphs
    from storage.vectors import VectorIndex


class Store:
    """Everything that is remembered in one home folder."""

    def __init__(
        self, path: Path, *, key: str | None = None, read_only: bool = False, graphs: Graphs | None = None
    ) -> None:
        """Open the store at `path` (a file); `graphs` are shared with others. Raises StorageError and its kinds."""
        self.path = path
        self._key = key
        self._graphs = graphs
        if not read_only:
            sweep(path.parent)  # a copy under another key, or a backup's, that a crash left
        self.connection = connect(path, key=key, read_only=read_only)
        self.journal = Journal(self.connection)
        self._lock = WriterLock(path.with_name("mem.lock"))
        self._stamp: Stamp | None = None
        self._indexes: dict[tuple[str, int], VectorIndex] = {}

    def close(self) -> None:
        """Close the connection; what was acknowledged is on disk already."""
        self.connection.close()

    def copied(self, folder: Path) -> Store:
        """Another Store, over a copy of this one's file in `folder`; taken while nobody writes."""
        import shutil

        self._lock.acquire()
        try:
            for path in (self.path, self.path.with_name(f"{self.path.name}-wal")):
                if path.exists():
                    shutil.copy2(path, folder / path.name)
        finally:
            self._lock.release()
        return Store(folder / self.path.name, key=self._key)

    def backup(self, folder: Path, now: datetime) -> Path:
        """A compressed copy of the store in `folder`, proven to restore to this state; its path.

        Raises StorageError.
        """
        from storage.backup import snapshot

        return snapshot(self.connection, folder, now, self._key)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- writing -------------------------------------------------------------------------------

    @contextmanager
    def atomic(self, action: str, now: datetime, run: str | None = None) -> Iterator[str]:
        """One transaction: all of it or none. Yields the run's id, which `mem undo` takes.

        Nested calls join the outer transaction. Never keep one open across a model call.
        """
        if self._stamp is not None:
            yield self._stamp.run
            return
        self._lock.acquire()
        try:
            with translated(self.path), transaction(self.connection):
                self._stamp = Stamp(to_text(now), run or self._next_run(), action)
                yield self._stamp.run
        finally:
            self._stamp = None
            self._lock.release()
        backfill(self.connection)

    def insert(self, records: Iterable[Record]) -> list[Record]:
        """Add records; returns them with `seq` and `id` given."""
        stamp = self._writing()
        seq = self.last_seq()
        added = []
        for record in records:
            seq += 1
            record = replace(record, seq=seq, id=short_id(seq))
            self.journal.add(stamp, "records", record_row(record))
            added.append(record)
        return added

    def update(self, record: Record) -> None:
        """Write the record's columns that changed. An episode's words cannot change. Raises RecordNotFound."""
        old = self.get(record.id)
        if old.kind == "episodic" and old.text != record.text:
            raise StorageError("What was said is never changed.", "Add a correction: `mem remember`.")
        self.journal.put(self._writing(), "records", record_row(record))

    def delete(self, ids: Iterable[str]) -> None:
        """Remove records with their links and uses. The journal keeps them: see `erase` for forgetting."""
        stamp = self._writing()
        for id in ids:
            for link in self.links(id):
                self.unlink(link)
            for (session,) in self.connection.execute(
                "SELECT session FROM uses WHERE record = ?", (id,)
            ).fetchall():
                self.journal.remove(stamp, "uses", to_json([id, session]))
            self.journal.remove(stamp, "records", to_json([id]))

    def erase(self, ids: Iterable[str]) -> None:
        """Forget: delete records and every copy of their words in the journal. A keyed hash of each stays."""
        stamp = self._writing()
        for id in ids:
            record = self.get(id)
            for mark in (record.text, record.external_id):
                if mark:
                    sql = "INSERT OR IGNORE INTO tombstones (hash, at) VALUES (?, ?)"
                    self.connection.execute(sql, (self._mark(mark), stamp.at))
            links = self.links(id)
            self.delete([id])
            self.journal.erase("records", to_json([id]))
            for link in links:
                self.journal.erase("links", key_of("links", link_row(link)))
            for (key,) in self.connection.execute(
                "SELECT key FROM journal WHERE \"table\" = 'uses' AND key LIKE ?", (f'["{id}",%',)
            ).fetchall():
                self.journal.erase("uses", key)

    def rewrite(self, item: Record | Entity) -> None:
        """Write it anew and let go of its history: no entry of the journal keeps what it said before."""
        table, row = (
            ("records", record_row(item)) if isinstance(item, Record) else ("entities", entity_row(item))
        )
        stamp, key = self._writing(), key_of(table, row)
        self.journal.remove(stamp, table, key)
        self.journal.erase(table, key)
        self.journal.add(stamp, table, row)

    def is_forgotten(self, text: str) -> bool:
        """Whether a record with this text (or external id) was forgotten; it is not to be learnt again."""
        sql = "SELECT 1 FROM tombstones WHERE hash = ?"
        return self.connection.execute(sql, (self._mark(text),)).fetchone() is not None

    def link(self, links: Iterable[Link]) -> None:
        """Add edges, or update the weight and span of those that are there."""
        stamp = self._writing()
        for link in links:
            self.journal.put(stamp, "links", link_row(link))

    def unlink(self, link: Link) -> None:
        """Remove an edge."""
        self.journal.remove(self._writing(), "links", key_of("links", link_row(link)))

    def upsert_entity(self, entity: Entity) -> None:
        """Add an entity or replace its name and aliases."""
        self.journal.put(self._writing(), "entities", entity_row(entity))

    def delete_entity(self, id: str) -> None:
        """Remove an entity; links to it are the caller's."""
        self.journal.remove(self._writing(), "entities", to_json([id]))

    def add_use(self, use: Use) -> bool:
        """Log a use; False when this memory was used in this session already (its gain only rises)."""
        stamp = self._writing()
        row = use_row(use)
        old = self.journal.row("uses", key_of("uses", row))
        if old is not None and old["gain"] >= use.gain:
            return False
        self.journal.put(stamp, "uses", row)
        return old is None

    def put_row(self, table: str, row: Mapping[str, Any]) -> None:
        """Add a journaled row exactly as an export holds it (`storage.transfer.checked`), its ids and number kept."""
        self.journal.add(self._writing(), table, dict(row))

    def undo(self, *, run: str | None = None, seq: int | None = None) -> int:
        """Reverse one run or one journal entry; returns how many rows changed. Raises StorageError on a clash."""
        changes = list(self.journal.changes(run=run, seq=seq))
        count = self.journal.undo(self._writing(), changes)
        # What came to hang on a record since then goes with it.
        self.delete(json.loads(c.key)[0] for c in changes if c.table == "records" and c.before is None)
        return count

    def set_meta(self, key: str, value: Any) -> None:
        """Keep a small JSON value that is no memory (a watermark, a setting of the store)."""
        self._writing()
        self.connection.execute(
            "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, to_json(value)),
        )

    # -- reading -------------------------------------------------------------------------------

    def meta(self, key: str, default: Any = None) -> Any:
        """The value that `set_meta` kept."""
        found = self.connection.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return default if found is None else json.loads(found[0])

    def get(self, id: str) -> Record:
        """The record with this id, or with this external id where just one has it. Raises RecordNotFound."""
        found = self._records("WHERE id = ?", (id,))
        if not found:
            found = self._records("WHERE external_id = ? LIMIT 2", (id,))
        if len(found) != 1:
            what = "More than one memory has" if found else "No memory has"
            raise RecordNotFound(f"{what} the id {id!r}.", "See `mem list` or `mem recall` for ids.")
        return found[0]

    def get_many(self, ids: Sequence[str]) -> dict[str, Record]:
        """Those of `ids` that exist, by id."""
        return {r.id: r for r in self._records_by("id", ids)}

    def by_seq(self, seqs: Sequence[int]) -> dict[int, Record]:
        """Those of `seqs` that exist, by row number."""
        return {r.seq: r for r in self._records_by("seq", seqs)}

    def by_external(self, external_ids: Sequence[str]) -> dict[str, list[Record]]:
        """Records by the caller's own ids."""
        out: dict[str, list[Record]] = {}
        for record in self._records_by("external_id", external_ids):
            out.setdefault(str(record.external_id), []).append(record)
        return out

    def records(
        self, filter: Filter = EVERYTHING, *, limit: int = -1, offset: int = 0, newest_first: bool = True
    ) -> list[Record]:
        """Records in the order of their event time. `limit` -1 means all."""
        condition, values = where(filter, "records")
        order = "DESC" if newest_first else "ASC"
        tail = f"WHERE {condition} ORDER BY event_time {order}, seq {order} LIMIT ? OFFSET ?"
        return self._records(tail, (*values, limit, offset))

    def since(self, seq: int, filter: Filter = EVERYTHING, limit: int = -1) -> list[Record]:
        """Records stored after row `seq`, oldest first: what a watermark has not covered yet."""
        condition, values = where(filter, "records")
        return self._records(f"WHERE seq > ? AND {condition} ORDER BY seq LIMIT ?", (seq, *values, limit))

    def neighbours(self, record: Record, before: int = 1, after: int = 1) -> list[Record]:
        """The turns stored just before and after this one in its session, in order, without itself."""
        if record.session is None:
            return []
        tail = "WHERE session = ? AND kind = ? AND seq {} ? ORDER BY seq {} LIMIT ?"
        here = (record.session, str(record.kind), record.seq)
        earlier = self._records(tail.format("<", "DESC"), (*here, before))
        return earlier[::-1] + self._records(tail.format(">", "ASC"), (*here, after))

    def slot(self, subject: str, attribute: str, *, live_only: bool = True) -> list[Record]:
        """Facts that fill a slot, oldest first; only those still true unless asked otherwise."""
        live = " AND valid_to IS NULL AND superseded_by IS NULL" if live_only else ""
        tail = f"WHERE subject = ? AND attribute = ?{live} ORDER BY coalesce(valid_from, event_time), seq"
        return self._records(tail, (subject, attribute))

    def links(
        self, id: str, kind: LinkKind | None = None, *, out: bool = True, back: bool = True
    ) -> list[Link]:
        """Edges that leave (`out`) or reach (`back`) this id."""
        ends = [column for column, wanted in (("src", out), ("dst", back)) if wanted]
        kinds, values = ("", []) if kind is None else (" AND kind = ?", [str(kind)])
        found = []
        for column in ends:
            cursor = self.connection.execute(
                f'SELECT src, dst, kind, weight, start, "end" AS "end" FROM links WHERE {column} = ?{kinds}'
                " ORDER BY src, dst, kind",
                (id, *values),
            )
            found += [
                link_from(dict(zip((c[0] for c in cursor.description), row, strict=True))) for row in cursor
            ]
        return found

    def entities(self) -> list[Entity]:
        """All entities, by name."""
        cursor = self.connection.execute("SELECT id, name, kind, aliases FROM entities ORDER BY name, id")
        names = [c[0] for c in cursor.description]
        return [entity_from(dict(zip(names, row, strict=True))) for row in cursor]

    def uses(self, id: str) -> list[Use]:
        """Uses of a memory, oldest first."""
        sql = "SELECT record, at, session, gain FROM uses WHERE record = ? ORDER BY at"
        rows = self.connection.execute(sql, (id,)).fetchall()
        return [Use(record, datetime.fromisoformat(at), session, gain) for record, at, session, gain in rows]

    def counts(self, column: str = "kind") -> dict[str, int]:
        """How many records there are by `kind`, `state`, `source`, `speaker` or `session`."""
        if column not in ("kind", "state", "source", "speaker", "session"):
            raise StorageError(f"Cannot count by {column!r}.")
        sql = f"SELECT coalesce({column}, ''), count(*) FROM records GROUP BY 1 ORDER BY 2 DESC, 1"
        return dict(self.connection.execute(sql).fetchall())

    def search_text(self, match: str, limit: int, filter: Filter = EVERYTHING) -> list[tuple[int, float]]:
        """Full text: (seq, score) for an FTS5 expression, best first. The caller quotes its terms."""
        return full_text(self.connection, match, limit, filter)

    def matching(self, filter: Filter) -> list[int]:
        """Row numbers that a filter lets through, ascending."""
        return rows_matching(self.connection, filter)

    def unembedded(self, model: str, view: str = "text", limit: int = 1000) -> list[Record]:
        """Records that have no vector of this model and view yet, newest first."""
        have = "SELECT 1 FROM vectors v WHERE v.seq = records.seq AND v.view = ? AND v.model = ?"
        text = "" if view == "text" else " AND context <> ''"
        return self._records(
            f"WHERE NOT EXISTS ({have}){text} ORDER BY seq DESC LIMIT ?", (view, model, limit)
        )

    def vectors(self, model: str, dim: int) -> VectorIndex:
        """The vector index of one embedding model; made on first use and kept with this store."""
        from storage.vectors import VectorIndex

        name = (model, dim)
        if name not in self._indexes:
            # Vectors in a file would tell what an encrypted store hides; it is searched exactly.
            folder = None if self._key else self.path.parent / "index"
            self._indexes[name] = VectorIndex(
                self.connection, folder, model=model, dim=dim, graphs=self._graphs
            )
        return self._indexes[name]

    def drop_vectors(self, model: str, most: int) -> int:
        """Drop the oldest vectors of a model, and its index with the last of them; returns how many."""
        from storage.vectors import drop_model

        self._writing()
        return drop_model(self.connection, self.path.parent / "index", model, most)

    # -- inside --------------------------------------------------------------------------------

    def _writing(self) -> Stamp:
        if self._stamp is None:
            raise StorageError("A write outside a transaction.", "Use `with store.atomic(action, now):`.")
        return self._stamp

    def last_seq(self) -> int:
        """The newest row number that was ever given."""
        found = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'records'").fetchone()
        return int(found[0]) if found else 0

    def _next_run(self) -> str:
        found = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'journal'").fetchone()
        return short_id(int(found[0]) if found else 0, prefix="r")

    def _mark(self, text: str) -> str:
        """Keyed hash of normalised words: it recognises a forgotten text and tells nothing about it."""
        secret = self.meta("tombstone_key")
        if secret is None:
            secret = secrets.token_hex(32)
            if self._stamp is not None:
                self.set_meta("tombstone_key", secret)
        words = re.sub(r"\W+", " ", text.casefold()).strip()
        return hashlib.blake2b(
            words.encode(errors="replace"), key=bytes.fromhex(secret), digest_size=32
        ).hexdigest()

    def _records_by(self, column: str, values: Sequence[Any]) -> list[Record]:
        return self._records(
            f"WHERE {column} IN (SELECT value FROM json_each(?))", (json.dumps(list(values)),)
        )

    def _records(self, tail: str, values: Sequence[Any]) -> list[Record]:
        cursor = self.connection.execute(f"SELECT records.* FROM records {tail}", tuple(values))
        names = [c[0] for c in cursor.description]
        return [record_from(dict(zip(names, row, strict=True))) for row in cursor.fetchall()]
