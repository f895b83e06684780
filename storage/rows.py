"""Between dataclasses and table rows. A row is a dict of JSON-able column values; `key_of` names it in the journal."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from storage.records import Change, Entity, Kind, Link, LinkKind, Record, Source, State, Use

Row = dict[str, Any]

KEYS: Mapping[str, tuple[str, ...]] = {
    "records": ("id",),
    "links": ("src", "dst", "kind"),
    "entities": ("id",),
    "uses": ("record", "session"),
}
"""The journaled tables and the columns that name a row of each."""

RECORD_COLUMNS = tuple(f.name for f in dataclasses.fields(Record))
_TIMES = ("event_time", "recorded_at", "valid_from", "valid_to", "last_used")


def to_text(moment: datetime) -> str:
    """UTC ISO 8601 text, which sorts as time does. Raises ValueError on a naive datetime."""
    if moment.tzinfo is None:
        raise ValueError("naive datetime: every time needs its zone")
    return moment.astimezone(UTC).isoformat()


def from_text(text: str) -> datetime:
    """The datetime that `to_text` wrote."""
    return datetime.fromisoformat(text)


def to_json(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces, so that equal values give equal text and hash."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def record_row(record: Record) -> Row:
    """The columns of `records`."""
    row: Row = {name: getattr(record, name) for name in RECORD_COLUMNS}
    for name in _TIMES:
        row[name] = None if row[name] is None else to_text(row[name])
    for name in ("kind", "source", "trust", "state"):
        row[name] = str(row[name])
    row["pinned"] = int(record.pinned)
    row["extra"] = to_json(record.extra)
    return row


def record_from(row: Mapping[str, Any]) -> Record:
    """The record that a row of `records` holds."""
    values = {name: row[name] for name in RECORD_COLUMNS}
    for name in _TIMES:
        values[name] = None if values[name] is None else from_text(values[name])
    values["kind"] = Kind(values["kind"])
    values["source"] = Source(values["source"])
    values["trust"] = Source(values["trust"])
    values["state"] = State(values["state"])
    values["pinned"] = bool(values["pinned"])
    values["extra"] = json.loads(values["extra"])
    return Record(**values)


def link_row(link: Link) -> Row:
    """The columns of `links`."""
    return {**dataclasses.asdict(link), "kind": str(link.kind)}


def link_from(row: Mapping[str, Any]) -> Link:
    """The link that a row of `links` holds."""
    return Link(row["src"], row["dst"], LinkKind(row["kind"]), row["weight"], row["start"], row["end"])


def entity_row(entity: Entity) -> Row:
    """The columns of `entities`."""
    return {**dataclasses.asdict(entity), "aliases": to_json(entity.aliases)}


def entity_from(row: Mapping[str, Any]) -> Entity:
    """The entity that a row of `entities` holds."""
    return Entity(row["id"], row["name"], row["kind"], tuple(json.loads(row["aliases"])))


def use_row(use: Use) -> Row:
    """The columns of `uses`."""
    return {"record": use.record, "session": use.session, "at": to_text(use.at), "gain": use.gain}


def change_from(row: Mapping[str, Any]) -> Change:
    """The change that a row of `journal` holds."""
    before, after = row["before"], row["after"]
    return Change(
        row["seq"],
        from_text(row["at"]),
        row["run"],
        row["action"],
        row["table"],
        row["key"],
        None if before is None else json.loads(before),
        None if after is None else json.loads(after),
    )


def key_of(table: str, row: Mapping[str, Any]) -> str:
    """The journal's name for a row: the values of its key columns as a JSON array."""
    return to_json([row[column] for column in KEYS[table]])
