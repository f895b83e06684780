"""From hits to the block that a prompt holds, within a budget: oldest first, whole sentences, no repetition."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.evidence import fenced, of_record
from app.recall.recall import Query, Recall

if TYPE_CHECKING:
    from app.lookup import Lookup
    from app.memory import Memory

MOST_HITS = 40


@dataclass(frozen=True, slots=True)
class Block:
    """The evidence as text, what it costs (about; counted without a model) and the ids of the memories in it."""

    text: str
    tokens: int
    sources: tuple[str, ...]


def packed(memory: Memory, lookup: Lookup, budget: int) -> Block:
    """The block for one question; empty when recall abstains."""
    query = Query(lookup.query, lookup.now, k=MOST_HITS, filter=lookup.filter)
    found = Recall(memory.store, memory.embedder).recall(query)
    if found.abstain:
        return Block("", 0, ())
    evidence = [of_record(hit.record, lookup.now, hit.score) for hit in found.hits]
    text, kept = fenced([replace(e) for e in evidence], budget, about_tokens)
    return Block(text, about_tokens(text) if text else 0, tuple(e.id for e in kept))


def about_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    words = len(re.findall(r"\w+", text))
    marks = len(re.findall(r"[^\w\s]", text))
    return max(words + marks, math.ceil(len(text.encode("utf-8", "replace")) / 4))
