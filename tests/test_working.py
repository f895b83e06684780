"""The window: always within budget, stable from turn to turn, the newest words never lost, folding rare."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.working import Window, gist_line
from models.chat import Message
from models.fake import EchoChat

count = EchoChat().count_tokens
SYSTEM = "You are mem. Answer shortly."


def window(size: int = 400, **more: object) -> Window:
    return Window(count, size, SYSTEM, **more)  # type: ignore[arg-type]


def exchanged(view: Window, turns: int, first: int = 0) -> None:
    for n in range(first, first + turns):
        view.add("user", f"On day {n} I planted {n} tulips in the garden.", f"u{n}")
        view.add("assistant", "That sounds like a good day.", f"a{n}")


def contents(messages: tuple[Message, ...]) -> str:
    return "\n".join(m.content for m in messages)


def test_the_prompt_goes_from_stable_to_volatile() -> None:
    view = window(examples=(Message("user", "2+2?"), Message("assistant", "4")))
    exchanged(view, 1)
    messages = view.layout("Where?", 'Notes:\n[m7k2] "Lisbon"', "Message: ").messages
    assert [m.role for m in messages] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert messages[0].content == SYSTEM
    assert messages[-1].content == 'Notes:\n[m7k2] "Lisbon"\n\nMessage: Where?'


def test_each_prompt_begins_with_the_one_before_it_when_no_evidence_is_shown() -> None:
    view = window()
    first = view.layout("Hello").messages
    view.add("user", "Hello", "u")
    view.add("assistant", "Hi", "a")
    assert view.layout("How are you?", "Notes: x").messages[: len(first)] == first


def test_evidence_does_not_enter_the_conversation() -> None:
    view = window()
    view.layout("Where?", "Notes:\nsecret evidence")
    view.add("user", "Where?", "u")
    view.add("assistant", "There.", "a")
    assert "secret" not in contents(view.layout("Thanks").messages)


def test_a_full_window_folds_the_oldest_turns_into_lines_and_keeps_the_rest_verbatim() -> None:
    view = window(700)
    exchanged(view, 30)
    laid = view.layout("And now?")
    assert laid.folded > 0
    assert laid.tokens <= 700 - view.reply_tokens
    assert "On day 29" in contents(laid.messages[1:])
    assert "On day 0 " not in contents(laid.messages[1:])
    assert 'The user said: "On day' in laid.messages[0].content
    assert view.layout("And now?").folded == 0


def test_folding_is_rare_so_that_the_prefix_lasts() -> None:
    view, folds = window(1200), 0
    for n in range(100):
        exchanged(view, 1, n)
        folds += bool(view.layout("Next?").folded)
    assert 0 < folds <= 15


@settings(deadline=None, max_examples=60)
@given(
    st.integers(64, 3000),
    st.lists(st.text(alphabet="abc .!\n", max_size=400), max_size=12),
    st.text(alphabet="xyz .?\n", min_size=1, max_size=4000),
    st.text(alphabet="ev [m2].\n", max_size=600),
)
def test_every_prompt_fits_and_ends_with_the_newest_words(
    size: int, said: list[str], newest: str, evidence: str
) -> None:
    view = window(size)
    for n, text in enumerate(said):
        view.add("user" if n % 2 == 0 else "assistant", text, f"m{n}")
    room = view.room_for_evidence(newest, 400)
    laid = view.layout(newest, evidence if count(evidence) + 8 <= room else "")
    assert laid.tokens <= max(size - view.reply_tokens, 64)
    assert laid.messages[-1].role == "user"
    if "left out" not in laid.messages[-1].content:
        assert laid.messages[-1].content.endswith(newest)


def test_a_message_longer_than_the_window_keeps_its_head_and_tail_in_whole_sentences() -> None:
    view = window(300)
    text = " ".join(f"Sentence number {n} is here." for n in range(200))
    last = view.layout(text, "Notes: gone").messages[-1].content
    assert last.startswith("Sentence number 0 is here.")
    assert last.endswith("Sentence number 199 is here.")
    assert "words are left out here; memory holds all of it" in last
    assert "gone" not in last


@pytest.mark.parametrize("text", ["x" * 50_000, "word " * 20_000, "a. " * 20_000])
def test_text_without_sentences_is_shortened_too(text: str) -> None:
    view = Window(lambda t: (len(t) + 3) // 4, 512, SYSTEM)
    assert view.layout(text).tokens <= 512


def test_pinned_turns_outlast_the_others_and_hidden_ones_go() -> None:
    view = window(700)
    exchanged(view, 2)
    assert view.pin("u0")
    assert view.hide("u1")
    exchanged(view, 30, 2)
    text = contents(view.layout("Next?").messages)
    assert "On day 0 " in text
    assert "On day 1 " not in text
    assert not view.pin("nobody")


def test_a_folded_turn_can_be_restored() -> None:
    view = window(2000)
    exchanged(view, 2)
    view.fold("u0")
    assert "On day 0 " in view.layout("Next?").messages[0].content
    view.restore("u0")
    assert "On day 0 " not in view.layout("Next?").messages[0].content
    assert [p.state for p in view.parts() if p.name == "u0"] == ["pinned"]


def test_an_answer_that_never_came_leaves_the_roles_in_turn() -> None:
    view = window()
    view.add("user", "first", "u0")
    view.add("user", "second", "u1")
    roles = [m.role for m in view.layout("third").messages]
    assert roles == ["system", "user", "assistant", "user"]


def test_the_line_of_a_turn_is_its_weightiest_sentence() -> None:
    view = window()
    view.add("user", "It rained. The doctor says that I am allergic to nuts! We had tea.", "u")
    assert gist_line(view.turns[0]) == '- The user said: "The doctor says that I am allergic to nuts!"'
    view.add("assistant", "I see.", "a")
    assert gist_line(view.turns[1]) == ""


def test_a_window_smaller_than_everything_still_gives_a_prompt() -> None:
    view = Window(count, 64, SYSTEM * 20)
    exchanged(view, 5)
    laid = view.layout("This is what I say now.", "Notes: x")
    assert laid.messages[-1].content
    assert laid.messages[0].role == "system"
