"""What the user says about the memory itself: "that's wrong", "not any more", "forget that", "remember this".

Read from the words alone; applied by code to the memories that the last answer rested on, in one run that
`mem undo` takes back. Nothing is erased here: what is put away is only no longer shown.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from app.events import Corrected
from app.procedures import record_outcome
from app.uses import SAID_AGAIN, use
from storage.records import Kind, Link, LinkKind, Record, State

if TYPE_CHECKING:
    from app.memory import Memory


class Wish(StrEnum):
    """What the user wants done."""

    WRONG = "wrong"
    OUTDATED = "outdated"
    FORGET = "forget"
    REMEMBER = "remember"
    GOOD = "good"
    WORKED = "worked"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Correction:
    """A wish, and the words after it: what is right instead, or what to keep ("" for none)."""

    wish: Wish
    rest: str = ""


WEIGHTY = 8.0  # importance of what its user asked to remember
_THAT = r"(?:no\b\W*)?(?:but )?(?:that|this|it|that answer|what you said)"
_BE = r"(?:'s| is| was)"
_SO = r"(?:true|right|so|the case|correct)"
_WORDS: tuple[tuple[Wish, str], ...] = (
    (Wish.REMEMBER, r"(?:please )?(?:remember|note|keep in mind)(?: this| that)?(?:\s*[:,]|(?=\W*$))"),
    (Wish.FORGET, r"(?:please )?forget (?:that|this|it|about (?:that|it))(?: please| again)?(?=\W*$)"),
    (Wish.FORGET, r"(?:please )?(?:don't|do not) remember (?:that|this|it)(?=\W*$)"),
    (Wish.OUTDATED, rf"{_THAT}{_BE} (?:not|no longer) {_SO} any ?more"),
    (Wish.OUTDATED, rf"{_THAT}{_BE} (?:no longer {_SO}|no longer valid|out ?dated|old news)"),
    (Wish.OUTDATED, r"(?:no\b\W*)?not any ?more(?=\W|$)"),
    (Wish.FAILED, rf"{_THAT} (?:didn't|did not|doesn't|does not|hasn't) (?:work|help)(?:ed)?(?=\W|$)"),
    (Wish.WORKED, rf"(?:yes\b\W*)?{_THAT} (?:worked|works|helped|did the trick)(?=\W|$)"),
    (Wish.WRONG, rf"{_THAT}{_BE} (?:wrong|incorrect|false|a mistake|not {_SO}|not it)"),
    (Wish.WRONG, rf"{_THAT} (?:isn't|wasn't) {_SO}"),
    (Wish.WRONG, r"(?:no\b\W*)?(?:you're|you are) wrong|wrong(?=\W|$)"),
    (Wish.GOOD, r"👍|(?:that|this)(?:'s| is) (?:right|correct|true)(?=\W*$)|(?:correct|exactly)(?=\W*$)"),
)
_PATTERNS = tuple(
    (wish, re.compile(rf"^\W*(?:{words})\W*(?P<rest>.*)$", re.IGNORECASE | re.DOTALL))
    for wish, words in _WORDS
)
OUTCOMES = {
    Wish.GOOD: True,
    Wish.WORKED: True,
    Wish.WRONG: False,
    Wish.FAILED: False,
}  # of a way to do something
LONGEST = 400  # characters; a longer message tells a story


def read(text: str) -> Correction | None:
    """The correction that a message is, or None."""
    words = text.strip().replace("’", "'")
    if len(words) > LONGEST:
        return None
    if "👎" in words and len(words) < 5:
        return Correction(Wish.WRONG)
    for wish, pattern in _PATTERNS:
        if (found := pattern.match(words)) is not None:
            return Correction(wish, found["rest"].strip())
    return None


def carry_out(
    memory: Memory,
    correction: Correction,
    targets: Sequence[str],
    said: str | None,
    session: str,
    now: datetime,
) -> Corrected | None:
    """Do it to the memories with the ids `targets`; `said` is the record of the user's own words.

    None when there is nothing that it could mean: then the message is an ordinary one.
    """
    if correction.wish is Wish.REMEMBER:
        targets = (said,) if correction.rest and said else targets
    found = list(memory.store.get_many(targets).values())
    if not found:
        return None
    ways = [record for record in found if record.kind is Kind.PROCEDURAL]
    if ways and correction.wish in OUTCOMES:
        return _tried(memory, ways, OUTCOMES[correction.wish], now)
    if correction.wish in (Wish.WORKED, Wish.FAILED):
        return None
    ids = tuple(record.id for record in found)
    if correction.wish is Wish.GOOD:
        use(memory, ids, SAID_AGAIN, session, now)
        return Corrected("Confirmed", ids)
    with memory.store.atomic("correct", now) as run:
        for record in found:
            new = changed(record, correction.wish, now)
            if said and correction.rest and correction.wish in (Wish.WRONG, Wish.OUTDATED):
                memory.store.link([Link(said, record.id, LinkKind.SUPERSEDES)])
                new = replace(new, superseded_by=said)
            memory.store.update(new)
    return Corrected(_done(correction.wish, ids), ids, run)


def _tried(memory: Memory, ways: Sequence[Record], worked: bool, now: datetime) -> Corrected:
    """Note how it went; a way that failed once is not wrong, it is known to have failed."""
    with memory.store.atomic("outcome", now) as run:
        for way in ways:
            record_outcome(memory, way.id, worked, now)
    return Corrected(
        "It worked: noted" if worked else "It did not work: noted", tuple(w.id for w in ways), run
    )


def changed(record: Record, wish: Wish, now: datetime) -> Record:
    """The record after a correction of it."""
    if wish is Wish.REMEMBER:
        protected = record.protected or "asked to remember"
        return replace(record, pinned=True, protected=protected, importance=max(record.importance, WEIGHTY))
    noted = {**record.extra, wish.value: now.isoformat()}
    if wish is Wish.FORGET:
        return replace(record, state=State.ARCHIVED, pinned=False, extra=noted)
    never = record.valid_from or record.event_time  # what is wrong was true at no time
    return replace(record, valid_to=never if wish is Wish.WRONG else now, extra=noted)


def _done(wish: Wish, ids: Sequence[str]) -> str:
    names = " ".join(ids)
    return {
        Wish.REMEMBER: f"Kept for good: {names}",
        Wish.FORGET: f"Put away: {names}; erase for good with /forget {names}",
        Wish.WRONG: f"No longer taken as true: {names}",
        Wish.OUTDATED: f"True until now, and not any more: {names}",
    }[wish]


def reply_to(correction: Correction) -> str:
    """What to say to it, without asking a model."""
    asked = {
        Wish.REMEMBER: "I will remember that.",
        Wish.FORGET: "I have put that away and will not bring it up again.",
        Wish.WRONG: "Thank you, I will not take that as true any more. What is right?",
        Wish.OUTDATED: "Understood, that is over. What is true now?",
        Wish.GOOD: "Good to know.",
        Wish.WORKED: "Good to know.",
        Wish.FAILED: "I have noted that it did not work.",
    }[correction.wish]
    told = "Thank you, I have noted what is right."
    return told if correction.rest and correction.wish in (Wish.WRONG, Wish.OUTDATED) else asked
