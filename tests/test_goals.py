"""Tasks as a tree: order, what waits, what a change leaves stale, and what cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Mem

from app import goals
from app.config import Config, Home, ModelsConfig
from app.errors import AppError, StorageError
from app.memory import Memory
from app.open import open_memory

NOW = datetime(2024, 6, 21, 9, 30, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    fakes = Config(models=ModelsConfig(chat="fake", embed="fake"))
    opened = open_memory(Home(tmp_path / "home", tmp_path / "models"), fakes)
    yield opened
    opened.close()


def shape(memory: Memory, *, all: bool = False) -> list[tuple[int, str]]:
    return [(node.depth, node.task.text) for node in goals.tree(memory.store, all=all)]


def test_a_part_stands_below_its_whole_and_knows_what_it_waits_for(memory: Memory) -> None:
    trip = goals.add(memory, "Plan the trip", NOW)
    dates = goals.add(memory, "Agree on dates", NOW, under=trip.id)
    goals.add(memory, "Paint the fence", NOW)
    flights = goals.add(memory, "Book flights", NOW, under=trip.id, after=[dates.id])
    assert shape(memory) == [
        (0, "Plan the trip"),
        (1, "Agree on dates"),
        (1, "Book flights"),
        (0, "Paint the fence"),
    ]
    waits = {node.task.id: node.waits_for for node in goals.tree(memory.store)}
    assert waits[flights.id] == (dates.id,)
    assert [r.id for r in goals.finish(memory, dates.id, NOW)] == [flights.id]
    assert shape(memory)[1] == (1, "Book flights")
    assert (1, "Agree on dates") in shape(memory, all=True)


def test_a_revision_marks_what_rests_on_it_stale_and_a_look_clears_it(memory: Memory) -> None:
    trip = goals.add(memory, "Plan the trip", NOW)
    dates = goals.add(memory, "Agree on June", NOW, under=trip.id)
    flights = goals.add(memory, "Book flights", NOW, after=[dates.id])
    hotel = goals.add(memory, "Book a hotel", NOW, after=[flights.id])
    other = goals.add(memory, "Paint the fence", NOW)
    touched = goals.revise(memory, dates.id, "Agree on July", NOW)
    assert {r.id for r in touched} == {trip.id, flights.id, hotel.id}
    stale = {node.task.id: node.stale for node in goals.tree(memory.store)}
    assert stale[hotel.id] == f"{dates.id} was reworded"
    assert stale[other.id] == stale[dates.id] == ""
    goals.look_at(memory, hotel.id, NOW)
    assert {n.task.id: n.stale for n in goals.tree(memory.store)}[hotel.id] == ""


def test_a_revision_is_taken_back_in_one(memory: Memory) -> None:
    dates = goals.add(memory, "Agree on June", NOW)
    goals.add(memory, "Book flights", NOW, after=[dates.id])
    before = goals.tree(memory.store)
    goals.revise(memory, dates.id, "Agree on July", NOW)
    run = list(memory.store.journal.changes())[-1].run
    with memory.store.atomic("undo", NOW):
        memory.store.undo(run=run)
    assert goals.tree(memory.store) == before


def test_tasks_cannot_wait_for_each_other(memory: Memory) -> None:
    one = goals.add(memory, "One", NOW)
    two = goals.add(memory, "Two", NOW, after=[one.id])
    three = goals.add(memory, "Three", NOW, after=[two.id])
    for first in (one.id, two.id, three.id):
        with pytest.raises(AppError):
            goals.wait_for(memory, one.id, first, NOW)
    goals.wait_for(memory, three.id, one.id, NOW)


def test_what_is_no_task_is_refused_and_nothing_is_written(memory: Memory) -> None:
    from app import encode

    (note,) = memory.add([encode.turn("A note.", now=NOW)], "say", NOW)
    for bad in (note.id, "mzzzz"):
        with pytest.raises((AppError, StorageError)):
            goals.add(memory, "Child", NOW, under=bad)
    assert shape(memory) == []


def test_the_command_adds_orders_rewords_and_finishes(mem: Mem) -> None:
    first = mem("tasks", "Agree on dates").err.split()[-1].rstrip(".")
    second = mem("tasks", "Book flights", "--after", first).err.split()[-1].rstrip(".")
    assert mem("tasks").out == f"[ ] {first}  Agree on dates\n[ ] {second}  Book flights  (after {first})\n"
    mem("tasks", "Agree on July", "--revise", first)
    assert [(t["text"], t["stale"]) for t in mem("tasks", "--json").json] == [
        ("Agree on July", ""),
        ("Book flights", f"{first} was reworded"),
    ]
    assert f"Can be done now: {second}" in mem("tasks", "--done", first).err
    assert mem("tasks", "--done", first, "--keep", second).code == 2
    assert mem("tasks", "--done", "mzzzz").code == 3
    assert mem("tasks", "--revise", second).code == 2


def test_what_is_due_stands_in_the_home(mem: Mem, home: Path) -> None:
    mem("tasks", "Call the dentist")
    assert "  due " not in mem().out
    memory = open_memory(Home(home, home / "models"))
    (task,) = memory.store.records()
    with memory.store.atomic("test", NOW):
        memory.store.update(replace(task, extra={**task.extra, "due": NOW.isoformat()}))
    memory.close()
    assert f"  due        Call the dentist [{task.id}]" in mem().out
    assert mem("--json").json["due"] == [task.id]
