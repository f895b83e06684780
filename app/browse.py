"""What screens show of a memory: pages of a search, one memory in full, its conversations. Reads only.

Every function answers fast enough for a key press: full text and indexes, no model.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from app.notes import Note, note_of
from app.records import Change, Filter, Kind, Link, LinkKind, Record, Source, State, Use
from storage.overview import SessionSpan, session_spans

if TYPE_CHECKING:
    from app.forget import Preview
    from app.memory import Memory

Choice = TypeVar("Choice", bound=StrEnum)

PAGE = 100
SHORT_PREFIX = 2  # a word this short begins too many others to be searched as a beginning
_WORD = re.compile(r"\w+")
_TOKEN = re.compile(r"(?:^|\s)(kind|state|from|by|session|after|before|is):(\S*)")
KIND_WORDS = {"episode": Kind.EPISODIC, "fact": Kind.SEMANTIC, "howto": Kind.PROCEDURAL, "summary": Kind.GIST}
KIND_NAMES = {Kind.EPISODIC: "episode", Kind.SEMANTIC: "fact", Kind.PROCEDURAL: "how-to", Kind.CORE: "portrait",
              Kind.RESOURCE: "document", Kind.TASK: "task", Kind.GIST: "summary"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Asked:
    """A line of search, understood: the words, and the filter that its `name:value` tokens make."""

    words: str
    filter: Filter
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One memory of a page. `score` and `why` are of recall; 0 and "" in a list by time."""

    record: Record
    score: float = 0.0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What a search shows: memories, whether more follow, and how long it took."""

    rows: tuple[Found, ...]
    more: bool
    ms: float
    by: str = "time"  # time | words | meaning


@dataclass(frozen=True, slots=True)
class Origin:
    """A memory that another was derived from, with the span of its text that is quoted (None: all of it)."""

    record: Record
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A memory or an entity at the other end of a link. `name` is its text or its name; `out`: the link leads there."""

    link: Link
    id: str
    name: str
    out: bool
    entity: bool = False


@dataclass(frozen=True, slots=True)
class Detail:
    """Everything that is known about one memory."""

    record: Record
    origins: tuple[Origin, ...]
    neighbours: tuple[Neighbour, ...]
    history: tuple[Change, ...]
    uses: tuple[Use, ...]
    before: tuple[Record, ...]
    after: tuple[Record, ...]
    note: Note


def understand(line: str, now: datetime) -> Asked:
    """Split a line of search into words and tokens, as in `tea kind:fact state:dormant by:Ann after:2024-03 is:true`.

    A token that makes no sense is named in `unknown` and changes nothing.
    """
    filter, unknown = Filter(), []
    for name, value in _TOKEN.findall(line):
        narrowed = _narrowed(filter, name, value, now) if value else filter
        if narrowed is None:
            unknown.append(f"{name}:{value}")
        else:
            filter = narrowed
    return Asked(_TOKEN.sub(" ", line).strip(), filter, tuple(unknown))


def search(memory: Memory, asked: Asked, *, offset: int = 0, limit: int = PAGE) -> Page:
    """The page of a search as it is typed: by words where there are any (the last may be unfinished), else by time."""
    started = time.perf_counter()
    match = expression(asked.words)
    if match:
        found = memory.store.search_text(match, offset + limit + 1, asked.filter)[offset:]
        records = memory.store.by_seq([seq for seq, _ in found])
        rows = [Found(records[seq], score, "words") for seq, score in found if seq in records]
    else:
        listed = memory.store.records(asked.filter, limit=limit + 1, offset=offset)
        rows = [Found(record) for record in listed]
    ms = (time.perf_counter() - started) * 1000
    return Page(tuple(rows[:limit]), len(rows) > limit, ms, "words" if match else "time")


def search_by_meaning(memory: Memory, asked: Asked, now: datetime, limit: int = 50) -> Page:
    """The same question put to recall, with the scores of its channels; loads the embedder on first use."""
    from app.recall.recall import Query, Recall  # numpy

    found = Recall.of(memory).recall(Query(asked.words, now, limit, asked.filter))
    rows = [Found(h.record, h.score, _channels(h.channels)) for h in found.hits]
    return Page(tuple(rows), False, found.ms, "meaning, nothing sure" if found.abstain else "meaning")


def expression(words: str) -> str:
    """The full-text expression for words being typed: all of them, the last one as a beginning. "" for none."""
    terms = _WORD.findall(words[:400])
    quoted = [f'"{term}"' for term in terms]
    if quoted and len(terms[-1]) > SHORT_PREFIX:
        quoted[-1] += "*"
    return " ".join(quoted)


def detail(memory: Memory, id: str) -> Detail:
    """All that is known about one memory. Raises RecordNotFound."""
    store = memory.store
    record = store.get(id)
    neighbours = around(memory, record.id)
    records = store.get_many([n.id for n in neighbours if not n.entity])
    origins = tuple(
        Origin(records[n.id], n.link.start, n.link.end)
        for n in neighbours
        if n.out and n.link.kind == LinkKind.DERIVED_FROM and n.id in records
    )
    near = store.neighbours(record, before=2, after=2) if record.kind == Kind.EPISODIC else []
    return Detail(
        record,
        origins,
        tuple(neighbours),
        tuple(store.journal.changes(record=record.id, newest_first=True, limit=50)),
        tuple(store.uses(record.id)),
        tuple(r for r in near if r.seq < record.seq),
        tuple(r for r in near if r.seq > record.seq),
        note_of(memory, record),
    )


def forget_preview(memory: Memory, ids: Sequence[str]) -> Preview:
    """What forgetting these would erase, and what it would leave. Raises RecordNotFound."""
    from app.forget import preview

    return preview(memory, [memory.store.get(id) for id in ids])


def around(memory: Memory, id: str) -> list[Neighbour]:
    """What is one link away from a memory or an entity, strongest first."""
    links = memory.store.links(id)
    others = [link.dst if link.src == id else link.src for link in links]
    records = memory.store.get_many(others)
    named = {e.id: e.name for e in memory.store.entities()} if set(others) - set(records) else {}
    found = [
        Neighbour(link, other, records[other].text if other in records else named.get(other, other),
                  link.src == id, other not in records)
        for link, other in zip(links, others, strict=True)
    ]  # fmt: skip
    return sorted(found, key=lambda n: (-n.link.weight, n.link.kind, n.id))


def is_empty(memory: Memory) -> bool:
    """Whether nothing was ever kept."""
    return not memory.store.records(limit=1)


def sessions(memory: Memory, limit: int = 100) -> Sequence[SessionSpan]:
    """Conversations, newest first."""
    return session_spans(memory.store.connection, limit)


def turns(memory: Memory, session: str, limit: int = 200) -> list[Record]:
    """The newest turns of a conversation, in the order in which they were said."""
    found = memory.store.records(Filter(session=session), limit=limit)  # by its index; few are not spoken
    return [r for r in found[::-1] if r.kind is Kind.EPISODIC]


def narrowed(asked: Asked, kind: Kind | None, state: State | None) -> Asked:
    """`asked`, narrowed to one kind and one state where its tokens name none."""
    filter = asked.filter
    if kind is not None and not filter.kinds:
        filter = replace(filter, kinds=frozenset({kind}))
    if state is not None and not filter.states:
        filter = replace(filter, states=frozenset({state}))
    return replace(asked, filter=filter)


def _channels(scores: Mapping[str, float]) -> str:
    return " ".join(f"{name} {score:.2f}" for name, score in scores.items() if score)


def _narrowed(filter: Filter, name: str, value: str, now: datetime) -> Filter | None:
    if name == "kind":
        kind = KIND_WORDS.get(value.lower().replace("-", "")) or _member(Kind, value)
        return replace(filter, kinds=filter.kinds | {kind}) if kind else None
    if name == "state":
        state = _member(State, value)
        return replace(filter, states=filter.states | {state}) if state else None
    if name == "from":
        source = _member(Source, value)
        return replace(filter, sources=filter.sources | {source}) if source else None
    if name == "is":
        return replace(filter, as_of=now) if value == "true" else None
    if name in ("after", "before"):
        day = _day(value, now)
        if day is None:
            return None
        return replace(filter, after=day) if name == "after" else replace(filter, before=day)
    return replace(filter, speaker=value) if name == "by" else replace(filter, session=value)


def _member(kind: type[Choice], value: str) -> Choice | None:
    return next((m for m in kind if m.value.startswith(value.lower())), None)


def _day(value: str, now: datetime) -> datetime | None:
    """The start of "2024", "2024-03", "2024-03-02" or "7d" ago, in the zone of `now`; None when it is none of them."""
    if ago := re.fullmatch(r"(\d{1,4})d", value):
        return now - timedelta(days=int(ago[1]))
    parts = re.fullmatch(r"(\d{4})(?:-(\d{1,2}))?(?:-(\d{1,2}))?", value)
    if parts is None:
        return None
    try:
        return datetime(int(parts[1]), int(parts[2] or 1), int(parts[3] or 1), tzinfo=now.tzinfo or UTC)
    except ValueError:
        return None
