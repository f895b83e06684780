"""The review: what the night was unsure of, and the user's word on it. Each decision is one run that can be undone.

Until decided, both facts stand side by side, linked as a contradiction.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from app.errors import NothingFound
from app.memory import Memory
from app.records import Link, LinkKind, Record, Source
from storage.ledger import Ledger

CONFIRMED = "confirmed by hand"


class Verdict(StrEnum):
    """What the user says to "A. Or now: B"."""

    NEW = "new"  # B replaces A
    OLD = "old"  # A stands, B never was
    BOTH = "both"  # they do not contradict


@dataclass(frozen=True, slots=True)
class Open:
    """A question that waits. `old` stands until decided otherwise; `new` may replace it."""

    id: int
    run: str
    question: str
    old: Record
    new: Record
    asked: datetime


def questions(memory: Memory) -> list[Open]:
    """What waits for a decision, oldest first; a question whose memories were forgotten is left out."""
    found = Ledger(memory.store).questions()
    ids = [str(q.proposal.get(side)) for q in found for side in ("replace", "with")]
    records = memory.store.get_many(ids)
    return [
        Open(
            q.id, q.run, q.question, records[q.proposal["replace"]], records[q.proposal["with"]], q.created_at
        )
        for q in found
        if q.proposal.get("replace") in records and q.proposal.get("with") in records
    ]


def decide(memory: Memory, id: int, verdict: Verdict, now: datetime, words: str | None = None) -> str:
    """Carry out the user's verdict; `words` rewords the new fact first. Returns the run, for `mem undo`.

    Raises NothingFound when no such question is open.
    """
    from app.sleep.reconcile import (
        closed,
        since,
    )  # with the night's rules, which looking at questions does not need

    question = next((q for q in questions(memory) if q.id == id), None)
    if question is None:
        raise NothingFound(f"There is no open question {id}.", "See `mem review`.")
    old, new = question.old, question.new
    if words and words != new.text:
        new = memory.edit(new.id, words, now)
    with _decided(memory, id, verdict, now) as run:
        memory.store.unlink(Link(new.id, old.id, LinkKind.CONTRADICTS))
        if verdict is Verdict.NEW:
            memory.store.update(closed(old, since(new), by=new.id))
            memory.store.link([Link(new.id, old.id, LinkKind.SUPERSEDES)])
        if verdict is Verdict.OLD:
            memory.store.update(closed(new, since(new), by=old.id))
        for kept in {Verdict.NEW: (new,), Verdict.OLD: (old,), Verdict.BOTH: (old, new)}[verdict]:
            memory.store.update(_confirmed(kept))
    return run


@contextmanager
def _decided(memory: Memory, id: int, verdict: Verdict, now: datetime) -> Iterator[str]:
    """One transaction that holds the changes and closes the question."""
    with memory.store.atomic("review", now) as run:
        yield run
        Ledger(memory.store).decide(id, "rejected" if verdict is Verdict.OLD else "accepted", now)


def _confirmed(record: Record) -> Record:
    """A fact that its user vouched for is trusted as their own word, and fades no more."""
    return replace(record, trust=Source.USER_SAID, protected=record.protected or CONFIRMED)
