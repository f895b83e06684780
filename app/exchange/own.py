"""The export of another home of this program. Into an empty home it goes in unchanged, to the same state hash;
into one that has memories of its own it informs, as everything imported does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from app.exchange.items import Item, Problem, Row
from app.exchange.lines import numbered_lines
from app.memory import Memory
from app.records import Filter, Record, Source
from storage.rows import entity_from, key_of, link_from, record_from
from storage.transfer import checked

MARK = "mem_export"
SUPPORTED = 1


def read_own(path: Path) -> Iterator[Item]:
    """The rows of an export, each checked to be one that this program would write."""
    for place, line in numbered_lines(path):
        if isinstance(line, Problem):
            yield line
            continue
        try:
            value = json.loads(line)
            if not isinstance(value, dict):
                raise ValueError("not a JSON object")
            if MARK in value:
                if value[MARK] != SUPPORTED:
                    raise ValueError("written by a newer version of mem")
                continue
            table = value.pop("table", None)
            yield Row(str(table), checked(str(table), value), place)
        except (ValueError, RecursionError) as error:
            yield Problem(place, str(error))


class RowWriter:
    """Puts the rows of one export into a memory, batch by batch."""

    def __init__(self, memory: Memory, now: datetime) -> None:
        self._memory = memory
        self._now = now
        self._exact = memory.store.last_seq() == 0
        self._ids: dict[str, str] = {}  # the export's id -> the id here

    def write(self, rows: Sequence[Row], run: str | None) -> tuple[int, str | None]:
        """Store one batch as part of `run`; returns how many rows were new, and the run."""
        store = self._memory.store
        with store.atomic("import", self._now, run) as name:
            put = self._restored if self._exact else self._merged
            return sum(put(row) for row in rows), name

    def _restored(self, row: Row) -> bool:
        store = self._memory.store
        taken = row.table == "records" and bool(store.by_seq([row.values["seq"]]))
        if taken or store.journal.row(row.table, key_of(row.table, dict(row.values))) is not None:
            return False
        store.put_row(row.table, row.values)
        return True

    def _merged(self, row: Row) -> bool:
        store = self._memory.store
        if row.table == "records":
            return self._merged_record(record_from(row.values))
        if row.table == "links":
            link = link_from(row.values)
            ends = replace(link, src=self._ids.get(link.src, ""), dst=self._ids.get(link.dst, ""))
            known = (
                not ends.src
                or not ends.dst
                or any(
                    (k.src, k.dst, k.kind) == (ends.src, ends.dst, ends.kind)
                    for k in store.links(ends.src, ends.kind)
                )
            )
            if not known:
                store.link([ends])
            return not known
        if row.table == "entities":
            entity = entity_from(row.values)
            known = any(e.id == entity.id for e in store.entities())
            self._ids[entity.id] = entity.id
            if not known:
                store.upsert_entity(entity)
            return not known
        return False  # uses are of the home that they happened in

    def _merged_record(self, record: Record) -> bool:
        store = self._memory.store
        moment = record.event_time
        near = store.records(Filter(after=moment, before=moment + timedelta(microseconds=1)))
        for other in near:
            if (other.kind, other.text, other.session) == (record.kind, record.text, record.session):
                self._ids[record.id] = other.id
                return False
        if store.is_forgotten(record.text):
            return False
        informing = replace(
            record,
            source=Source.IMPORTED,
            trust=Source.IMPORTED,
            superseded_by=self._ids.get(record.superseded_by or ""),
            pinned=False,
            protected=None,
        )
        (added,) = store.insert([informing])
        self._ids[record.id] = added.id
        return True
