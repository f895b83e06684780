"""Entities and keywords: who and what a memory mentions, and the words by which it is also found.

A light recogniser of names, without a model: capitalised words that are no ordinary sentence start, people who
speak, and relations ("my sister Ana"). The words of a memory never change; only its entities and keywords do.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from app.sleep.work import Tally, Work
from storage.records import Entity, Filter, Kind, Link, LinkKind, Record

SLICE = 1_000
MATERIAL = Filter(kinds=frozenset({Kind.EPISODIC, Kind.SEMANTIC, Kind.PROCEDURAL, Kind.TASK, Kind.RESOURCE}))

_NAME = r"[A-ZÀ-ÖØ-Þ][\w'’-]*[a-zß-öø-ÿ]"
_NAMES = re.compile(rf"(?<![\w@#./])({_NAME}(?: (?:(?:de|da|van|von|of|the|del|di) )?{_NAME}){{0,3}})")
_SENTENCE_START = re.compile(r"(?:^|[.!?…:;\n\"“(]\s*|[-*•]\s+)$")
_RELATION = re.compile(
    r"\b[Mm]y ((?:(?:little|big|older|younger|best|ex|step|late) ?-?)?(?:sister|brother|mother|mom|mum|father|dad|wife|"
    r"husband|partner|girlfriend|boyfriend|son|daughter|aunt|uncle|cousin|friend|boss|neighbou?r|colleague|dog|cat|"
    rf"grandmother|grandma|grandfather|grandpa|doctor|dentist|roommate|flatmate))(?:,| is called| named|'s name is)? ({_NAME})"
)
_PLACE = re.compile(rf"\b(?:in|to|from|near|at|around|visit(?:ed|ing)?) ({_NAME}(?: {_NAME})?)")
_ORDINARY = frozenset(
    "i i'm i'll i've i'd the a an and but or so if when while what who where why how which this that these those it its "
    "he she they we you my your his her our their yes no not ok okay oh hey hi hello thanks thank please well wow sure "
    "yeah great good nice cool sorry maybe also then now today tomorrow yesterday monday tuesday wednesday thursday "
    "friday saturday sunday january february march april may june july august september october november december "
    "there here just let can could would should do does did is are was were have has had in on at to from for with".split()
)


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


def mentions(text: str) -> Iterator[tuple[str, str]]:
    """(name, kind) of each person, place or thing that `text` names; kind "thing" where the words do not tell."""
    places = {match[1] for match in _PLACE.finditer(text)}
    people = {match[2] for match in _RELATION.finditer(text)}
    for match in _NAMES.finditer(text):
        name = match[1].removesuffix("'s").removesuffix("’s")
        words = name.split()
        starts = _SENTENCE_START.search(text[: match.start()]) is not None
        while words and words[0].lower() in _ORDINARY:
            words, starts = words[1:], False
        if (
            not words
            or words[-1].lower() in _ORDINARY
            or (starts and len(words) == 1 and words[0] not in people)
        ):
            continue
        name = " ".join(words)
        yield name, "person" if name in people else "place" if name in places else "thing"


def relations(text: str) -> Iterator[tuple[str, str]]:
    """(relation, name) for each "my sister Ana": then "my sister" is another name of Ana."""
    for match in _RELATION.finditer(text):
        yield f"my {match[1].lower()}", match[2]


class Names:
    """Entities by every name that they go by, kept in step with the store by whoever adds to both."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._by_alias = {alias: entity for entity in entities for alias in entity.aliases}
        self._relations = {a for a in self._by_alias if a.startswith("my ")}

    def find(self, alias: str) -> Entity | None:
        """The entity that goes by this name."""
        return self._by_alias.get(alias.lower())

    def put(self, entity: Entity) -> None:
        """Know an entity, or what it is called now."""
        for alias in entity.aliases:
            self._by_alias[alias] = entity
        self._relations |= {a for a in entity.aliases if a.startswith("my ")}

    def by_relation(self, text: str) -> Iterator[Entity]:
        """Entities that `text` means without naming them ("my sister")."""
        words = text.lower()
        if "my " in words:
            yield from (self._by_alias[a] for a in sorted(self._relations) if re.search(rf"\b{a}\b", words))


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


def keywords(texts: Sequence[str], most: int = 6) -> list[str]:
    """The words that recur or stand out in `texts`: longer ones and names first among equals."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({w.lower() for w in re.findall(r"[^\W\d_][\w'-]{3,}", text)} - _ORDINARY - _COMMON)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], -len(item[0]), item[0]))
    return [word for word, _ in ranked[:most]]


_COMMON = frozenset(
    "about after again all always another anything back because been before being better bit both came come could day "
    "days didn't does doesn't doing don't each even ever every everything feel feeling felt find first gets getting give "
    "glad going gonna good great happy hard have having hear help hope into it's just keep kind know last like little long "
    "look looking lots love made make makes making many mean more most much must need never new next nice only other over "
    "people pretty quite really right said same seems should since some something soon sound sounds still such sure take "
    "tell than thank thanks that that's them then there there's these they they're thing things think this those thought "
    "through time today took totally try trying until very want wanted wants was week weekend well went were what what's "
    "when where which while will with without won't work would year years yesterday you'd you'll you're you've your".split()
)
