"""What the assistant does without a model: corrections, reminders and counts, on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import corrections, encode, exact, tasks
from app.assistant import Assistant
from app.config import Config, Home, ModelsConfig
from app.corrections import Correction, Wish
from app.events import Answered, Corrected, Event, Recalled, Reminded
from app.memory import Memory
from app.open import open_memory
from models.fake import EchoChat
from storage.records import Kind, LinkKind, Record, State

NOW = datetime(2024, 6, 21, 12, 0, tzinfo=UTC)  # a Friday
FAKES = Config(models=ModelsConfig(chat="fake", embed="fake"))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = open_memory(Home(tmp_path / "home", tmp_path / "models"), FAKES)
    yield opened
    opened.close()


def told(memory: Memory, text: str, days: float = 10) -> Record:
    at = NOW - timedelta(days=days)
    return memory.add([encode.turn(text, now=at, session="before", speaker="me")], "say", at)[0]


class Talk:
    """A conversation whose model must answer as scripted; counts how often it was asked."""

    def __init__(self, memory: Memory, *replies: str) -> None:
        self.chat = EchoChat(list(replies) or ["Ok."])
        self.assistant = Assistant(memory, self.chat, "now", now=NOW)

    def say(self, text: str, at: datetime = NOW) -> list[Event]:
        return list(self.assistant.reply(text, at))


def answered(events: list[Event]) -> Answered:
    return next(e for e in events if isinstance(e, Answered))


def corrected(events: list[Event]) -> Corrected:
    return next(e for e in events if isinstance(e, Corrected))


@pytest.mark.parametrize(
    ("text", "wish", "rest"),
    [
        ("No, that's wrong, it's Porto.", Wish.WRONG, "it's Porto."),
        ("That isn't true, I moved", Wish.WRONG, "I moved"),
        ("You're wrong", Wish.WRONG, ""),
        ("👎", Wish.WRONG, ""),
        ("that's not true any more", Wish.OUTDATED, ""),
        ("not anymore", Wish.OUTDATED, ""),
        ("Forget that!", Wish.FORGET, ""),
        ("please don't remember this", Wish.FORGET, ""),
        ("Remember this: the code is 4711", Wish.REMEMBER, "the code is 4711"),
        ("remember that", Wish.REMEMBER, ""),
        ("That's right.", Wish.GOOD, ""),
    ],
)
def test_corrections_are_read_from_the_words(text: str, wish: Wish, rest: str) -> None:
    assert corrections.read(text) == Correction(wish, rest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I forgot that",
        "Remember when we went to Rome?",
        "remember the milk",
        "forget that idea",
        "that " * 500,
    ],
)
def test_ordinary_messages_are_no_corrections(text: str) -> None:
    assert corrections.read(text) is None


@given(st.text(max_size=200))
def test_any_text_can_be_read(text: str) -> None:
    wish = corrections.read(text)
    assert wish is None or wish.rest in text.replace("’", "'")
    reminder = tasks.read(text, NOW)
    assert reminder is None or (reminder.due is not None) != bool(reminder.cue)


def test_what_was_wrong_is_no_longer_taken_as_true_and_can_be_undone(memory: Memory) -> None:
    fact = told(memory, "Tom is allergic to peanuts.")
    talk = Talk(memory, f"Peanuts [{fact.id}].")
    talk.say("What is Tom allergic to?")
    events = talk.say("No, that's wrong, he is allergic to walnuts.")
    done = corrected(events)
    assert done.ids == (fact.id,)
    assert len(talk.chat.prompts) == 1
    said = answered(events).stored[0]
    now = memory.store.get(fact.id)
    assert (now.valid_to, now.superseded_by, now.text) == (fact.event_time, said, fact.text)
    assert memory.store.links(fact.id, LinkKind.SUPERSEDES)[0].src == said
    shown = next(e for e in talk.say("What is Tom allergic to now?") if isinstance(e, Recalled))
    assert fact.id not in [e.id for e in shown.hits]
    with memory.store.atomic("undo", NOW):
        memory.store.undo(run=done.run)
    assert memory.store.get(fact.id).valid_to is None


def test_what_was_wrong_stands_no_longer_in_the_window(memory: Memory) -> None:
    talk = Talk(memory, "You are a nurse.")
    talk.say("I am a nurse.")
    talk.say("What is my job, a nurse?")
    fact = memory.store.records(newest_first=False)[0]
    talk.assistant.last = replace(
        talk.assistant.last, answer=replace(talk.assistant.last.answer, used=(fact.id,))
    )
    talk.say("No, that's wrong, I am a doctor.")
    talk.say("Thanks!")
    said = [m.content for m in talk.chat.prompts[-1][-5:]]
    assert "I am a nurse." not in said
    assert any("I am a doctor." in text for text in said)


def test_what_is_over_was_true_until_now(memory: Memory) -> None:
    fact = told(memory, "Tom is allergic to peanuts.")
    talk = Talk(memory, f"Peanuts [{fact.id}].")
    talk.say("What is Tom allergic to?")
    talk.say("That's not true any more.")
    assert memory.store.get(fact.id).valid_to == NOW


def test_what_is_put_away_is_not_shown_and_not_lost(memory: Memory) -> None:
    fact = told(memory, "Tom is allergic to peanuts.")
    talk = Talk(memory, f"Peanuts [{fact.id}].")
    talk.say("What is Tom allergic to?")
    done = corrected(talk.say("Forget that."))
    assert f"/forget {fact.id}" in done.what
    assert memory.store.get(fact.id).state is State.ARCHIVED
    shown = next(e for e in talk.say("Was Tom allergic to something?") if isinstance(e, Recalled))
    assert fact.id not in [e.id for e in shown.hits]


def test_what_is_to_be_remembered_is_kept_for_good(memory: Memory) -> None:
    talk = Talk(memory)
    events = talk.say("Remember this: the code is 4711.")
    record = memory.store.get(answered(events).stored[0])
    assert (record.pinned, record.protected) == (True, "asked to remember")
    told_before = answered(talk.say("My shoe size is 44.")).stored[0]
    talk.say("Remember that.")
    assert memory.store.get(told_before).pinned


def test_a_correction_of_nothing_is_an_ordinary_message(memory: Memory) -> None:
    talk = Talk(memory, "I see.")
    events = talk.say("That's wrong.")
    assert answered(events).text == "I see."
    assert not [e for e in events if isinstance(e, Corrected)]


def test_confirming_strengthens(memory: Memory) -> None:
    fact = told(memory, "Tom is allergic to peanuts.")
    talk = Talk(memory, f"Peanuts [{fact.id}].")
    talk.say("What is Tom allergic to?")
    before = memory.store.get(fact.id).stability
    talk.say("Exactly!")
    assert memory.store.get(fact.id).stability >= before
    assert memory.store.uses(fact.id)[0].gain == 1.87


@pytest.mark.parametrize(
    ("text", "what", "due"),
    [
        ("remind me to call the dentist on Monday", "call the dentist", datetime(2024, 6, 24, 8, tzinfo=UTC)),
        (
            "Remind me tomorrow at 9 to water the plants.",
            "water the plants",
            datetime(2024, 6, 22, 9, tzinfo=UTC),
        ),
        ("remind me in two hours to stretch", "stretch", datetime(2024, 6, 21, 14, tzinfo=UTC)),
        ("please remind me on 3 December to pay rent", "pay rent", datetime(2024, 12, 3, 8, tzinfo=UTC)),
        ("remind me at 5pm to call mum", "call mum", datetime(2024, 6, 21, 17, tzinfo=UTC)),
    ],
)
def test_reminders_are_read_with_their_time(text: str, what: str, due: datetime) -> None:
    reminder = tasks.read(text, NOW)
    assert reminder is not None
    assert (reminder.what, reminder.due) == (what, due)


@pytest.mark.parametrize(
    "text", ["Remind me what the doctor said.", "remind me to buy milk", "I need a reminder", ""]
)
def test_no_reminder_without_a_time_or_a_cue(text: str) -> None:
    assert tasks.read(text, NOW) is None


def test_a_reminder_comes_up_when_its_time_comes_and_then_rests(memory: Memory) -> None:
    talk = Talk(memory)
    said = talk.say("Remind me to call the dentist on Monday.")
    assert "Monday, 24 June 2024" in answered(said).text
    assert talk.chat.prompts == []
    (task,) = tasks.open_tasks(memory.store)
    assert (task.kind, task.text) == (Kind.TASK, "call the dentist")
    assert memory.store.links(task.id, LinkKind.DERIVED_FROM)[0].dst == answered(said).stored[0]
    monday = datetime(2024, 6, 24, 9, tzinfo=UTC)
    assert not [e for e in talk.say("Hello!", monday - timedelta(hours=2)) if isinstance(e, Reminded)]
    (shown,) = [e for e in talk.say("Hello!", monday) if isinstance(e, Reminded)]
    assert (shown.text, shown.due) == ("call the dentist", datetime(2024, 6, 24, 8, tzinfo=UTC))
    assert not [e for e in talk.say("Hello!", monday + timedelta(minutes=5)) if isinstance(e, Reminded)]


def test_a_reminder_comes_up_on_its_cue(memory: Memory) -> None:
    talk = Talk(memory)
    talk.say("Remind me to ask about the leak when I see the landlord.")
    assert not [e for e in talk.say("Hello!") if isinstance(e, Reminded)]
    (shown,) = [e for e in talk.say("I met the landlord this morning.") if isinstance(e, Reminded)]
    assert shown.text == "ask about the leak"


def test_counts_are_counted_with_their_evidence(memory: Memory) -> None:
    climbs = [told(memory, f"I went climbing with Marco, route {n}.", 40 + n) for n in range(3)]
    told(memory, "I went climbing.", 300)
    told(memory, "Marco likes to swim.")
    talk = Talk(memory)
    done = answered(talk.say("How many times did I go climbing in May?"))
    assert done.text.startswith("You told me of it 3 times in May 2024: ")
    assert set(done.used) == {r.id for r in climbs}
    assert talk.chat.prompts == []


def test_sums_are_added_up_by_currency(memory: Memory) -> None:
    told(memory, "Paid 120 euros for the bike repair.")
    told(memory, "A new saddle for the bike, paid €30.50.")
    told(memory, "I paid $15 for lunch.")
    told(memory, "The bike has 21 gears.")
    found = exact.answer(memory.store, "How much did I spend on the bike?", NOW)
    assert found is not None
    assert found.text.startswith("By what you told me, €150.50: ")
    assert len(found.evidence) == 2


@pytest.mark.parametrize(
    "question", ["How many times did I fly?", "How much did I spend?", "How often is it?"]
)
def test_what_cannot_be_counted_is_not_guessed(memory: Memory, question: str) -> None:
    told(memory, "I went climbing.")
    assert exact.answer(memory.store, question, NOW) is None
