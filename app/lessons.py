"""Corrections of how things are done: "no, always run the tests first" becomes a lesson that every prompt holds.

Read from the words alone. A lesson is a procedural memory in its user's own words; `mem undo` takes it back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.encode import turn
from app.events import Corrected
from storage.records import Filter, Kind, Link, LinkKind, Record

if TYPE_CHECKING:
    from app.memory import Memory

LONGEST = 240  # characters of a message that is a correction rather than a story
WEIGHT = 8.0
_LEAD = r"^\W*(?:(?:no|nope|wait|stop|sorry|please|ok(?:ay)?|hey|again|but|and|remember)\b[\s,.!:;-]*)*"
_LATER = r"(?:from now on|in (?:the )?future|next time|going forward|as a rule)"
# What one asks of an assistant; of "never" and "always" alone most begin a story ("never been there").
_DOING = (
    r"(?:use|write|answer|reply|respond|say|tell|call|give|make|add|put|include|show|list|run|check|test|ask|start|begin|"
    r"end|keep|format|explain|translate|speak|talk|mention|remind|suggest|propose|assume|repeat|apologi[sz]e|shorten|"
    r"quote|cite|read|do|be|follow|begin|finish|mark|count|round|convert|sign|address|greet|skip|leave)"
)
_GERUND = r"(?:\w+ing)"
_FORMS: tuple[tuple[str, str], ...] = (
    (rf"(?:{_LATER},? )?always (?P<rest>{_DOING}\b.+)$", "Always {rest}"),
    (rf"(?:{_LATER},? )?(?:never|don't ever|do not ever) (?P<rest>{_DOING}\b.+)$", "Never {rest}"),
    (rf"(?:{_LATER},? )?(?:please )?(?:don't|do not) (?P<rest>{_DOING}\b.+)$", "Never {rest}"),
    (rf"(?:please )?(?:stop|quit) (?P<rest>{_GERUND}\b.*)$", "Never go on {rest}"),
    (rf"{_LATER},? (?:please )?(?P<rest>{_DOING}\b.+)$", "Always {rest}"),
    (rf"(?:please )?(?P<rest>{_DOING}\b.+?),? {_LATER}\W*$", "Always {rest}"),
    (rf"(?:you (?:should|must) )(?P<often>always|never) (?P<rest>{_DOING}\b.+)$", "{often} {rest}"),
)
_PATTERNS = tuple((re.compile(_LEAD + form, re.IGNORECASE | re.DOTALL), said) for form, said in _FORMS)
_ONCE = re.compile(
    r"\b(?:today|tonight|tomorrow|this (?:time|once)|right now|yet|worry|mind|forget|bother)\b", re.I
)
_LATELY = re.compile(rf",? {_LATER}\W*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Lesson:
    """How things are to be done from now on, as one plain sentence."""

    text: str


def read(text: str) -> Lesson | None:
    """The lesson that a message is, or None. What is said of one time only is none."""
    words = " ".join(text.strip().replace("’", "'").split())
    if not words or len(words) > LONGEST or words.endswith("?") or _ONCE.search(words):
        return None
    for pattern, said in _PATTERNS:
        if (found := pattern.match(words)) is not None:
            parts = {name: value or "" for name, value in found.groupdict().items()}
            rest = _LATELY.sub("", parts["rest"]).rstrip(" .!")
            sentence = said.format(**(parts | {"rest": f"{rest[:1].lower()}{rest[1:]}"}))
            return Lesson(f"{sentence[0].upper()}{sentence[1:]}.")
    return None


def keep(memory: Memory, lesson: Lesson, said: Record, now: datetime) -> Corrected:
    """Store it beside the words that it comes from; the same lesson is kept once."""
    known = Filter(kinds=frozenset({Kind.PROCEDURAL}), include_superseded=False)
    same = [r for r in memory.store.records(known) if r.text.casefold() == lesson.text.casefold()]
    if same:
        return Corrected(f"Known already: {lesson.text}", (same[0].id,))
    record = replace(
        turn(lesson.text, now=now, speaker=said.speaker, session=said.session),
        kind=Kind.PROCEDURAL,
        trust=said.trust,
        importance=WEIGHT,
        protected="a lesson",
        derived_by="rule:lesson-1",
    )
    with memory.store.atomic("learn", now) as run:
        (kept,) = memory.add([record], "learn", now)
        memory.store.link([Link(kept.id, said.id, LinkKind.DERIVED_FROM, start=0, end=len(said.text))])
    return Corrected(f"Learned: {lesson.text}", (kept.id,), run)
