"""From hits to the block that a prompt holds, within a budget: oldest first, whole sentences, nothing said twice."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.evidence import FOOT, HEAD, day, line, of_record
from app.recall.recall import Query, Recall
from app.recall.words import stem, stems

if TYPE_CHECKING:
    from datetime import datetime

    from app.events import Evidence
    from app.lookup import Lookup
    from app.memory import Memory
    from app.records import Record

MOST_HITS = 50
LONG = 120  # words; of what is longer only the telling sentences stand in a block
ALIKE = 0.85  # share of words in common above which two notes say the same
_SENTENCE = re.compile(r"(?<=[.!?。！？])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Block:
    """The evidence as text, what it costs (about; counted without a model) and the ids of the memories in it."""

    text: str
    tokens: int
    sources: tuple[str, ...]


def packed(memory: Memory, lookup: Lookup, budget: int) -> Block:
    """The block for one question; empty when recall abstains or nothing fits."""
    query = Query(lookup.query, lookup.now, k=MOST_HITS, filter=lookup.filter)
    found = Recall.of(memory).recall(query)
    if found.abstain:
        return Block("", 0, ())
    asked = frozenset(stem(word) for word in found.analysis.terms)
    return block([hit.record for hit in found.hits[: found.enough]], lookup.now, budget, asked)


def block(
    records: Sequence[Record], now: datetime, budget: int, asked: frozenset[str] = frozenset()
) -> Block:
    """Those of `records` (best first) that fit `budget` tokens, oldest first.

    Of a long one the sentences that have most of what was `asked` (stems) are kept; it is cut after a sentence only.
    """
    kept: list[tuple[Evidence, str]] = []
    left = budget - about_tokens(f"{HEAD}\n\n{FOOT}")
    for record in distinct(records):
        item = of_record(record, now)
        until = f" Until {day(record.valid_to)}." if not item.current and record.valid_to else ""
        for text in shorter(telling(item.text, asked)):
            note = line(replace(item, text=text)) + until
            if about_tokens(note) + 1 <= left:
                kept.append((item, note))
                left -= about_tokens(note) + 1
                break
    if not kept:
        return Block("", 0, ())
    kept.sort(key=lambda pair: (pair[0].time, pair[0].id))
    text = "\n".join([HEAD, *(note for _, note in kept)])
    return Block(text, about_tokens(text), tuple(item.id for item, _ in kept))


def distinct(records: Sequence[Record]) -> Iterator[Record]:
    """The records without those that say what a better one said already."""
    told: list[frozenset[str]] = []
    for record in records:
        words = frozenset(stems(record.text))
        if not any(_alike(words, other) for other in told):
            told.append(words)
            yield record


def telling(text: str, asked: frozenset[str]) -> str:
    """The sentences of a long text that share most with the question, in their order; a short one as it is."""
    sentences = [part for part in _SENTENCE.split(text.strip()) if part]
    sizes = [len(sentence.split()) for sentence in sentences]
    if not asked or sum(sizes) <= LONG:
        return text
    shared = [len(asked.intersection(stems(sentence))) for sentence in sentences]
    kept, left = set[int](), LONG
    for place in sorted(range(len(sentences)), key=lambda i: (-shared[i], i)):
        if sizes[place] <= left:
            kept.add(place)
            left -= sizes[place]
    return " ".join(sentences[place] for place in sorted(kept)) or text


def shorter(text: str) -> Iterator[str]:
    """The text, then without its last sentence, and so on to its first."""
    sentences = [part for part in _SENTENCE.split(text.strip()) if part]
    yield text
    for many in range(len(sentences) - 1, 0, -1):
        yield " ".join(sentences[:many])


def about_tokens(text: str) -> int:
    """Tokens of a text, rather too many than too few."""
    words = len(re.findall(r"\w+", text))
    marks = len(re.findall(r"[^\w\s]", text))
    return max(words + marks, math.ceil(len(text.encode("utf-8", "replace")) / 4))


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one) and len(one & other) >= ALIKE * len(one | other)
