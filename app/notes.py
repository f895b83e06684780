"""A note on each memory, as on a card of a Zettelkasten: keywords, tags, a line that tells it, and what it is part of.

It is read off the links that the nights journal, and never kept: so a later memory that links to an older one refines
its note, undoing the night takes that back, and forgetting leaves no copy. It never enters a memory's words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.present import said_at, tags_of
from app.records import Kind, Link, LinkKind, Record
from app.sleep.names import keywords
from storage.overview import spread

if TYPE_CHECKING:
    from app.memory import Memory
    from storage.store import Store

KEYWORDS = 6
QUOTED = 60  # characters of another memory in the line
EACH = 3  # later memories of one kind that the line names
LATER: Mapping[LinkKind, str] = {
    LinkKind.SUPERSEDES: "replaced by",
    LinkKind.CONTRADICTS: "contradicted by",
    LinkKind.SIMILAR: "said again as",
    LinkKind.DERIVED_FROM: "taught",
}
"""What a later memory that links to an older one is to it."""


@dataclass(frozen=True, slots=True)
class Level:
    """What a memory is part of: an episode (known by its first turn), a session or a topic."""

    name: str
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Note:
    """`line` says who, when and about what, and what later memories made of it; `within` goes from small to large."""

    keywords: tuple[str, ...]
    tags: tuple[str, ...]
    line: str
    within: tuple[Level, ...]


def note_of(memory: Memory, record: Record) -> Note:
    """The note on a memory as things stand."""
    store = memory.store
    links = store.links(record.id)
    others = store.get_many([link.dst if link.src == record.id else link.src for link in links])
    source = _source(record, links, others)
    within = tuple(_levels(store, source))
    return Note(telling(store, record.text), _tags(store, record, links, within),
                _line(record, source, within, links, others), within)  # fmt: skip


def note_keys(note: Note) -> dict[str, Any]:
    """A note as other programs see it."""
    within = [{"level": level.name, "id": level.id, "title": level.title} for level in note.within]
    return {"keywords": list(note.keywords), "tags": list(note.tags), "line": note.line, "within": within}


def telling(store: Store, text: str) -> tuple[str, ...]:
    """The words of a text that the fewest memories share (inverse document frequency), the longer first of equals."""
    words = keywords([text], len(text))
    shared = spread(store.connection, words)
    weight = {word: math.log(1 + store.last_seq() / (1 + shared[word])) for word in words}
    return tuple(sorted(words, key=lambda word: (-weight[word], -len(word), word))[:KEYWORDS])


def _source(record: Record, links: Sequence[Link], others: Mapping[str, Record]) -> Record:
    """The turn that a memory was told in: itself, or the first that it rests on."""
    if record.kind in (Kind.EPISODIC, Kind.GIST):
        return record
    origins = [others[k.dst] for k in links if k.kind is LinkKind.DERIVED_FROM and k.dst in others]
    turns = sorted((o for o in origins if o.kind is Kind.EPISODIC), key=lambda turn: turn.seq)
    return turns[0] if turns else record


def _levels(store: Store, record: Record) -> Iterator[Level]:
    """Episode, session and topic of a turn; of a gist those above it."""
    here = record
    if record.kind is Kind.EPISODIC:
        heads = [k.dst for k in store.links(record.id, LinkKind.SAME_EPISODE, back=False)]
        here = next(iter(store.get_many(heads).values()), record)
        if "episode" in here.extra:
            yield Level("episode", here.id, str(here.extra["episode"]))
    for _ in range(2):
        wholes = store.get_many([k.dst for k in store.links(here.id, LinkKind.PART_OF, back=False)])
        gist = next((g for g in wholes.values() if g.kind is Kind.GIST), None)
        if gist is None:
            return
        yield Level(str(gist.extra.get("level", "gist")), gist.id, str(gist.extra.get("title", "")))
        here = gist


def _tags(store: Store, record: Record, links: Sequence[Link], within: Sequence[Level]) -> tuple[str, ...]:
    """Those its user gave, its kind and slot, whom and what it mentions, and its topic."""
    named = {k.dst for k in links if k.kind is LinkKind.MENTIONS and k.src == record.id}
    entities = [e.name for e in store.entities() if e.id in named] if named else []
    topics = [level.title for level in within if level.name == "topic"]
    slot = [record.attribute] if record.attribute and record.kind is not Kind.GIST else []
    return tuple(dict.fromkeys([*tags_of(record), str(record.kind), *slot, *entities, *topics]))


def _line(
    record: Record,
    source: Record,
    within: Sequence[Level],
    links: Sequence[Link],
    others: Mapping[str, Record],
) -> str:
    about = [level.title for level in within if level.title and level.id != record.id][:1]
    first = f"{source.speaker or ''} on {said_at(source)[:10]}".strip()
    if record.attribute and record.kind is not Kind.GIST:
        first = f"{record.attribute} of {record.subject}: {first}"
    parts = [first + "".join(f", speaking of {title}" for title in about)]
    for kind, words in LATER.items():
        newer = sorted(
            (others[k.src] for k in links if k.kind is kind and k.dst == record.id and k.src in others),
            key=lambda other: other.seq,
        )
        told = [n for n in newer if n.kind not in (Kind.GIST, Kind.CORE)]
        parts += [f"{words} “{_short(n.text)}” ({said_at(n)[:10]})" for n in told[-EACH:]]
    return "; ".join(parts)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= QUOTED else f"{words[: QUOTED - 1].rstrip()}…"
