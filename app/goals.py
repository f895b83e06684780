"""Tasks as a tree: what is part of what, what must come first, and what a change leaves doubtful.

A task is a record; `part_of` and `depends_on` links hold the tree. What rests on a task that was reworded is stale
until its user has looked at it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.encode import turn
from app.errors import BadRequest
from app.tasks import OPEN
from storage.records import Filter, Kind, Link, LinkKind, Record, State

if TYPE_CHECKING:
    from app.memory import Memory
    from storage.store import Store

DONE = "done"
STALE = "stale"
_LIVE = Filter(
    kinds=frozenset({Kind.TASK}),
    states=frozenset({State.ACTIVE, State.DORMANT}),
    include_superseded=False,
)


@dataclass(frozen=True, slots=True)
class Node:
    """A task in its place. `waits_for` are the open tasks that must come first; `stale` says what changed below it."""

    task: Record
    depth: int
    waits_for: tuple[str, ...]

    @property
    def done(self) -> bool:
        return status_of(self.task) == DONE

    @property
    def stale(self) -> str:
        return str(self.task.extra.get(STALE, ""))


def status_of(task: Record) -> str:
    """ "open" or "done"."""
    return str(task.extra.get("status", OPEN))


def add(memory: Memory, text: str, now: datetime, *, under: str = "", after: Sequence[str] = ()) -> Record:
    """A new task, part of `under`, to be done after the tasks `after`. Raises RecordNotFound, BadRequest."""
    links = [(id, LinkKind.DEPENDS_ON) for id in after] + ([(under, LinkKind.PART_OF)] if under else [])
    for id, _ in links:
        task_of(memory.store, id)
    task = replace(turn(text, now=now), kind=Kind.TASK, extra={"status": OPEN}, protected="written by hand")
    with memory.store.atomic("task", now):
        (kept,) = memory.add([task], "task", now)
        memory.store.link([Link(kept.id, id, kind) for id, kind in links])
    return kept


def wait_for(memory: Memory, id: str, first: str, now: datetime) -> None:
    """`first` must be done before `id`. Raises BadRequest where that would go round in a circle."""
    for known in (id, first):
        task_of(memory.store, known)
    if id == first or id in {r.id for r in _needs(memory.store, first)}:
        raise BadRequest(f"{first} waits for {id} already.", "Two tasks cannot wait for each other.")
    with memory.store.atomic("task", now):
        memory.store.link([Link(id, first, LinkKind.DEPENDS_ON)])


def finish(memory: Memory, id: str, now: datetime, *, done: bool = True) -> list[Record]:
    """Mark a task done, or open again; returns the tasks that wait for nothing else now. Raises RecordNotFound."""
    task = task_of(memory.store, id)
    with memory.store.atomic("task", now):
        memory.store.update(replace(task, extra={**task.extra, "status": DONE if done else OPEN}))
    waiting = [r for r in _linked(memory.store, id, LinkKind.DEPENDS_ON, out=False) if status_of(r) == OPEN]
    return [r for r in waiting if not _open_needs(memory.store, r)]


def revise(memory: Memory, id: str, text: str, now: datetime) -> list[Record]:
    """Reword a task; everything that depends on it, or that it is part of, is stale now and returned."""
    task_of(memory.store, id)
    with memory.store.atomic("task", now):
        new = memory.edit(id, text, now)
        memory.store.update(_fresh(new))
        touched = dependants(memory.store, id)
        for record in touched:
            memory.store.update(replace(record, extra={**record.extra, STALE: f"{id} was reworded"}))
    return touched


def look_at(memory: Memory, id: str, now: datetime) -> Record:
    """The user has seen that a task still stands: it is stale no more. Raises RecordNotFound."""
    task = _fresh(task_of(memory.store, id))
    with memory.store.atomic("task", now):
        memory.store.update(task)
    return task


def dependants(store: Store, id: str) -> list[Record]:
    """The open tasks that rest on this one, however far: those that wait for it, and those that it is part of."""
    found: dict[str, Record] = {}
    edge = [id]
    while edge:
        here = edge.pop()
        above = _linked(store, here, LinkKind.PART_OF, out=True)
        for record in (*_linked(store, here, LinkKind.DEPENDS_ON, out=False), *above):
            if record.id != id and record.id not in found and status_of(record) == OPEN:
                found[record.id] = record
                edge.append(record.id)
    return list(found.values())


def tree(store: Store, *, all: bool = False) -> list[Node]:
    """The open tasks (with `all`, also those done or put away), each below what it is part of, the oldest first."""
    asked = Filter(kinds=frozenset({Kind.TASK})) if all else _LIVE
    tasks = {t.id: t for t in store.records(asked, newest_first=False) if all or status_of(t) == OPEN}
    parents = {id: _parent(store, id, tasks) for id in tasks}

    def below(parent: str, depth: int) -> Iterator[Node]:
        for id, task in tasks.items():
            if parents[id] == parent:
                yield Node(task, depth, tuple(r.id for r in _open_needs(store, task)))
                yield from below(id, depth + 1)

    return list(below("", 0))


def task_of(store: Store, id: str) -> Record:
    """The task with this id. Raises RecordNotFound, and BadRequest for a memory of another kind."""
    record = store.get(id)
    if record.kind is not Kind.TASK:
        raise BadRequest(f"{id} is no task.", "`mem tasks` lists them.")
    return record


def _parent(store: Store, id: str, tasks: dict[str, Record]) -> str:
    above = [r.id for r in _linked(store, id, LinkKind.PART_OF, out=True) if r.id in tasks]
    return above[0] if above else ""


def _open_needs(store: Store, task: Record) -> list[Record]:
    return [r for r in _linked(store, task.id, LinkKind.DEPENDS_ON, out=True) if status_of(r) == OPEN]


def _needs(store: Store, id: str) -> list[Record]:
    """Everything that must come before a task, however far."""
    found: dict[str, Record] = {}
    edge = [id]
    while edge:
        for record in _linked(store, edge.pop(), LinkKind.DEPENDS_ON, out=True):
            if record.id not in found:
                found[record.id] = record
                edge.append(record.id)
    return list(found.values())


def _linked(store: Store, id: str, kind: LinkKind, *, out: bool) -> list[Record]:
    """The tasks at the other end of the links from (`out`) or to this one."""
    links = store.links(id, kind, back=False) if out else store.links(id, kind, out=False)
    found = store.get_many([link.dst if out else link.src for link in links])
    return [r for r in found.values() if r.kind is Kind.TASK]


def _fresh(task: Record) -> Record:
    return replace(task, extra={key: value for key, value in task.extra.items() if key != STALE})
