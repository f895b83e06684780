"""The head of the prompt kept on disk: loaded when it fits, made anew when not, bounded, never in a locked home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import prefix
from app.assistant import Assistant
from app.config import Config, EncryptionConfig, Home, ModelsConfig
from app.memory import Memory
from app.open import open_memory
from models.chat import ChatModel, Message
from models.fake import EchoChat

NOW = datetime(2024, 6, 21, 12, 0, tzinfo=UTC)
FAKES = Config(models=ModelsConfig(chat="fake", embed="fake"))


class Keeping(EchoChat):
    """An EchoChat whose cache can be taken out and put back; counts both."""

    def __init__(self) -> None:
        super().__init__(["Ok."])
        self.saved = 0
        self.loaded = 0

    def save_prefix(self, messages: Sequence[Message]) -> bytes:
        self.saved += 1
        return repr(messages).encode()

    def load_prefix(self, messages: Sequence[Message], saved: bytes) -> bool:
        fits = saved == repr(messages).encode()
        self.loaded += fits
        return fits


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = open_memory(Home(tmp_path / "home", tmp_path / "models"), FAKES)
    yield opened
    opened.close()


def talk(memory: Memory, chat: EchoChat, **more: bool) -> None:
    assistant = Assistant(memory, chat, None if more else "s", now=NOW, **more)
    for line in ("Hello!", "Hello again!"):
        list(assistant.reply(line, NOW))


def states(memory: Memory) -> list[Path]:
    return list((memory.home.path / "prefix").glob("*"))


def test_the_head_is_read_once_and_loaded_from_then_on(memory: Memory) -> None:
    first, second = Keeping(), Keeping()
    talk(memory, first)
    talk(memory, second)
    assert (first.saved, first.loaded) == (1, 0)
    assert (second.saved, second.loaded) == (0, 1)
    (state,) = states(memory)
    assert state.stat().st_mode & 0o777 == 0o600


def test_a_damaged_state_is_made_anew(memory: Memory) -> None:
    talk(memory, Keeping())
    states(memory)[0].write_bytes(b"rubbish")
    chat = Keeping()
    talk(memory, chat)
    assert (chat.saved, chat.loaded) == (1, 0)


def test_the_date_is_no_part_of_it(memory: Memory) -> None:
    talk(memory, Keeping())
    chat = Keeping()
    list(Assistant(memory, chat, "s2", now=NOW.replace(day=22)).reply("Hello!", NOW))
    assert chat.loaded == 1


def test_incognito_and_models_without_a_state_keep_nothing(memory: Memory) -> None:
    talk(memory, Keeping(), incognito=True)
    talk(memory, EchoChat(["Ok."]))
    assert states(memory) == []


def test_a_locked_store_keeps_no_state_in_the_clear(memory: Memory) -> None:
    memory.config = Config(models=FAKES.models, encryption=EncryptionConfig("passphrase"))
    prefix.warm(Keeping(), [Message("system", "secret portrait")], memory)
    assert states(memory) == []


def test_only_the_newest_states_are_kept(memory: Memory) -> None:
    for n in range(prefix.KEPT + 3):
        prefix.warm(Keeping(), [Message("system", str(n))], memory)
    assert len(states(memory)) == prefix.KEPT


@pytest.mark.llm
def test_a_real_model_starts_from_the_state_and_answers_from_memory(
    memory: Memory, chat_model: ChatModel
) -> None:
    from app import encode
    from app.events import Answered

    told = [
        encode.turn(text, now=NOW.replace(month=3), session="before", speaker="me")
        for text in ("Tom is allergic to peanuts.", "We adopted a grey cat and called her Suki.")
    ]
    ids = [r.id for r in memory.add(told, "say", NOW.replace(month=3))]
    assistant = Assistant(memory, chat_model, "now", now=NOW)
    answers = [
        event
        for text in ("What is Tom allergic to?", "What did we call our grey cat?", "Thanks!")
        for event in assistant.reply(text, NOW)
        if isinstance(event, Answered)
    ]
    assert "peanuts" in answers[0].text.lower()
    assert answers[0].used == (ids[0],)
    assert "Suki" in answers[1].text
    assert all(a.cached_tokens >= 0.6 * a.prompt_tokens for a in answers[1:])
    assert len(states(memory)) == 1
    head = assistant.window.opening[:7]
    assert isinstance(chat_model, prefix.KeepsPrefix)
    assert chat_model.load_prefix(head, states(memory)[0].read_bytes())
