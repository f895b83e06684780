"""Gists in a model's words: only what was said, paid for once, and gone with what they rest on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from nights import NOW, live, opened

from app.lessen import without
from app.memory import Memory
from app.sleep.night import sleep
from app.sleep.summaries import PROMPT, sentences_in
from models.fake import EchoChat
from storage.records import Filter, Kind, LinkKind, Record

LIFE = (
    ("s1", 3, "My night shifts at the bakery in Lyon are killing me."),
    ("s1", 3, "I got mornings from my boss Nadia after a long talk."),
    ("s1", 3, "We celebrated with 14 friends by the river."),
    ("s1", 3, "The dog slept through all of it under the table."),
    ("s1", 3, "I start the new hours on Monday."),
)
GOOD = "The user got mornings from their boss Nadia."
GISTS = Filter(kinds=frozenset({Kind.GIST}))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = opened(tmp_path)
    yield memory
    memory.close()


def answering(*sentences: str, title: str = "Mornings at the bakery") -> EchoChat:
    return EchoChat(lambda _: json.dumps({"facts": [], "title": title, "sentences": list(sentences)}))


def the_gist(memory: Memory) -> Record:
    [gist] = memory.store.records(GISTS)
    return gist


def test_a_model_puts_a_gist_into_words_that_its_turns_bear_out(memory: Memory) -> None:
    turns = live(memory, LIFE)
    sleep(memory, None, NOW)
    made = the_gist(memory)
    report = sleep(memory, answering(GOOD, "The user celebrated with 40 friends."), NOW)
    gist = the_gist(memory)
    assert gist.id == made.id
    assert gist.text.split("\n")[1:] == [GOOD]
    assert gist.derived_by is not None
    assert gist.derived_by.startswith(f"gist/{PROMPT}")
    links = memory.store.links(gist.id, LinkKind.DERIVED_FROM, back=False)
    assert [link.dst for link in links] == [turns[1].id]
    job = next(job for job in report.jobs if job.name == "summaries")
    assert (job.model_calls, job.rejected, job.merged) == (1, 1, 1)
    again = next(j for j in sleep(memory, answering(GOOD), NOW).jobs if j.name == "summaries")
    assert (again.model_calls, again.merged) == (0, 0)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "[]",
        '{"title": 3, "sentences": 4}',
        '{"title": "x"}',
        json.dumps({"title": "Party in Rome", "sentences": ["Nadia flew to Rome.", "No.", ""]}),
        json.dumps({"title": "", "sentences": ["The user never got mornings from their boss Nadia."]}),
    ],
)
def test_what_is_not_borne_out_leaves_the_rules_words(memory: Memory, raw: str) -> None:
    live(memory, LIFE)
    sleep(memory, EchoChat(lambda _: raw), NOW)
    assert the_gist(memory).derived_by == "extract/1"


def test_words_of_another_speaker_are_not_put_into_a_mouth(memory: Memory) -> None:
    turns = live(memory, LIFE)
    _, kept, refused = sentences_in(
        json.dumps({"title": "", "sentences": ["Nadia works night shifts."]}), turns
    )
    assert (kept, refused) == ({}, 1)


def test_a_line_says_whose_words_it_is(memory: Memory) -> None:
    live(memory, LIFE)
    sleep(memory, answering("Celebrated with 14 friends by the river."), NOW)
    assert the_gist(memory).text.split("\n")[1:] == ["user: Celebrated with 14 friends by the river."]


def test_a_line_goes_with_the_words_that_it_rests_on(memory: Memory) -> None:
    live(memory, LIFE)
    sleep(memory, answering(GOOD, "The user starts the new hours on Monday."), NOW)
    gist = the_gist(memory)
    assert len(gist.text.split("\n")) == 3
    nadia = next(r for r in memory.store.records() if r.kind is Kind.EPISODIC and "Nadia" in r.text)
    left = without(memory.store, gist, [nadia])
    assert "Nadia" not in left.text
    assert "Monday" in left.text
    assert "Nadia" not in str(left.extra["title"])
