"""Taking back the last turn of a conversation, so that it can be answered again or said in other words.

The journal undoes what the turn wrote: its words, its answer, the uses it counted, what it corrected or planned.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

from app.errors import NothingFound, Refused
from storage.records import Change, Filter, Kind

if TYPE_CHECKING:
    from app.assistant import Assistant
    from storage.store import Store

LOOKED_AT = 50  # newest turns among which the user's last words are looked for
CORRECTED = frozenset({"correct", "outcome"})  # what only a turn does, and where no row names the turn


def take_back(assistant: Assistant, now: datetime) -> str:
    """Undo the last turn, in memory and in the window; returns the user's words.

    Raises NothingFound where nothing was said yet, Refused where a night has made something of it already, and
    StorageError where a later change stands on it.
    """
    if assistant.session is not None and not assistant.incognito:
        _undo(assistant.memory.store, assistant.session, now)
    words = assistant.window.take_back()
    if not words:
        raise NothingFound("Nothing was said in this conversation yet.", "Say something first.")
    return words


def _undo(store: Store, session: str, now: datetime) -> None:
    turns = store.records(Filter(kinds=frozenset({Kind.EPISODIC}), session=session), limit=LOOKED_AT)
    inserted = (next(store.journal.changes(record=turn.id)) for turn in turns if turn.role == "user")
    said = next((change for change in inserted if change.action == "say"), None)
    if said is None:
        raise NothingFound("Nothing was said here that could be taken back.", "See `mem log` and `mem undo`.")
    runs = _runs(list(store.journal.changes(after=said.seq - 1)), session)
    with store.atomic("undo", now):
        for run in reversed(runs):
            store.undo(run=run)


def _runs(changes: list[Change], session: str) -> list[str]:
    """The runs that a turn wrote, oldest first; `changes` are all from the one that stored its words."""
    answers = [c.key for c in changes if c.action == "answer" and (c.after or {}).get("session") == session]
    names = [key.strip("[]") for key in (changes[0].key, *answers)]
    runs = list(dict.fromkeys(c.run for c in changes if _belongs(c, names, session)))
    if any(c.run in runs and c.action.startswith("sleep") for c in changes):
        hint = "Say what is right instead, and the next night takes it up."
        raise Refused("A night has made something of that turn already.", hint)
    return runs


def _belongs(change: Change, names: list[str], session: str) -> bool:
    """Whether a change names the turn's words or its answer, counts a use in it, or corrects what it spoke of."""
    if change.action == "undo":
        return False
    if change.table == "uses":
        return bool(json.loads(change.key)[1] == session)
    told = change.key + json.dumps(change.after)
    return change.action in CORRECTED or any(name in told for name in names)
