"""Following a question through memory: where what was found leaves a part of it open, memory is asked again.

Code judges what is open and when it is enough; a model may only propose the words to look for, and only words that
stand in the question or in what was found.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence, Set
from dataclasses import dataclass, replace

from app.citations import telling
from app.events import Called, Evidence
from app.evidence import Gathered
from app.recall.words import stem, words

ROUNDS = 3  # of recall for one question, the first included
OPEN = 2  # words of a question that nothing holds, from which it is worth asking again
BRIDGES = 3  # of the best memories whose names may lead on
FOLLOWED = 4  # memories that one further round may add
Propose = Callable[[str, Sequence[Evidence]], str]
_NAME = re.compile(r"(?<=[a-z,'’] )[A-Z][\w’'-]+")
_ASKING = frozenset(
    "when where why which what who whom whose how many much often long old kind type name".split()
)


@dataclass(frozen=True, slots=True)
class Followed:
    """What was found in all rounds, and the questions that were put to memory after the first."""

    found: Gathered
    calls: tuple[Called, ...] = ()


def follow(
    question: str, first: Gathered, ask: Callable[[str], Gathered], k: int, propose: Propose | None = None
) -> Followed:
    """Ask memory again for what is open, at most until `ROUNDS`; a round that closes nothing ends it.

    `ask` is recall; `propose` is asked for words where no name leads on.
    """
    if first.abstain:
        return Followed(first)
    found, ms, calls = list(first.evidence), first.ms, list[Called]()
    asked = {question}
    while found and len(calls) < ROUNDS - 1 and len(left := open_words(question, found)) >= OPEN:
        query = bridge(question, found, left)
        if (not query or query in asked) and propose is not None:
            query = admitted(propose(question, found), question, found)
        if not query or query in asked:
            break
        asked.add(query)
        more = ask(query)
        ms += more.ms
        known = {e.id for e in found}
        lead = _stems(query) - left  # the name that led here
        new = [e for e in more.evidence if e.id not in known and _closes(e, left, lead)][:FOLLOWED]
        calls.append(Called("recall", query, f"{len(new)} more" if new else "nothing more"))
        if not new:
            break
        found = [*found[: max(1, k - len(new))], *new]
    return Followed(replace(first, evidence=tuple(found), ms=ms), tuple(calls))


def open_words(question: str, found: Sequence[Evidence]) -> set[str]:
    """The telling words of a question, as stems, that nothing found holds."""
    held = _stems(" ".join(f"{e.text} {e.speaker or ''} {e.time:%B %Y %A}" for e in found))
    return {stem(word) for word in telling(question) - _ASKING} - held


def bridge(question: str, found: Sequence[Evidence], left: Collection[str]) -> str:
    """The names that the best memories bring in, with the words that are open; "" where they bring in none."""
    known = _stems(question) | {word for e in found for word in _stems(e.speaker or "")}
    names = [
        name
        for e in found[:BRIDGES]
        for name in dict.fromkeys(_NAME.findall(e.text))
        if stem(name.lower()) not in known and name.lower() not in _ASKING
    ]
    return " ".join([*dict.fromkeys(names[:2]), *sorted(left)]) if names else ""


def admitted(proposed: str, question: str, found: Sequence[Evidence]) -> str:
    """A proposed query without the words that neither the question nor a memory holds."""
    known = _stems(question) | _stems(" ".join(e.text for e in found))
    return " ".join(word for word in proposed.split() if _stems(word) & known)


def _closes(item: Evidence, left: Set[str], lead: Set[str]) -> bool:
    held = _stems(item.text)
    return bool(left & held) and (not lead or bool(lead & held))


def _stems(text: str) -> set[str]:
    return {stem(word) for word in words(text)}
