"""What the model may do of its own accord: offered on cause, bounded by code, visible, and taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import encode, hops, tools
from app.assistant import Assistant
from app.config import Config, ModelsConfig, find_home
from app.events import Answered, Called, Event, Evidence, Said, Thought
from app.evidence import Gathered, gather
from app.memory import Memory
from app.open import open_memory
from app.records import Filter, Kind
from app.tasks import when
from models.chat import ChatModel, Message
from models.fake import EchoChat

NOW = datetime(2024, 6, 21, 9, 30, tzinfo=UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    fakes = Config(models=ModelsConfig(chat="fake", embed="fake", tools="on"))
    opened = open_memory(find_home(tmp_path / "home"), fakes)
    yield opened
    opened.close()


class Deft(EchoChat):
    """A model that calls `choice` whenever it is offered a tool; counts how often it was."""

    def __init__(self, **choice: str) -> None:
        self.choice = json.dumps(choice)
        self.offers = 0
        super().__init__(self.said)

    def said(self, messages: Sequence[Message]) -> str:
        if "choose one tool" in messages[-1].content or tools._LOOK in messages[-1].content:
            self.offers += 1
            return self.choice
        return "I see."


def say(memory: Memory, chat: EchoChat, *lines: str, **more: bool) -> list[Event]:
    one = Assistant(memory, chat, None if more else "s", now=NOW, **more)
    return [event for n, line in enumerate(lines) for event in one.reply(line, NOW + timedelta(minutes=n))]


def called(events: list[Event]) -> list[Called]:
    return [event for event in events if isinstance(event, Called)]


def test_a_task_is_noted_in_the_users_words_with_its_day(memory: Memory) -> None:
    chat = Deft(tool="task", words="renew my passport")
    events = say(memory, chat, "I really need to renew my passport on 3 July.")
    (done,) = called(events)
    (task,) = memory.store.records(Filter(kinds=frozenset({Kind.TASK})))
    assert task.text == "renew my passport"
    assert when(task) == datetime(2024, 7, 3, 8, tzinfo=UTC)
    assert task.id in done.result
    assert events.index(done) > next(n for n, e in enumerate(events) if isinstance(e, Answered))


def test_words_that_its_user_did_not_say_are_refused(memory: Memory) -> None:
    (done,) = called(say(memory, Deft(tool="task", words="send money to Acme"), "I must call my mother."))
    assert done.result.startswith("refused")
    assert memory.store.records(Filter(kinds=frozenset({Kind.TASK}))) == []


def test_what_is_to_be_kept_is_the_users_own_message(memory: Memory) -> None:
    say(memory, Deft(tool="remember", words="the alarm"), "It's important that the alarm is off on Mondays.")
    (kept,) = [r for r in memory.store.records() if r.pinned]
    assert kept.text == "It's important that the alarm is off on Mondays."


def test_what_is_over_is_folded(memory: Memory) -> None:
    chat = Deft(tool="fold", words="")
    lines = (
        "I bought a boat with my brother.",
        "It has a blue sail.",
        "OK, let's move on to something else.",
    )
    one = Assistant(memory, chat, "s", now=NOW)
    events = [event for line in lines for event in one.reply(line, NOW)]
    assert [c.tool for c in called(events)] == ["fold"]
    assert [t.text for t in one.window.turns if t.verbatim] == [lines[-1], "I see."]
    assert "I bought a boat" in one.window.summary()


@pytest.mark.parametrize(
    "line", ["Hello!", "I like boats.", "What do I need to do today?", "Do you think it's important?"]
)
def test_without_cause_no_tool_is_offered(memory: Memory, line: str) -> None:
    chat = Deft(tool="remember", words="boats")
    assert called(say(memory, chat, line)) == []
    assert chat.offers == 0


@pytest.mark.parametrize("choice", [{"tool": "none", "words": ""}, {"tool": "sql", "words": "x"}, {}])
def test_any_other_choice_does_nothing(memory: Memory, choice: dict[str, str]) -> None:
    assert called(say(memory, Deft(**choice), "I must call my mother.")) == []


def test_models_that_cannot_and_incognito_are_offered_none(memory: Memory) -> None:
    chat = Deft(tool="task", words="call my mother")
    assert called(say(memory, chat, "I must call my mother.", incognito=True)) == []
    memory.config = replace(memory.config, models=ModelsConfig(chat="fake", embed="fake"))
    assert called(say(memory, chat, "I must call my mother.")) == []
    assert chat.offers == 0


def test_a_thought_is_shown_and_never_stored(memory: Memory) -> None:
    class Thinking(EchoChat):
        on_thought = staticmethod(print)

        def stream(self, *given: object, **more: object) -> Iterator[str]:  # type: ignore[override]
            self.on_thought("They greet me.")
            yield ""
            yield from super().stream(*given, **more)  # type: ignore[arg-type]

    events = say(memory, Thinking(["Hi!"]), "Hello!")
    assert [e.piece for e in events if isinstance(e, Thought)] == ["They greet me."]
    assert "".join(e.piece for e in events if isinstance(e, Said)) == "Hi!"
    assert [r.text for r in memory.store.records(newest_first=False)] == ["Hello!", "Hi!"]


# -- following a question ----------------------------------------------------------------------------


def note(id: str, text: str) -> Evidence:
    return Evidence(id, text, NOW, speaker="me", score=1.0)


def test_a_name_in_the_first_answer_leads_to_the_second(memory: Memory) -> None:
    at = NOW - timedelta(days=9)
    told = ["I bought the boat from Pedro.", "Pedro lives in Faro."]
    others = [f"Visitor {n} lives in room {n}." for n in range(40)]
    memory.add([encode.turn(text, now=at, speaker="me") for text in (*told, *others)], "say", NOW)
    question = "Where does the man who sold me the boat live nowadays?"

    def ask(query: str) -> Gathered:
        return gather(memory, query, NOW, 6)

    first = replace(ask(question), abstain=False)
    assert told[1] not in [e.text for e in first.evidence]
    done = hops.follow(question, replace(first, evidence=first.evidence[:1]), ask, 6)
    assert [e.text for e in done.found.evidence] == told


def test_memory_is_asked_at_most_three_times_and_not_twice_the_same() -> None:
    asked: list[str] = []

    def ask(query: str) -> Gathered:
        asked.append(query)
        word = ("alpha", "beta", "gamma", "delta")[len(asked) - 1]
        return Gathered((note(f"m{len(asked)}", f"Then {word} met Pedro."),), False, 1.0)

    first = Gathered((note("m0", "I saw Pedro."),), False, 1.0)
    done = hops.follow("alpha beta gamma delta epsilon?", first, ask, 12)
    assert len(asked) == hops.ROUNDS - 1
    assert [c.tool for c in done.calls] == ["recall"] * len(asked)
    assert [e.id for e in done.found.evidence] == ["m0", "m1", "m2"]
    assert done.found.ms == 3.0


def test_a_round_that_closes_nothing_ends_it_and_what_suffices_asks_no_more() -> None:
    def ask(_: str) -> Gathered:
        return Gathered((note("m1", "Nothing of the kind."),), False, 1.0)

    first = Gathered((note("m0", "I saw Pedro."),), False, 1.0)
    done = hops.follow("alpha beta gamma?", first, ask, 12)
    assert [c.result for c in done.calls] == ["nothing more"]
    assert done.found.evidence == first.evidence
    assert hops.follow("Who saw Pedro?", first, ask, 12).calls == ()
    gone = Gathered(first.evidence, True, 1.0)
    assert hops.follow("alpha beta gamma?", gone, ask, 12).found is gone


def test_a_model_may_only_propose_words_that_were_said() -> None:
    found = (note("m0", "I bought it from my neighbour."),)
    assert hops.admitted("neighbour bank password", "Where is the boat?", found) == "neighbour"
    assert hops.admitted("", "Where?", found) == ""


@given(st.text(max_size=200), st.lists(st.text(max_size=80), max_size=4))
def test_any_words_can_be_followed(question: str, texts: list[str]) -> None:
    first = Gathered(tuple(note(f"m{n}", text) for n, text in enumerate(texts)), False, 0.0)
    done = hops.follow(question, first, lambda _: first, 12, lambda *_: "anything at all")
    assert len(done.calls) < hops.ROUNDS


def test_a_model_chooses_among_its_users_own_words(memory: Memory) -> None:
    seen: list[object] = []

    class Asked(Deft):
        def stream(self, messages: Sequence[Message], **more: Any) -> Iterator[str]:
            seen.append(more.get("schema"))
            return super().stream(messages, **more)

    say(memory, Asked(tool="task", words="paint the fence"), "It rained. I have to paint the fence!")
    assert isinstance(schema := seen[-1], dict)
    assert schema["properties"]["words"] == {
        "enum": ["paint the fence", "It rained", "I have to paint the fence"]
    }
    assert tools.phrases("!!!") == tools.phrases("x" * 500) == ()


@pytest.mark.llm
def test_a_real_model_calls_a_tool_with_its_users_words(memory: Memory, chat_model: ChatModel) -> None:
    one = Assistant(memory, chat_model, "s", now=NOW)
    (call,) = called(list(one.reply("I need to renew my passport before August.", NOW)))
    assert call.tool == "task" and "renew my passport" in call.argument and "noted as" in call.result
    (task,) = memory.store.records(Filter(kinds=frozenset({Kind.TASK})))
    assert "renew my passport" in task.text
