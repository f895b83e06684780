"""Slots: what a message fills by rules alone, what a question asks for, and recall that knows both."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import encode
from app.config import Config
from app.open import open_memory
from app.place import Home, find_home
from app.recall.recall import Query, Recall
from app.sleep.attributes import is_single_valued
from app.slots import asked, filled

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("question", "slot"),
    [
        ("Where do I live now?", "home city"),
        ("Which city did I move to?", "home city"),
        ("who do I work for", "employer"),
        ("What's my name?", "name"),
        ("How old am I?", "age"),
        ("Where do I work out?", "gym"),
        ("Which company do I work for?", "employer"),
        ("Who do I report to?", "boss"),
        ("Who's my GP?", "doctor"),
        ("What's my boss's favourite tea?", None),
        ("What is my favourite drink?", "favourite drink"),
        ("What kind of car do I have?", "car"),
        ("When do I work?", "work schedule"),
        ("How do I get to work?", "commute"),
        ("Where does Anna live?", None),
        ("Where do I keep the keys?", None),
        ("", None),
    ],
)
def test_the_slot_that_a_question_asks_for(question: str, slot: str | None) -> None:
    assert asked(question) == (slot and ("user", slot))


def test_what_a_message_fills() -> None:
    assert filled("I moved to Porto last week", NOW) == {("user", "home city"): "porto"}
    assert filled("Where do I live?", NOW) == {}


@given(st.text(max_size=300))
def test_any_text_fills_single_values_of_somebody(text: str) -> None:
    assert all(subject and slot and value for (subject, slot), value in filled(text, NOW).items())
    slot = asked(text)
    assert slot is None or is_single_valued(slot[1])


def test_a_relative_has_slots_of_their_own() -> None:
    assert asked("Where does my sister live?") == ("user's sister", "home city")
    assert asked("In which city is my brother?") == ("user's brother", "home city")


@pytest.mark.embedder
def test_what_was_told_in_other_words_is_an_answer_before_any_night(tmp_path: Path) -> None:
    memory = open_memory(Home(tmp_path / "home", find_home().models), Config())
    memory.add(
        [encode.turn(t, now=NOW) for t in ("I moved to Porto last week", "Call the dentist on Friday")],
        "say",
        NOW,
    )
    recall = Recall.of(memory)
    live, work = (recall.recall(Query(q, NOW)) for q in ("where do I live", "where do I work"))
    memory.close()
    assert not live.abstain
    assert live.hits[0].record.text == "I moved to Porto last week"
    assert work.abstain
