"""The note on a memory: read off what the nights linked, refined by later memories, gone with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from nights import NOW, live, opened

from app.forget import forget, preview
from app.journal import undo
from app.memory import Memory
from app.notes import Level, note_keys, note_of, telling
from app.sleep.episodes import segment, titles
from app.sleep.night import sleep
from app.traces import places
from storage.journal import state_hash
from storage.records import Filter, Kind, Record

WALK = (
    "We walked along the harbour in the evening.",
    "The harbour smelled of tar and the ferries blew their horns.",
    "I live in Rome and the harbour is far away.",
    "A gull stole my sandwich right from the bench.",
    "We sat on that bench until the lamps came on.",
)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = opened(tmp_path)
    yield memory
    memory.close()


def told(memory: Memory, session: str, days: float, *words: str) -> list[Record]:
    return live(memory, [(session, days, each) for each in words])


def fact(memory: Memory, word: str) -> Record:
    return next(r for r in memory.store.records(Filter(kinds=frozenset({Kind.SEMANTIC}))) if word in r.text)


def test_a_note_says_who_when_and_about_what_and_words_stay_as_they_were(memory: Memory) -> None:
    turns = told(memory, "walk", 9, *WALK)
    sleep(memory, None, NOW)
    note = note_of(memory, memory.store.get(turns[1].id))
    title = memory.store.get(turns[0].id).extra["episode"]
    assert "harbour" in title
    assert note.line == f"me on 2024-04-22, speaking of {title}"
    assert note.within[0] == Level("episode", turns[0].id, title)
    assert [level.name for level in note.within] == ["episode", "session"]
    assert "ferries" in note.keywords
    assert [memory.store.get(t.id).text for t in turns] == list(WALK)
    home = note_of(memory, fact(memory, "Rome"))
    assert home.line.startswith("home city of user: me on 2024-04-22")
    assert {"semantic", "home city", "Rome"} <= set(home.tags)
    assert note_keys(home)["within"][0]["id"] == turns[0].id


def test_a_later_memory_refines_the_note_of_an_older_one_and_undo_takes_it_back(memory: Memory) -> None:
    turns = told(memory, "walk", 9, *WALK)
    sleep(memory, None, NOW)
    rome = fact(memory, "Rome")
    before, state = note_of(memory, rome), state_hash(memory.store.connection)
    assert "taught" in note_of(memory, turns[2]).line
    later = told(memory, "later", 1, "I moved to Porto.", WALK[3])
    came = state_hash(memory.store.connection)
    night = sleep(memory, None, NOW + timedelta(hours=1))
    assert "replaced by “The user lives in Porto.”" in note_of(memory, memory.store.get(rome.id)).line
    assert f"said again as “{WALK[3]}” (2024-04-30)" in note_of(memory, memory.store.get(turns[3].id)).line
    undo(memory, night.run, NOW)
    assert state_hash(memory.store.connection) == came != state
    assert note_of(memory, memory.store.get(rome.id)) == before
    assert note_of(memory, memory.store.get(later[0].id)).within == ()


def test_rare_words_are_the_keywords(memory: Memory) -> None:
    told(
        memory,
        "s",
        3,
        *(f"The garden needs water, said number {n}." for n in range(9)),
        "A garden with a pergola.",
    )
    assert telling(memory.store, "The garden has a pergola.") == ("pergola", "garden")
    assert telling(memory.store, "") == ()
    assert telling(memory.store, '"; DROP TABLE records; -- (pergola* OR "') != ()


def test_a_title_and_every_note_forget_the_words_that_only_a_forgotten_turn_said(memory: Memory) -> None:
    told(memory, "walk", 9, *WALK)
    sleep(memory, None, NOW)
    middle = told(
        memory, "talk", 5, WALK[0], "The zeppelin, zeppelin, zeppelin and its zeppelinery.", *WALK[1:]
    )
    sleep(memory, None, NOW + timedelta(hours=1))
    assert "zeppelin" in memory.store.get(middle[0].id).extra["episode"]
    plan = preview(memory, [memory.store.get(middle[1].id)])
    forget(memory, plan, NOW + timedelta(hours=2))
    notes = [note_of(memory, record) for record in memory.store.records()]
    assert "zeppelin" not in str(notes).lower()
    assert [place for place in places(memory, plan.all) if place.found] == []


def test_episodes_are_titled_by_what_sets_them_apart(memory: Memory) -> None:
    turns = told(
        memory, "s", 3, "The boat needs paint.", "Paint for the boat.", "The exam went well.", "My boat exam."
    )
    assert titles([turns[:2], turns[2:]]) == ["needs paint boat", "exam boat"]
    assert titles([]) == []


def test_a_change_of_topic_that_surprises_ends_an_episode_and_wandering_does_not(memory: Memory) -> None:
    import numpy as np

    turns = told(memory, "s", 3, *(f"Turn {n} of a talk." for n in range(20)))
    axes = np.eye(8, dtype=np.float32)
    noise = np.random.default_rng(3).normal(0, 0.05, (20, 8)).astype(np.float32)
    raw = {t.seq: axes[0 if n < 10 else 1] + noise[n] for n, t in enumerate(turns)}
    vectors = {seq: vector / np.linalg.norm(vector) for seq, vector in raw.items()}
    assert turns[10] in [episode[0] for episode in segment(turns, vectors)]
    same = dict.fromkeys(vectors, axes[0])
    assert [len(episode) for episode in segment(turns, same)] == [16, 4]
    assert [len(episode) for episode in segment(turns, {})] == [16, 4]
