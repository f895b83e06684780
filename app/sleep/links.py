"""Entities: who and what a memory mentions, under every name that they go by.

The words of a memory never change; its links do, and its context line takes up by what other names those in it are
known: "my sister" once Ana is, and Ana where only "my sister" was said.
"""

from __future__ import annotations

from dataclasses import replace

from app.sleep.names import Names, mentions, relations
from app.sleep.work import Tally, Work
from storage.records import Entity, Filter, Kind, Link, LinkKind, Record

SLICE = 1_000
REFINED = 50  # older memories, the newest, whose context line takes up a new name
LONGEST = 400  # characters of a context line that still takes up names
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
                entities[known.id] = _named(work, names, known, relation, tally)
        meant = {e.id: e for e in names.by_relation(record.text)}
        for entity in meant.values():
            _refine(work, record, entity, tally)
        entities |= meant
    work.store.link(Link(record.id, id, LinkKind.MENTIONS) for id in entities)


def _refine(work: Work, record: Record, entity: Entity, tally: Tally) -> None:
    """Add to the context line by what other names `entity` is known, where neither it nor the words hold them."""
    held = f"{record.text}\n{record.context}".lower()
    names = [entity.name, *(alias for alias in entity.aliases if alias.startswith("my "))]
    fresh = [name for name in names if name.lower() not in held]
    if not fresh or len(record.context) > LONGEST:
        return
    refined = replace(record, context=f"{record.context}\n{', '.join(fresh)}".strip())
    work.store.update(refined)
    work.forget_vectors([refined])
    tally.merged += 1


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


def _named(work: Work, names: Names, entity: Entity, alias: str, tally: Tally) -> Entity:
    """The entity under one more name, which the memories that mention it learn too."""
    entity = replace(entity, kind="person", aliases=(*entity.aliases, alias))
    work.store.upsert_entity(entity)
    names.put(entity)
    links = work.store.links(entity.id, LinkKind.MENTIONS, out=False)
    known = sorted(work.store.get_many([link.src for link in links]).values(), key=lambda r: -r.seq)
    for record in known[:REFINED]:
        if record.role == "user" and record.kind is Kind.EPISODIC:
            _refine(work, record, entity, tally)
    return entity
