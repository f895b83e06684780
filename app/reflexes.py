"""What the assistant does and says without a model: corrections, lessons, reminders, and counts from the records."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app import corrections, exact, lessons, tasks
from app.corrections import Wish
from app.events import Answered, Event, Evidence

if TYPE_CHECKING:
    from app.memory import Memory


@dataclass(frozen=True, slots=True)
class Reflex:
    """A reply by code: its words, why no model was asked, what happened, and what it rests on.

    `hides` are turns that must not stand in the window any longer, because they say what is not so.
    """

    text: str
    reason: str
    events: tuple[Event, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    hides: tuple[str, ...] = ()


def counted(memory: Memory, text: str, now: datetime) -> Reflex | None:
    """The reply to a question of number; None for any other message."""
    found = exact.answer(memory.store, text, now)
    return None if found is None else Reflex(found.text, "counted from the records", evidence=found.evidence)


def reflex(
    memory: Memory,
    text: str,
    said: str,
    last: Answered,
    shown: Sequence[Evidence],
    session: str,
    now: datetime,
) -> Reflex | None:
    """The reply to a correction, a lesson, a wish to be reminded, or a question of number; None for any other message.

    `said` is the record of the message; `last` and `shown` are the answer before it and what that was given.
    """
    return (
        _corrected(memory, text, said, last, shown, session, now)
        or _taught(memory, text, said, now)
        or _reminding(memory, text, said, now)
        or counted(memory, text, now)
    )


def _corrected(
    memory: Memory,
    text: str,
    said: str,
    last: Answered,
    shown: Sequence[Evidence],
    session: str,
    now: datetime,
) -> Reflex | None:
    correction = corrections.read(text)
    if correction is None:
        return None
    targets = last.used or tuple(e.id for e in shown[:1])
    if correction.wish in (Wish.REMEMBER, Wish.FORGET) and not targets:
        targets = last.stored[:1]  # what its user said just before
    done = corrections.carry_out(memory, correction, targets, said, session, now)
    if done is None:
        return None
    unsaid = correction.wish in (Wish.WRONG, Wish.OUTDATED, Wish.FORGET)
    hides = (*done.ids, *last.stored[1:]) if unsaid else ()
    return Reflex(corrections.reply_to(correction), "a correction", (done,), hides=hides)


def _taught(memory: Memory, text: str, said: str, now: datetime) -> Reflex | None:
    lesson = lessons.read(text)
    if lesson is None:
        return None
    done = lessons.keep(memory, lesson, memory.store.get(said), now)
    return Reflex(f"Understood. From now on: {lesson.text}", "a lesson", (done,))


def _reminding(memory: Memory, text: str, said: str, now: datetime) -> Reflex | None:
    reminder = tasks.read(text, now)
    if reminder is None:
        return None
    kept = tasks.keep(memory, reminder, memory.store.get(said), now)
    return Reflex(f"{tasks.promise(reminder)} [{kept.id}].", "a reminder")
