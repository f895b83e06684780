"""What a proposed fact means for what is known: add, confirm, supersede, file as past, or ask. Decided by code alone.

Facts are bi-temporal: `valid_from`/`valid_to` is when they were true, `recorded_at` when that was learnt. Nothing is
deleted; a closed fact keeps its interval and the link from the fact that took its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from app.guard.trust import outranks
from app.sleep.proposals import Proposal
from app.sleep.rules import is_single_valued
from storage.records import Record, Source


class Verdict(Enum):
    """What to do with a proposal."""

    ADD = "added"
    SAME = "said again"
    SUPERSEDE = "supersedes"
    CORRECT = "corrects"
    PAST = "was true before"
    ASK = "contradicts"
    END = "ends"


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict and the known fact that it is about (none for ADD)."""

    verdict: Verdict
    known: Record | None = None


LATELY = timedelta(days=62)
BY_HAND = frozenset({Source.USER_SAID, Source.USER_FILE})


def decide(proposal: Proposal, known: Sequence[Record]) -> Decision:
    """The decision on `proposal`, given every fact of its slot, closed ones too, oldest first."""
    for fact in known:
        if same_value(proposal, fact) and _covers(fact, proposal.since):
            if proposal.ends:
                return Decision(Verdict.ASK if outranks(fact.trust, proposal.trust) else Verdict.END, fact)
            if not outranks(proposal.trust, fact.trust):  # the user's own word stands on its own
                return Decision(Verdict.SAME, fact)
    if proposal.ends:
        return Decision(Verdict.ADD)
    if proposal.attribute is None or not is_single_valued(proposal.attribute):
        return Decision(Verdict.ADD)
    live = [fact for fact in known if fact.valid_to is None and fact.superseded_by is None]
    if not live:
        return Decision(Verdict.ADD)
    newest = live[-1]
    if is_guarded(newest) or outranks(newest.trust, proposal.trust):
        return Decision(Verdict.ASK, newest)
    if proposal.is_correction and proposal.valid_from is None:
        return Decision(Verdict.CORRECT, newest)
    moment = _standing_at(proposal.since, proposal.said_at)
    if moment >= _standing_at(since(newest), newest.event_time):
        return Decision(Verdict.SUPERSEDE, newest)
    later = next(fact for fact in known if _standing_at(since(fact), fact.event_time) > moment)
    if outranks(proposal.trust, later.trust):
        return Decision(Verdict.ASK, later)
    return Decision(Verdict.PAST, later)


def since(fact: Record) -> datetime:
    """When a fact began to be true, as far as is known."""
    return fact.valid_from or fact.event_time


def is_guarded(fact: Record) -> bool:
    """Whether only its user may have this fact replaced: pinned, or written by hand."""
    return fact.pinned or (fact.source in BY_HAND and fact.derived_by is None)


def same_value(proposal: Proposal, fact: Record) -> bool:
    """Whether both say the same of their slot; without values, whether the words are the same.

    Where a slot holds one value, "Porto" and "Porto, Portugal" are one.
    """
    known = fact.extra.get("value")
    if not (proposal.value and known):
        return plain(proposal.text) == plain(fact.text)
    one, other = plain(proposal.value), plain(str(known))
    if proposal.attribute is not None and is_single_valued(proposal.attribute):
        return f"{one} ".startswith(f"{other} ") or f"{other} ".startswith(f"{one} ")
    return one == other


def plain(text: str) -> str:
    """Letters and digits in lower case, without articles: what two wordings of one value share."""
    words = re.findall(r"\w+", text.casefold())
    return " ".join(w for w in words if w not in ("a", "an", "the", "my", "our"))


def closed(fact: Record, at: datetime, by: str) -> Record:
    """`fact`, true until `at`, when the fact with the id `by` took its place."""
    return replace(fact, valid_to=max(at, since(fact)), superseded_by=by)


def _standing_at(begin: datetime, said: datetime) -> datetime:
    """The moment by which two facts are ordered. What began lately was true when it was said: "we moved last month"
    is newer than what was said a week before it; "in 2019" is not."""
    return said if timedelta(0) <= said - begin <= LATELY else begin


def _covers(fact: Record, moment: datetime) -> bool:
    """Whether a fact still stood, or began only later, at that moment: then hearing it tells nothing new."""
    return fact.valid_to is None or moment < fact.valid_to
