"""The second hop: by what name the first hits call something that a question asks about, and the other way round. Pure.

"Where does my sister work?" finds "My sister Odile came over", and "Odile has started at the harbour" is then looked
for by her name. Two hops are the most, and no model takes part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from app.recall.traits import KEPT
from app.recall.words import STOP, stem

if TYPE_CHECKING:
    from app.recall.analysis import Analysis
    from app.recall.candidates import Candidates

READ = 8  # of the best candidates, for what they call things
MOST_CHARACTERS = 400  # of each
MOST = 2  # names that are followed
_NAME = r"(?P<name>[A-Z]\w+)"
_OWN = r"(?i:my|our|his|her|their|your)"
_CALLED = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b{_OWN} (?:\w+ )?(?P<thing>[a-z]+),? (?:(?:is|was) )?(?:called|named) {_NAME}",
        rf"\b(?P<thing>[a-z]+) (?:called|named) {_NAME}",
        rf"\b{_OWN} (?:\w+ )?(?P<thing>[a-z]+), {_NAME}(?=,)",
        rf"\b{_NAME}(?:,| is| was) {_OWN} (?:\w+ )?(?P<thing>[a-z]+)",
    )
)
_BESIDE = re.compile(rf"\b{_OWN} (?:\w+ )?(?P<thing>[a-z]+) {_NAME}")  # "my new Flask app" names no new


def second_hop(analysis: Analysis, found: Candidates) -> Analysis | None:
    """The question with the names that it lacks; None where one memory holds all its words, or nothing is named."""
    asked = {stem(word) for word in analysis.terms}
    if not asked or any(asked.issubset(each.stems) for each in found.traits):
        return None
    names: dict[str, str] = {}
    for one, other in _called(analysis, found):
        if stem(one.lower()) in asked and stem(other.lower()) not in asked and other.lower() not in STOP:
            names.setdefault(other, one)
    bare, terms = analysis.bare, analysis.terms
    for name, thing in list(names.items())[:MOST]:
        bare = re.sub(rf"\b({re.escape(thing)})\b", rf"\1 {name}", bare, count=1, flags=re.IGNORECASE)
        terms = (*terms, name.lower())
    return replace(analysis, bare=bare, terms=terms) if names else None


def _called(analysis: Analysis, found: Candidates) -> Iterator[tuple[str, str]]:
    """What the best candidates call by name, thing and name in both directions; of two people only the teller's."""
    speakers = {word for brief in found.briefs for word in (brief.speaker or "").split()}
    for i in np.lexsort((found.seqs, -found.base))[:READ]:
        brief = found.briefs[i]
        if analysis.teller in (None, brief.speaker):
            yield from (pair for pair in _pairs(brief.text) if not speakers.intersection(pair))


@lru_cache(maxsize=KEPT)
def _pairs(text: str) -> tuple[tuple[str, str], ...]:
    """Which two words of a text call the same thing, each as the one that may be asked for."""
    text = text[:MOST_CHARACTERS]
    called = [(match["thing"], match["name"]) for pattern in _CALLED for match in pattern.finditer(text)]
    beside = [(match["thing"], match["name"]) for match in _BESIDE.finditer(text)]
    return (*called, *((name, thing) for thing, name in called), *beside)
