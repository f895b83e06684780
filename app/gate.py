"""The retrieval gate: does this message need memory? By its meaning where an embedder can tell, else by its words.

When unsure it says yes: a needless recall costs milliseconds and the model's attention, a missed one costs the answer.
The words stand in gate.txt, the head that reads the meaning in gate.json.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.meaning import heard

if TYPE_CHECKING:
    from models.embed import Embedder

NEEDS = Path(__file__).with_suffix(".json")
NEEDED = "need"
LEAST = 0.25  # chance of a need from which on memory is asked
TASK = "a task that needs no memory"  # though how its user wants it done may matter
LOOKED_AT = 600  # characters of a message; its beginning says what it wants


@dataclass(frozen=True, slots=True)
class Need:
    """The verdict. `personal`: a question about the user's own life, to be answered from memory or not at all."""

    recall: bool
    personal: bool
    reason: str


def chance_of_need(text: str, embedder: Embedder | None) -> float | None:
    """How likely the meaning of `text` needs memory, 0..1; None where no head reads it."""
    return heard(NEEDS, text, embedder, LOOKED_AT).get(NEEDED) if embedder is not None else None


def judge(text: str, previous: Need | None = None, chance: float | None = None) -> Need:
    """Whether `text` needs memory, and whether it asks about the user.

    `previous` is the verdict on the turn before, `chance` what `chance_of_need` says; without it words decide alone.
    """
    words = " ".join(text[:LOOKED_AT].replace("’", "'").split())
    if not re.search(r"\w", words):
        return Need(False, False, "nothing was said")
    if _SMALL_TALK.match(words) or _FEELING.match(words):
        return Need(False, False, "small talk")
    if _ARITHMETIC.match(words):
        return Need(False, False, "arithmetic")
    own = _SERVICE.sub(" ", words)
    personal = bool(_FIRST.search(own) or _MEMORY.search(own))
    idle = chance is not None and chance < LEAST
    if _TASK.match(words) and (idle or (chance is None and not personal and not _KNOWN.search(words))):
        return Need(False, False, TASK)
    question = asks(words)
    if question and personal and not idle:
        return Need(True, not _WORLD.search(words), "a question about you")
    if chance is not None and not _FOLLOW_UP.match(words):
        return Need(not idle, False, "nothing of yours is asked for" if idle else "it touches your life")
    worldly = question and _WORLD.search(words)
    if personal or _KNOWN.search(words) or (_NAME.search(words) and not worldly):
        return Need(True, False, "it touches your life")
    if worldly or (_WH.match(words) and _indefinite(words)):
        return Need(False, False, "general knowledge")
    if _FOLLOW_UP.match(words) and previous is not None and len(words.split()) <= 5:
        return Need(previous.recall, False, "it follows up")
    return Need(
        bool(question or _PAST.search(words) or len(words.split()) > 2), False, "it may touch your life"
    )


def asks(text: str) -> bool:
    """Whether a message asks for something rather than tells it."""
    return bool("?" in text or _QUESTION.match(text))


def _indefinite(words: str) -> bool:
    """A question in the indefinite, without a name: "how do magnets work?", "what are black holes?"."""
    return not _NAME.search(words) and re.search(r"\b(?:the|that|this|it)\b", words, re.IGNORECASE) is None


def _sections() -> dict[str, str]:
    """The lists of gate.txt by name, each as one alternation."""
    lists: dict[str, list[str]] = {}
    name = ""
    for line in Path(__file__).with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            lists[name] = []
        elif line and not line.startswith("#"):
            lists[name].append(line)
    return {name: "|".join(lines) for name, lines in lists.items()}


_S = _sections()
_CALL = r"^\W*(?:(?:so|and|but|oh|ah|well|now|please|ok(?:ay)?|hey|hi|hello|yes|no|wow),? )*"
_ASKING = (
    r"(?:who|whom|whose|what|when|where|why|how|which)(?:'s|s|'re)?|do|does|did|is|are|was|were|am|have|has|had|can|"
    r"could|will|would|should|shall|tell me|list|show|count|name|find"
)


def _anywhere(section: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_S[section]})\b", re.IGNORECASE)


_FIRST, _MEMORY, _PAST = _anywhere("first person"), _anywhere("memory"), _anywhere("the past")
_KNOWN, _SERVICE, _WORLD = (
    _anywhere("people and things one knows"),
    _anywhere("service"),
    _anywhere("the world"),
)
_QUESTION = re.compile(rf"{_CALL}(?:{_ASKING})\b", re.IGNORECASE)
_WH = re.compile(rf"{_CALL}(?:what|which|why|how)\b", re.IGNORECASE)
_TASK = re.compile(
    rf"{_CALL}(?:(?:can|could|would|will) you (?:please )?)?(?:{_S['tasks']})\b", re.IGNORECASE
)
_SMALL_TALK = re.compile(
    rf"{_CALL}(?:{_S['small talk']})(?:[\s,.!?;:)]+(?:{_S['after small talk']}|{_S['small talk']}))*\W*$",
    re.IGNORECASE,
)
_FEELING = re.compile(
    rf"^\W*(?:i(?:'m| am| feel)|it(?:'s| is)|what a) (?:(?:so|very|really|a bit|quite|just) )?(?:{_S['feelings']})\b"
    r"[\w\s,]{0,30}[.!]*$",
    re.IGNORECASE,
)
_FOLLOW_UP = re.compile(r"^\W*(?:and|but|so|or|what about|how about|why|when|where|who|how)\b", re.IGNORECASE)
_NAME = re.compile(
    r"(?<=[a-z,'] )(?!(?:I|OK)\b|I'|(?:English|French|German|Spanish|Italian|Portuguese)\b)[A-Z][a-z]+"
)
_ARITHMETIC = re.compile(
    r"^(?:what(?:'s| is) )?[\d\s+*/().,^%x×÷=-]+(?:(?:times|plus|minus|of) [\d\s]+)?\??$", re.I
)
