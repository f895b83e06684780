"""A question to memory as other programs put it, and its answer with the contract's stable keys.

The same two functions serve one command, a batch of lines and the daemon's socket.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.errors import BadRequest
from app.present import record_keys
from app.records import Filter, Kind, LinkKind, Record

if TYPE_CHECKING:
    from app.memory import Memory

MAX_K = 1000


@dataclass(frozen=True, slots=True)
class Lookup:
    """One question, as of `now` (aware). `id` is the caller's and comes back; `about` names a person or thing."""

    query: str
    now: datetime
    k: int = 10
    id: str | None = None
    about: str | None = None
    filter: Filter = Filter()  # noqa: RUF009  frozen


def lookup_from(value: Any, now: datetime, k: int = 10) -> Lookup:
    """The question that a JSON object holds; `now` and `k` where it names none. Raises BadRequest."""
    if not isinstance(value, Mapping):
        raise BadRequest("A question is a JSON object.", 'For example {"query": "where does Anna live"}.')
    query = value.get("query")
    if not isinstance(query, str):
        raise BadRequest("`query` is missing.", 'For example {"query": "where does Anna live"}.')
    here = _time(value, "now") or now
    k = k if value.get("k") is None else value["k"]
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= MAX_K:
        raise BadRequest(f"`k` is {k!r}.", f"It is a whole number from 1 to {MAX_K}.")
    filter = Filter(
        kinds=_kinds(value.get("kind")),
        session=value.get("session"),
        after=_time(value, "after"),
        before=_time(value, "before"),
        as_of=_time(value, "as_of"),
    )
    id = value.get("id")
    return Lookup(query, here, k, None if id is None else str(id), value.get("about"), filter)


def answer(memory: Memory, lookup: Lookup) -> dict[str, Any]:
    """What memory holds on it, best first. `ms` is the time inside the process, embedding included."""
    from app.forgetting import retrievability
    from app.recall.recall import Query, Recall  # numpy
    from app.uses import DECAY, curve_of

    k = lookup.k if lookup.about is None else MAX_K
    query = Query(lookup.query, lookup.now, k=k, filter=lookup.filter)
    found = Recall.of(memory).recall(query)
    chosen = [
        hit for hit in found.hits if lookup.about is None or _mentions(memory, hit.record, lookup.about)
    ]
    chosen = chosen[: lookup.k]
    sources = sources_of(memory, [hit.record for hit in chosen])
    curve = curve_of(memory.config, memory.store.meta(DECAY))
    hits = [
        _hit(hit, sources.get(hit.record.id, []), retrievability(hit.record, lookup.now, curve))
        for hit in chosen
    ]
    return {"id": lookup.id, "abstain": found.abstain, "ms": round(found.ms, 2), "hits": hits}


def sources_of(memory: Memory, records: Sequence[Record]) -> dict[str, list[str]]:
    """For each derived record, the external ids (else ids) of what it came from; of the others, their own."""
    links = {
        record.id: [link.dst for link in memory.store.links(record.id, LinkKind.DERIVED_FROM, back=False)]
        for record in records
        if record.derived_by is not None
    }
    origins = memory.store.get_many([id for ids in links.values() for id in ids])
    names = {id: origin.external_id or id for id, origin in origins.items()}
    return {
        record.id: [names[id] for id in links.get(record.id, ()) if id in names]
        or ([record.external_id] if record.external_id else [])
        for record in records
    }


def _mentions(memory: Memory, record: Record, name: str) -> bool:
    """Whether a memory is about someone or something: said by them, naming them, or linked to them as an entity."""
    wanted = name.casefold().strip()
    words = f"{record.speaker or ''} {record.text} {record.context} {record.subject or ''}".casefold()
    if re.search(rf"\b{re.escape(wanted)}\b", words):
        return True
    known = {entity.id for entity in memory.store.entities() if wanted in entity.aliases}
    return any(link.dst in known for link in memory.store.links(record.id, LinkKind.MENTIONS, back=False))


def _hit(hit: Any, sources: list[str], strength: float) -> dict[str, Any]:
    return record_keys(hit.record) | {
        "score": round(hit.score, 4),
        "channels": {name: round(value, 4) for name, value in hit.channels.items()},
        "strength": round(strength, 3),
        "sources": sources,
    }


def _kinds(value: Any) -> frozenset[Kind]:
    if value is None:
        return frozenset()
    try:
        return frozenset(Kind(kind) for kind in ([value] if isinstance(value, str) else value))
    except (ValueError, TypeError) as error:
        raise BadRequest(f"There is no kind {value!r}.", f"It is one of: {', '.join(Kind)}.") from error


def _time(value: Mapping[str, Any], key: str) -> datetime | None:
    from app.exchange.items import parse_time

    try:
        return parse_time(value.get(key))
    except ValueError as error:
        raise BadRequest(
            f"`{key}`: {error}.", "Give an ISO 8601 time such as 2024-05-01T00:00:00Z."
        ) from error
