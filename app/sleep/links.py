"""Entities: who and what a memory mentions, under every name that they go by.

The words of a memory never change; only its links do.
"""

from __future__ import annotations

from dataclasses import replace

from app.sleep.names import Names, mentions, relations
from app.sleep.work import Tally, Work
from storage.records import Entity, Filter, Kind, Link, LinkKind, Record

SLICE = 1_000
MATERIAL = Filter(kinds=frozenset({Kind.EPISODIC, Kind.SEMANTIC, Kind.PROCEDURAL, Kind.TASK, Kind.RESOURCE}))


def link_entities(work: Work, tally: Tally) -> None:
    """The job: `mentions` links and keywords of everything stored since the last night."""
    names = Names(work.store.entities())
    while not work.over():
        records = work.store.since(work.mark("links"), MATERIAL, SLICE)
        if not records:
            return
        with work.write("links"):
            for record in records:
                _link(work, names, record, tally)
            work.set_mark("links", records[-1].seq)
        tally.read += len(records)


def _link(work: Work, names: Names, record: Record, tally: Tally) -> None:
    found = dict(mentions(record.text))
    if record.speaker and record.kind is Kind.EPISODIC:
        found.setdefault(record.speaker, "person")
    entities = {e.id: e for e in (_entity(work, names, n, k, tally) for n, k in found.items())}
    if record.role == "user":
        for relation, name in relations(record.text):
            known = names.find(name)
            if known is not None and relation not in known.aliases:
                entities[known.id] = _named(work, names, known, relation)
        entities |= {e.id: e for e in names.by_relation(record.text)}
    work.store.link(Link(record.id, id, LinkKind.MENTIONS) for id in entities)


def _entity(work: Work, names: Names, name: str, kind: str, tally: Tally) -> Entity:
    known = names.find(name)
    if known is None:
        known = Entity(f"e:{name.lower()}", name, kind, (name.lower(),))
        tally.added += 1
        work.store.upsert_entity(known)
        names.put(known)
    elif known.kind == "thing" and kind != "thing":
        known = replace(known, kind=kind)
        work.store.upsert_entity(known)
        names.put(known)
    return known


def _named(work: Work, names: Names, entity: Entity, alias: str) -> Entity:
    entity = replace(entity, kind="person", aliases=(*entity.aliases, alias))
    work.store.upsert_entity(entity)
    names.put(entity)
    return entity
