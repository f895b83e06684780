"""What was changed, run by run, for faces to list and to undo."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.errors import NothingFound
from app.memory import Memory
from app.records import Change

UNNOTICED = ("use",)  # actions that happen while reading; nobody means them by "the last change"


@dataclass(frozen=True, slots=True)
class Run:
    """One command or one night: when it ended, which verbs it used, how many rows it changed."""

    run: str
    at: datetime
    actions: str
    changes: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One changed row in words."""

    seq: int
    at: datetime
    action: str
    what: str
    summary: str


def runs(memory: Memory, limit: int) -> list[Run]:
    """The newest runs."""
    return [Run(run, at, actions, count) for run, at, actions, count in memory.store.journal.runs(limit)]


def entries(memory: Memory, run: str, limit: int) -> list[Entry]:
    """The changes of a run, newest first."""
    return [_entry(c) for c in memory.store.journal.changes(run=run, limit=limit, newest_first=True)]


def last_run(memory: Memory) -> str:
    """The newest run that somebody meant. Raises NothingFound."""
    for run in memory.store.journal.runs(100):
        if run[2] not in UNNOTICED:
            return run[0]
    raise NothingFound("Nothing was changed yet.", "See `mem log`.")


def count_changes(memory: Memory, name: str) -> int:
    """How many rows `undo` would change. Raises NothingFound."""
    count = sum(1 for _ in memory.store.journal.changes(**_named(name)))
    if not count:
        raise NothingFound(f"There is no run or entry {name!r}.", "See `mem log`.")
    return count


def undo(memory: Memory, name: str, now: datetime) -> int:
    """Reverse a run ("r7k2") or an entry ("812"); returns how many rows changed. Raises StorageError."""
    from app.sleep.vectors import (
        drop_vectors,
    )  # with the night's modules, which looking at the journal does not need

    count_changes(memory, name)
    reworded = [
        json.loads(change.key)[0]
        for change in memory.store.journal.changes(**_named(name))
        if change.table == "records" and change.after and {"text", "context"} & (change.before or {}).keys()
    ]
    with memory.store.atomic("undo", now):
        count = memory.store.undo(**_named(name))
        if again := list(memory.store.get_many(reworded).values()):
            drop_vectors(memory, again)  # they are of the words that were taken back
    if again:
        memory.sharpen(again, now)
    return count


def run_keys(run: Run) -> dict[str, Any]:
    """A run as other programs see it."""
    return {"run": run.run, "time": run.at.isoformat(), "action": run.actions, "changes": run.changes}


def entry_keys(entry: Entry) -> dict[str, Any]:
    """An entry as other programs see it."""
    return {
        "entry": entry.seq,
        "time": entry.at.isoformat(),
        "action": entry.action,
        "what": entry.what,
        "change": entry.summary,
    }


def difference(change: Change) -> str:
    """What a change did, in words."""
    if change.before is None and change.after is None:
        return "forgotten"
    if change.before is None:
        return f"added {_words(change.after)}".rstrip()
    if change.after is None:
        return f"removed {_words(change.before)}".rstrip()
    return "; ".join(f"{name}: {change.before.get(name)} -> {value}" for name, value in change.after.items())


def _entry(change: Change) -> Entry:
    key: Sequence[Any] = json.loads(change.key)
    what = f"{change.table.rstrip('s')} {' '.join(map(str, key))}"
    return Entry(change.seq, change.at, change.action, what, difference(change))


def _words(row: Any) -> str:
    return str(row.get("text") or row.get("name") or "")


def _named(name: str) -> dict[str, Any]:
    return {"seq": int(name)} if name.isdigit() else {"run": name}
