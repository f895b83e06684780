"""Corrections of how things are done: which messages are lessons, and what becomes of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import encode, lessons
from app.assistant import Assistant
from app.config import Config, ModelsConfig, find_home
from app.events import Answered, Corrected, Event, Recalled
from app.memory import Memory
from app.open import open_memory
from app.procedures import procedure_of
from app.records import Kind, LinkKind, Record
from models.fake import EchoChat

NOW = datetime(2024, 6, 21, 9, 30, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    fakes = Config(models=ModelsConfig(chat="fake", embed="fake"))
    opened = open_memory(find_home(tmp_path / "home"), fakes)
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("text", "lesson"),
    [
        ("No, always run the tests first.", "Always run the tests first."),
        ("Don't use bullet points!", "Never use bullet points."),
        ("please do not apologise so much", "Never apologise so much."),
        ("Stop apologising.", "Never go on apologising."),
        ("From now on answer in German.", "Always answer in German."),
        ("Next time, ask before you delete anything", "Always ask before you delete anything."),
        ("Give prices in euros from now on.", "Always give prices in euros."),
        ("You should never translate names.", "Never translate names."),
    ],
)
def test_a_correction_of_procedure_is_a_lesson(text: str, lesson: str) -> None:
    assert lessons.read(text) == lessons.Lesson(lesson)


@pytest.mark.parametrize(
    "text",
    [
        "No, never been there.",
        "I always run in the morning.",
        "Don't worry.",
        "Don't use the car today.",
        "Do you always use bullet points?",
        "Stop!",
        "We never call each other.",
        "Don't forget that.",
        "",
        "always " * 100,
    ],
)
def test_a_story_or_a_wish_for_once_is_none(text: str) -> None:
    assert lessons.read(text) is None


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    found = lessons.read(text)
    assert found is None or (found.text.endswith(".") and len(found.text) < 300)


def say(assistant: Assistant, text: str, minutes: int = 0) -> list[Event]:
    return list(assistant.reply(text, NOW + timedelta(minutes=minutes)))


def test_a_lesson_is_kept_with_its_source_taken_back_and_stands_in_the_next_prompt(memory: Memory) -> None:
    chat = EchoChat(["Fine."])
    one = Assistant(memory, chat, "one", now=NOW)
    events = say(one, "No, don't use bullet points.")
    (done,) = [e for e in events if isinstance(e, Corrected)]
    (answered,) = [e for e in events if isinstance(e, Answered)]
    kept = memory.store.get(done.ids[0])
    assert (kept.kind, kept.text) == (Kind.PROCEDURAL, "Never use bullet points.")
    assert memory.store.links(kept.id, LinkKind.DERIVED_FROM)[0].dst == answered.stored[0]
    assert chat.prompts == []
    assert [e.ids for e in say(one, "Don't use bullet points", 1) if isinstance(e, Corrected)] == [(kept.id,)]
    assert "- Never use bullet points." in Assistant(memory, chat, "two", now=NOW).window.system
    with memory.store.atomic("undo", NOW):
        memory.store.undo(run=done.run)
    assert "bullet" not in Assistant(memory, chat, "three", now=NOW).window.system


def test_incognito_learns_nothing(memory: Memory) -> None:
    one = Assistant(memory, EchoChat(["Fine."]), None, now=NOW, incognito=True)
    assert not [e for e in say(one, "Don't use bullet points.") if isinstance(e, Corrected)]
    assert memory.store.records() == []


def how_to(memory: Memory) -> Record:
    base = encode.turn("To deploy the website, run the tests, then push the tag.", now=NOW, speaker="me")
    values = {f: getattr(base, f) for f in base.__dataclass_fields__} | {
        "kind": Kind.PROCEDURAL,
        "extra": {"when": "deploy the website"},
    }
    return memory.add([Record(**values)], "test", NOW)[0]


def test_a_similar_situation_brings_up_the_procedure_and_feedback_counts_its_outcome(memory: Memory) -> None:
    known = how_to(memory)
    chat = EchoChat([f"Run the tests, then push the tag [{known.id}]."])
    one = Assistant(memory, chat, "one", now=NOW)
    shown = [e for e in say(one, "Help me deploy the website please.") if isinstance(e, Recalled)]
    assert [hit.id for hit in shown[0].hits] == [known.id]
    assert "run the tests, then push the tag" in chat.prompts[-1][-1].content
    say(one, "👍", 1)
    assert procedure_of(memory.store.get(known.id)).worked == 1
    say(one, "Help me deploy the website again.", 2)
    assert "worked 1, did not 0" in chat.prompts[-1][-1].content
    say(one, "That didn't work.", 3)
    assert procedure_of(memory.store.get(known.id)).failed == 1
    assert memory.store.get(known.id).valid_to is None
