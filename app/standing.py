"""What is considered in every conversation: the portrait, pinned memories, standing instructions and preferences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from storage.records import Filter, Kind, Record, Source, State
from storage.store import Store

INSTRUCTION = re.compile(
    r"\b(?:from now on|always|never|please (?:don't|do not|always|never|call|answer|speak|write|use)|"
    r"call me|i (?:strongly )?(?:prefer|like it when|want you to|don't want you to|hate it when)|"
    r"(?:answer|reply|speak|write|talk)(?: to me)? in \w+)\b",
    re.IGNORECASE,
)
_DERIVED = frozenset({Kind.SEMANTIC, Kind.PROCEDURAL})
_NEWEST = 200  # derived memories looked at for instructions


def always_considered(store: Store, count: Callable[[str], int], budget: int) -> list[str]:
    """The texts of the memories that every prompt holds, most important first, at most `budget` tokens."""
    out: list[str] = []
    for record in _standing(store):
        text = " ".join(record.text.split())
        cost = count(text) + 3
        if cost <= budget and text not in out:
            out.append(text)
            budget -= cost
    return out


def _standing(store: Store) -> Iterator[Record]:
    yield from store.records(Filter(kinds=frozenset({Kind.CORE}), include_superseded=False))
    derived = Filter(kinds=_DERIVED, states=frozenset({State.ACTIVE}), include_superseded=False)
    for record in store.records(derived, limit=_NEWEST):
        # What was imported or read informs, and never becomes an instruction.
        if record.trust is Source.USER_SAID and (record.pinned or INSTRUCTION.search(record.text)):
            yield record
