"""What the night is unsure of, for its user to decide: the known fact, or the one that was said against it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from app.memory import Memory
from app.sleep.reconcile import closed, since
from storage.ledger import Ledger
from storage.records import Link, LinkKind, Record


@dataclass(frozen=True, slots=True)
class Review:
    """One open question: keep `known`, or let `proposed` take its place."""

    id: int
    question: str
    known: Record
    proposed: Record
    asked_at: datetime


def open_reviews(memory: Memory) -> list[Review]:
    """Open questions whose two memories still stand, oldest first."""
    found = []
    for question in Ledger(memory.store).questions():
        known, proposed = question.proposal["replace"], question.proposal["with"]
        records = memory.store.get_many([known, proposed])
        if len(records) == 2 and all(r.superseded_by is None for r in records.values()):
            found.append(
                Review(question.id, question.question, records[known], records[proposed], question.created_at)
            )
    return found


def accept(memory: Memory, review: Review, now: datetime, text: str | None = None) -> str:
    """The proposed fact takes the known one's place, reworded to `text` if given; returns the run for `mem undo`."""
    with memory.store.atomic("review: accept", now) as run:
        Ledger(memory.store).decide(review.id, "accepted", now)
        proposed = memory.store.get(review.proposed.id)
        if text is not None and text != proposed.text:
            proposed = replace(proposed, text=text)
            memory.store.update(proposed)
        known = memory.store.get(review.known.id)
        memory.store.update(closed(known, since(proposed), by=proposed.id))
        memory.store.link([Link(proposed.id, known.id, LinkKind.SUPERSEDES)])
    return run


def reject(memory: Memory, review: Review, now: datetime) -> str:
    """The known fact stays; what was said against it is closed at once. Returns the run for `mem undo`."""
    with memory.store.atomic("review: reject", now) as run:
        Ledger(memory.store).decide(review.id, "rejected", now)
        proposed = memory.store.get(review.proposed.id)
        memory.store.update(closed(proposed, since(proposed), by=review.known.id))
    return run
