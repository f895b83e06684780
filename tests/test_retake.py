"""Taking back the last turn: nothing of it is left, nothing else is touched, and a night that used it is respected."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import encode
from app.assistant import Assistant
from app.config import Config, Home, ModelsConfig
from app.errors import NothingFound, Refused
from app.memory import Memory
from app.open import open_memory
from models.fake import EchoChat
from storage.journal import state_hash
from storage.records import Filter, Link, LinkKind

NOW = datetime(2024, 6, 21, 12, 0, tzinfo=UTC)
FAKES = Config(models=ModelsConfig(chat="fake", embed="fake"))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = open_memory(Home(tmp_path / "home", tmp_path / "models"), FAKES)
    opened.add(
        [
            encode.turn(
                "My sister Anna lives in Graz.", now=NOW - timedelta(days=9), session="before", speaker="me"
            )
        ],
        "say",
        NOW - timedelta(days=9),
    )
    yield opened
    opened.close()


def talking(memory: Memory, *replies: str, incognito: bool = False) -> Assistant:
    return Assistant(memory, EchoChat(list(replies) or ["Ok."]), "now", now=NOW, incognito=incognito)


def said(assistant: Assistant, text: str) -> None:
    assert list(assistant.reply(text, NOW))


def words(memory: Memory) -> list[str]:
    return [record.text for record in memory.store.records(Filter(session="now"), newest_first=False)]


@pytest.mark.parametrize(
    "text",
    [
        "We have a new bicycle.",
        "Where does my sister Anna live?",  # an answer that uses a memory
        "Remind me to call Anna tomorrow.",  # a task
        "Remember: the key is under the pot.",  # a pin
    ],
)
def test_nothing_of_the_turn_is_left_and_the_one_before_stands(memory: Memory, text: str) -> None:
    assistant = talking(memory, "Anna lives in Graz.")
    said(assistant, "Good morning.")
    before, window = state_hash(memory.store.connection), list(assistant.window.turns)
    said(assistant, text)
    assert state_hash(memory.store.connection) != before
    assert assistant.retake(NOW) == text
    assert state_hash(memory.store.connection) == before
    assert assistant.window.turns == window


def test_a_correction_is_taken_back_with_what_it_corrected(memory: Memory) -> None:
    assistant = talking(memory, "Anna lives in Graz.")
    said(assistant, "Where does my sister Anna live?")
    before = state_hash(memory.store.connection)
    said(assistant, "That is wrong.")
    assert state_hash(memory.store.connection) != before
    assistant.retake(NOW)
    assert state_hash(memory.store.connection) == before


def test_an_answer_that_is_had_anew_is_the_only_one(memory: Memory) -> None:
    assistant = talking(memory, "First.", "Second.")
    said(assistant, "We have a new bicycle.")
    said(assistant, assistant.retake(NOW))
    assert words(memory) == ["We have a new bicycle.", "Second."]
    assert [turn.text for turn in assistant.window.turns] == words(memory)


def test_a_resumed_conversation_is_taken_back_as_well_and_notes_stay(memory: Memory) -> None:
    from app.requests import remember

    said(talking(memory), "We have a new bicycle.")
    remember(memory, {"text": "The bell is loud.", "session": "now"}, NOW)
    talking(memory).retake(NOW)
    assert words(memory) == ["The bell is loud."]


def test_what_was_imported_or_never_said_is_not_taken_back(memory: Memory) -> None:
    memory.add([encode.turn("Imported words.", now=NOW, session="now")], "import", NOW)
    with pytest.raises(NothingFound):
        talking(memory).retake(NOW)
    assert words(memory) == ["Imported words."]


def test_what_a_night_has_used_stands(memory: Memory) -> None:
    assistant = talking(memory)
    said(assistant, "We have a new bicycle.")
    (turn, _) = memory.store.records(Filter(session="now"), newest_first=False)
    with memory.store.atomic("sleep: link", NOW):
        memory.store.link([Link(turn.id, "e_bicycle", LinkKind.MENTIONS)])
    before = state_hash(memory.store.connection)
    with pytest.raises(Refused, match="night"):
        assistant.retake(NOW)
    assert state_hash(memory.store.connection) == before
    assert len(assistant.window.turns) == 2


def test_incognito_takes_back_what_is_in_the_window_alone(memory: Memory) -> None:
    said(talking(memory), "We have a new bicycle.")
    before = state_hash(memory.store.connection)
    hidden = talking(memory, incognito=True)
    said(hidden, "Only here.")
    assert hidden.retake(NOW) == "Only here."
    assert state_hash(memory.store.connection) == before
