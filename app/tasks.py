"""Reminders: "remind me to call the dentist on Friday" becomes a task that surfaces when its time or its cue comes.

Read from the words alone; a task is a record like any other, and its day is resolved against the moment it was said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from dateutil.relativedelta import relativedelta

from app.citations import telling
from app.recall.words import stem, words
from app.when import TimeSpan, find_times
from storage.records import Filter, Kind, Link, LinkKind, Record, Source

if TYPE_CHECKING:
    from app.memory import Memory
    from storage.store import Store


@dataclass(frozen=True, slots=True)
class Reminder:
    """What to be reminded of, and when: `due` (aware), or a `cue`, the stems of words that bring it up."""

    what: str
    due: datetime | None = None
    cue: tuple[str, ...] = ()


MORNING = timedelta(hours=8)  # when a whole day's reminder comes up
AGAIN = timedelta(hours=12)  # a reminder that was shown rests for so long
OPEN = "open"
_MEETING = frozenset(
    ("see", "meet", "talk", "speak", "go", "get", "visit", "am", "next", "time", "arrive", "there")
)
PREFIX = "remind me "
_ASKED = re.compile(
    r"^\W*(?:please |can you |could you |would you )*remind (?:me|us)\b\W*(?P<rest>.+)$", re.I | re.S
)
_CUE = re.compile(r"\b(?:when(?:ever)?|next time) (?P<cue>(?:i|we|you|he|she|they|it)\b.+|there\b.+)$", re.I)
_CLOCK = re.compile(r"\b(?:at|by) (?P<hour>\d{1,2})(?:[:.](?P<minute>\d\d))? ?(?P<half>am|pm)?\b", re.I)
_TRAILING = re.compile(r"\b(?:on|at|by|in|for|until|from)\s*$", re.I)
_LEAD = re.compile(r"^\W*(?:to|about|that|of)\b\W*", re.I)


def read(text: str, now: datetime) -> Reminder | None:
    """The reminder that a message asks for, or None. Nothing is asked for without a time or a cue."""
    found = _ASKED.match(text.strip()) if len(text) <= 500 else None
    if found is None or re.match(r"\W*(?:of )?(?:what|who|when|where|how)\b", found["rest"], re.IGNORECASE):
        return None
    rest = found["rest"].strip()
    if (cue := _CUE.search(rest)) is not None:
        parts = tuple(dict.fromkeys(stems(" ".join(sorted(telling(cue["cue"]) - _MEETING)))))
        return (
            Reminder(_bare(rest[: cue.start()]), cue=parts) if parts and _bare(rest[: cue.start()]) else None
        )
    # The prefix tells that what is named lies ahead.
    spans = [s for s in (_ahead(s, now) for s in find_times(f"{PREFIX}{rest}", now)) if s.end > now]
    clock = _CLOCK.search(rest)
    if not spans and clock is None:
        return None
    start = spans[0].start if spans else now.replace(hour=0, minute=0, second=0, microsecond=0)
    whole = not spans or spans[0].precision != "hour"
    due = _at(start, clock, now) if clock or whole else start
    for span in spans[:1]:
        before = _TRAILING.sub("", rest[: max(0, span.begin - len(PREFIX))])
        rest = f"{before} {rest[span.finish - len(PREFIX) :]}"
    return Reminder(_bare(_CLOCK.sub(" ", rest)), due)


def promise(reminder: Reminder) -> str:
    """When it will come up, and what, in words."""
    if reminder.due is None:
        return f"I will remind you when it comes up: {reminder.what}"
    return f"I will remind you on {reminder.due:%A}, {reminder.due.day} {reminder.due:%B %Y at %H:%M}: {reminder.what}"


def keep(memory: Memory, reminder: Reminder, said: Record, now: datetime) -> Record:
    """Store the task, linked to the words that asked for it."""
    task = Record(
        kind=Kind.TASK,
        text=reminder.what,
        source=Source.USER_SAID,
        trust=said.trust,
        event_time=now,
        recorded_at=now,
        speaker=said.speaker,
        session=said.session,
        tz=said.tz,
        importance=6.0,
        derived_by="rule:reminder-1",
        extra={
            "status": OPEN,
            "due": reminder.due.isoformat() if reminder.due else None,
            "cue": list(reminder.cue),
        },
    )
    with memory.store.atomic("remind", now):
        (kept,) = memory.add([task], "remind", now)
        memory.store.link([Link(kept.id, said.id, LinkKind.DERIVED_FROM, start=0, end=len(said.text))])
    return kept


def due(store: Store, text: str, now: datetime) -> list[Record]:
    """Open tasks whose time has come, or whose cue `text` gives, and that were not shown a moment ago."""
    said = set(stems(text))
    return [task for task in open_tasks(store) if _is_due(task, said, now)]


def overdue(store: Store, now: datetime) -> list[Record]:
    """Open tasks whose time has come, the one that has waited longest first."""
    found = [(moment, task) for task in open_tasks(store) if (moment := when(task)) and moment <= now]
    return [task for _, task in sorted(found, key=lambda pair: pair[0])]


def open_tasks(store: Store) -> list[Record]:
    """Tasks that are not done, newest first."""
    found = store.records(Filter(kinds=frozenset({Kind.TASK}), include_superseded=False))
    return [task for task in found if task.extra.get("status", OPEN) == OPEN]


def shown(memory: Memory, tasks: Sequence[Record], now: datetime) -> None:
    """Note that these reminders were shown now."""
    with memory.store.atomic("reminded", now):
        for task in tasks:
            memory.store.update(replace(task, extra={**task.extra, "reminded": now.isoformat()}))


def when(task: Record) -> datetime | None:
    """When a task is due; None for one that waits for a cue or for nothing."""
    moment = task.extra.get("due")
    return datetime.fromisoformat(moment) if moment else None


def stems(text: str) -> list[str]:
    """The words of a text in their common forms."""
    return [stem(word) for word in words(text)]


def _is_due(task: Record, said: set[str], now: datetime) -> bool:
    last = task.extra.get("reminded")
    if last and now - datetime.fromisoformat(last) < AGAIN:
        return False
    moment, cue = when(task), set(task.extra.get("cue") or ())
    return (moment is not None and moment <= now) or (bool(cue) and cue <= said)


def _ahead(span: TimeSpan, now: datetime) -> TimeSpan:
    """A day or month without its year is the next one: "on 3 December"."""
    if span.end > now or span.end < now - timedelta(days=366):
        return span
    year = relativedelta(years=1)
    return replace(span, start=span.start + year, end=span.end + year)


def _at(start: datetime, clock: re.Match[str] | None, now: datetime) -> datetime:
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    if clock is None:
        return max(day + MORNING, now)
    hour = int(clock["hour"]) % 24
    if (clock["half"] or "").lower() == "pm" and hour < 12:
        hour += 12
    moment = day.replace(hour=hour, minute=min(59, int(clock["minute"] or 0)))
    afternoon = moment + timedelta(hours=12)
    if moment > now:
        return moment
    return afternoon if hour < 12 and not clock["half"] and afternoon > now else moment + timedelta(days=1)


def _bare(text: str) -> str:
    return " ".join(_LEAD.sub("", text).split()).strip(" .,!;:")
