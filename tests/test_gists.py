"""Sessions, topics and the portrait: linked from the turn up, told from what was said, touched where it changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from nights import NOW, live, opened

from app.encode import turn
from app.memory import Memory
from app.sleep.gists import telling
from app.sleep.night import NightReport, sleep
from storage.records import Filter, Kind, LinkKind, Record

GISTS = Filter(kinds=frozenset({Kind.GIST}))
PORTRAIT = Filter(kinds=frozenset({Kind.CORE}), include_superseded=False)
GARDEN = (
    "The tomatoes in the garden turn yellow at the bottom.",
    "I watered the tomatoes in the garden every single morning.",
    "The garden soil under the tomatoes is dry and pale.",
    "Compost for the garden and the tomatoes arrives soon.",
)
CHESS = (
    "The chess club meets above the old cinema.",
    "My opening at the chess club failed badly.",
    "A rook and a bishop won the chess club prize.",
    "The chess club plays against the harbour team.",
)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = opened(tmp_path)
    yield memory
    memory.close()


def talks(**sessions: tuple[str, ...]) -> list[tuple[str, float, str]]:
    ages = dict(zip(sessions, range(9, 0, -1), strict=False))
    return [(name, float(ages[name]), words) for name, said in sessions.items() for words in said]


def above(memory: Memory, id: str) -> list[Record]:
    links = memory.store.links(id, LinkKind.PART_OF, back=False)
    return list(memory.store.get_many([link.dst for link in links]).values())


def changes(report: NightReport, job: str) -> tuple[str, ...]:
    return next(j.changes for j in report.jobs if j.name == job)


def test_from_a_turn_up_to_its_topic(memory: Memory) -> None:
    turns = live(memory, talks(first=GARDEN, chess=CHESS, again=GARDEN[::-1]))
    sleep(memory, None, NOW)
    [head] = [link.dst for link in memory.store.links(turns[2].id, LinkKind.SAME_EPISODE, back=False)]
    [session] = above(memory, head)
    assert (session.session, session.extra["level"]) == ("first", "session")
    [topic] = above(memory, session.id)
    assert topic.extra["level"] == "topic"
    members = {link.src for link in memory.store.links(topic.id, LinkKind.PART_OF, out=False)}
    assert {g.session for g in memory.store.get_many(sorted(members)).values()} == {"first", "again"}
    quoted = memory.store.links(topic.id, LinkKind.DERIVED_FROM, back=False)
    said = {turn.id for turn in turns}
    assert quoted
    assert {link.dst for link in quoted} <= said, "a topic is told from turns, never from another gist"


def test_a_long_turn_of_many_words_is_quoted(memory: Memory) -> None:
    words = " ".join(f"w{a}{b}ord" for a in "bcdfghjklmnpqrst" for b in "bcdfghjklmnpqrst")
    long = turn(f"{words}. The size of the old boat matters most.", now=NOW, session="s")
    quotes = telling([long, turn("The size of the boat again.", now=NOW, session="s")])
    assert any("size" in quote.text for quote in quotes)


def test_a_topic_grows_with_a_new_session_and_stays_one(memory: Memory) -> None:
    live(memory, talks(first=GARDEN, again=GARDEN[::-1]))
    sleep(memory, None, NOW)
    live(memory, [("third", 0.5, words) for words in GARDEN])
    sleep(memory, None, NOW + timedelta(hours=1))
    [topic] = [g for g in memory.store.records(GISTS) if g.extra["level"] == "topic"]
    assert len(memory.store.links(topic.id, LinkKind.PART_OF, out=False)) == 3


def test_the_portrait_changes_only_where_its_evidence_did(memory: Memory) -> None:
    live(memory, [("s", 5, "I live in Rome."), ("s", 5, "I work as a nurse."), ("s", 5, "I love jazz.")])
    sleep(memory, None, NOW)
    before = {line.attribute: line for line in memory.store.records(PORTRAIT)}
    live(memory, [("t", 1, "I moved to Porto.")])
    report = sleep(memory, None, NOW + timedelta(hours=1))
    after = {line.attribute: line for line in memory.store.records(PORTRAIT)}
    assert [name for name in after if after[name] != before.get(name)] == ["portrait: places"]
    [line] = changes(report, "portrait")
    assert "+ " in line
    assert "Porto" in line
    assert "- " in line
    assert "Rome" in line
    assert "jazz" not in line
    for record in after.values():
        sources = memory.store.links(record.id, LinkKind.DERIVED_FROM, back=False)
        facts = memory.store.get_many([link.dst for link in sources]).values()
        assert facts
        assert all(fact.text in record.text for fact in facts)


def test_the_portrait_is_short_however_much_is_known(memory: Memory) -> None:
    loves = [
        "kites",
        "chess",
        "rivers",
        "opera",
        "tango",
        "bread",
        "moss",
        "trains",
        "maps",
        "figs",
        "owls",
        "clay",
    ]
    live(memory, [("s", 5, f"I love {one} and long walks with {two}.") for one in loves for two in loves])
    sleep(memory, None, NOW)
    assert 0 < sum(len(line.text.split()) for line in memory.store.records(PORTRAIT)) <= 430
