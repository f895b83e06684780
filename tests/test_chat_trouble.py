"""A conversation under trouble: Ctrl-C at each step, two at once, a template that fails, a model that is replaced."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.assistant import Assistant
from app.config import Config, ModelsConfig, find_home
from app.events import Answered, Event, Said, Stored
from app.memory import Memory
from app.open import open_memory
from app.records import Source
from cli.talk import Talk
from models.chat import Message
from models.errors import ModelError
from models.fake import EchoChat
from models.template import ChatTemplate

NOW = datetime(2024, 6, 21, 9, 30, tzinfo=UTC)
FAKES = Config(models=ModelsConfig(chat="fake", embed="fake"))
RUN = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = open_memory(find_home(tmp_path / "home"), FAKES)
    yield opened
    opened.close()


def said(memory: Memory) -> list[str]:
    return [r.text for r in memory.store.records(newest_first=False) if r.source is Source.USER_SAID]


class Interrupted:
    """An assistant during whose n-th event Ctrl-C is pressed."""

    def __init__(self, inner: Assistant, at: int) -> None:
        self._inner, self._at = inner, at
        self.seen: list[Event] = []

    def reply(self, *given: Any) -> Iterator[Event]:
        for event in self._inner.reply(*given):
            if len(self.seen) == self._at:
                signal.raise_signal(signal.SIGINT)
            self.seen.append(event)
            yield event

    def context(self, change: str = "", id: str = "") -> list[Any]:
        return self._inner.context(change, id)


@pytest.mark.parametrize("at", range(6))
def test_ctrl_c_during_any_event_loses_nothing_and_the_talk_goes_on(memory: Memory, at: int) -> None:
    one = Interrupted(Assistant(memory, EchoChat(["One two three four."]), "s", now=NOW), at)
    talk = Talk(one, plain=True)
    talk.say("I bought a boat in the harbour.")
    assert said(memory) == ["I bought a boat in the harbour."]
    assert isinstance(one.seen[0], Stored)
    assert isinstance(one.seen[-1], Answered)
    spoken = "".join(e.piece for e in one.seen if isinstance(e, Said)).strip()
    assert [r.text for r in memory.store.records() if r.source is Source.MODEL_INFERRED] == (
        [spoken] if spoken else []
    )
    talk.say("It is blue.")
    assert said(memory)[-1] == "It is blue."


def test_ctrl_c_at_any_moment_of_the_process_keeps_what_was_acknowledged(home: Path) -> None:
    lines = "".join(f"I planted {n} tulips in the garden.\n" for n in range(40)).encode()
    for delay in (0.1, 0.4, 0.6, 0.8, 1.1):
        command = [sys.executable, "-c", RUN, "chat", "--home", str(home), "--json", "--session", f"s{delay}"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdin is not None
        process.stdin.write(lines)
        process.stdin.flush()
        time.sleep(delay)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        if out:  # before that Python itself may still be starting
            assert process.returncode in (0, 130), err.decode()
            assert b"Traceback" not in err
        if home.joinpath("mem.db").exists():
            memory = open_memory(find_home(home))
            stored = [r.text for r in memory.store.records() if r.session == f"s{delay}" and r.role == "user"]
            memory.close()
            assert len(stored) >= len(out.splitlines())
            assert len(stored) == len(set(stored))


def test_two_chats_at_once_lose_no_turn(home: Path) -> None:
    def start(name: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", RUN, "chat", "--home", str(home), "--json", "--session", name]
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    texts = [f"I planted {n} tulips in the garden." for n in range(12)]
    both = {name: start(name) for name in ("one", "two")}
    for process in both.values():
        assert process.stdin is not None
        process.stdin.write("".join(f"{text}\n" for text in texts).encode())
        process.stdin.close()
        process.stdin = None
    for process in both.values():
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err.decode()
        assert len(out.splitlines()) == len(texts)
    memory = open_memory(find_home(home))
    for name in both:
        mine = [r for r in memory.store.records(newest_first=False) if r.session == name]
        assert [r.text for r in mine if r.role == "user"] == texts
        assert [r.role for r in mine] == ["user", "assistant"] * len(texts)
    memory.close()


class Engine:
    """As much of an engine as a template needs; its own template fails on every message."""

    chat_template: str | None = "{{ raise_exception('no such role') }}"
    begins_with_bos = None

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:  # noqa: ARG002
        return [ord(c) for c in text]

    def controls(self, _: int) -> bool:
        return False

    def special_text(self, _: str) -> str:
        return ""


@pytest.mark.parametrize(
    "template",
    [
        "{{ raise_exception('no such role') }}",
        "{{ 1 // 0 }}",
        "{{ messages[99].content }}",
        "{% for %}",
        "{{ x.y.z }}",
    ],
)
def test_a_template_that_fails_is_a_clean_error(template: str) -> None:
    engine = Engine()
    engine.chat_template = template
    with pytest.raises(ModelError, match="template"):
        ChatTemplate(engine).prompt([Message("user", "Hello")])  # type: ignore[arg-type]


class Glued:
    """An engine whose message mark "#" swallows the blanks before it: a prompt is not the sum of its messages."""

    chat_template: str | None = "{% for m in messages %}#{{ m.content }} {% endfor %}"
    begins_with_bos = None

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:  # noqa: ARG002
        return [ord(c) for c in re.sub(" +#", "#", text)]

    def controls(self, token: int) -> bool:
        return token == ord("#")

    def piece(self, token: int, *, special: bool = False) -> bytes:  # noqa: ARG002
        return chr(token).encode()

    def special_text(self, _: str) -> str:
        return ""


def test_a_prompt_that_is_not_the_sum_of_its_messages_is_read_as_a_whole() -> None:
    template = ChatTemplate(Glued())  # type: ignore[arg-type]
    for _ in range(2):
        prompt = template.prompt(
            [Message("user", "one"), Message("assistant", "two"), Message("user", "three")]
        )
        assert prompt.tokens == [ord(c) for c in "#one#two#three "]


def test_a_model_that_fails_in_the_middle_says_so_and_the_talk_goes_on(memory: Memory) -> None:
    class Replaced(EchoChat):
        broken = True

        def stream(self, *given: Any, **more: Any) -> Iterator[str]:
            if self.broken:
                raise ModelError("The file was replaced by another file.", "Start again to use it.")
            yield from super().stream(*given, **more)

    chat = Replaced(["Fine."])
    talk = Talk(Assistant(memory, chat, "s", now=NOW), plain=True)
    with pytest.raises(ModelError):
        talk.say("I bought a boat in the harbour.")
    chat.broken = False
    talk.say("It is blue.")
    assert said(memory) == ["I bought a boat in the harbour.", "It is blue."]
    assert talk.answered is not None
    assert talk.answered.text == "Fine."


def test_pin_hide_fold_restore_keep_their_promise_through_a_full_window(memory: Memory) -> None:
    chat = EchoChat(["That is good to hear."], context_tokens=1024)
    one = Assistant(memory, chat, "s", now=NOW)

    def say(text: str) -> None:
        for _ in one.reply(text, NOW):
            pass

    for n in range(4):
        say(f"On day {n} I planted {n} tulips in the garden.")
    ids = [t.id for t in one.window.turns if t.role == "user"]
    one.context("pin", ids[0])
    one.context("hide", ids[1])
    one.context("fold", ids[2])
    for n in range(4, 60):
        say(f"On day {n} I planted {n} tulips in the garden.")
    prompt = "\n".join(m.content for m in chat.prompts[-1])
    assert "On day 0 I planted 0 tulips" in prompt
    assert "On day 1 I planted 1 tulips" not in prompt
    one.context("restore", ids[1])
    say("And then?")
    assert "On day 1 I planted 1 tulips" in "\n".join(m.content for m in chat.prompts[-1])
    states = {part.name: part.state for part in one.context()}
    assert (states[ids[0]], states[ids[1]], states[ids[2]]) == ("pinned", "pinned", "folded")
