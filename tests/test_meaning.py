"""Heads that read what a message means: which slot of its user it fills, with which words, and what of that stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.encode import turn
from app.meaning import Head, head_of
from app.sleep.attributes import is_single_valued
from app.sleep.extract import read_episode
from app.sleep.meant import LONGEST, NOTHING, SLOTS, Meaning, by_meaning, meaning
from app.sleep.spans import SPANS, Words, rows_of
from app.slots import ASKED, KIN, NONE, asked_by_meaning
from models.embed import Embedder, Tokens
from models.fake import HashEmbedder
from storage.records import Record, Source

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
Read = Callable[[str], set[tuple[str | None, str | None]]]


def said(text: str, role: str = "user") -> Record:
    return turn(text, now=NOW, speaker=None, role=role, source=Source.USER_SAID, session="s")


def seen(text: str, slot: str, value: str, chance: float = 1.0) -> Meaning:
    """What heads see that take `value` for what fills the slot."""
    spans = [m.span() for m in re.finditer(r"\w[\w'.]*\w|\w", text)]
    odds = [5.0 if text[a:b] in value.split() else -5.0 for a, b in spans]
    return Meaning({slot: chance, NONE: 1 - chance}, Words(text, spans, {slot: odds}))


def read(text: str, slot: str, value: str, *known: str, chance: float = 1.0) -> list[tuple[str | None, ...]]:
    found = by_meaning(said(text), seen(text, slot, value, chance), known)
    return [(c.subject, c.attribute, c.value) for c in found]


# -- the arithmetic ----------------------------------------------------------------------------------


def test_chances_sum_to_one_and_follow_the_weights() -> None:
    head = Head(("a", "b"), np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.5]], np.float32))
    chances = head.chances(np.array([0.0, 2.0], np.float32))
    assert sum(chances.values()) == pytest.approx(1)
    assert chances["b"] / chances["a"] == pytest.approx(np.exp(2.5))


@pytest.mark.parametrize("file", [SLOTS, SPANS, ASKED])
def test_a_head_reads_only_the_models_it_was_fitted_for(file: object) -> None:
    assert head_of(file, "some-other-model") is None  # type: ignore[arg-type]
    head = head_of(file, "minilm-int8")  # type: ignore[arg-type]
    assert head is not None and NONE in head.labels and len(head.weights) == len(head.labels)


@given(st.text(max_size=80))
def test_each_word_that_the_model_reads_has_a_row(text: str) -> None:
    pieces = [m.span() for m in re.finditer(r"\S{1,3}", text)]
    words, rows = rows_of(text, Tokens(pieces, np.ones((len(pieces), 4), np.float32)))
    assert rows.shape == (len(words), 14)
    assert all(text[start:end].strip() for start, end in words)


# -- the value ---------------------------------------------------------------------------------------


def test_a_value_reaches_as_far_as_its_name_and_no_farther() -> None:
    text = "so it's Doctor Pettersson I see now"
    assert seen(text, "doctor", "Pettersson").words.value("doctor") == "Doctor Pettersson"  # type: ignore[union-attr]


def test_the_known_value_is_not_the_news() -> None:
    text = "update my address, it is a flat in Ely. The Peterborough one is let out"
    assert read(text, "home city", "Ely Peterborough", "peterborough") == [("user", "home city", "Ely")]


@given(st.text(max_size=500), st.sampled_from(["employer", "car", "diet", KIN, "unheard of"]))
def test_any_text_is_borne(text: str, slot: str) -> None:
    value = text[len(text) // 2 :].strip()
    for candidate in by_meaning(said(text), seen(text, slot, value), [value.lower()]):
        assert candidate.value and candidate.value in text


# -- what stands -------------------------------------------------------------------------------------


def test_the_value_fills_the_slot() -> None:
    text = "they have me in induction at Norvik all week, lost already"
    assert read(text, "employer", "Norvik") == [("user", "employer", "Norvik")]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I used to live in Swansea", "Swansea"),
        ("I never lived in Swansea", "Swansea"),
        ("after nine years I left Swansea", "Swansea"),
        ("the new place is lovely", "lovely"),  # no name
    ],
)
def test_what_is_over_denied_or_no_name_fills_nothing(text: str, value: str) -> None:
    assert read(text, "home city", value) == []


def test_news_within_a_request_is_read_where_the_heads_are_sure() -> None:
    text = "can you find me a plumber, we got the keys in Utrecht?"
    assert read(text, "home city", "Utrecht") == [("user", "home city", "Utrecht")]
    assert read(text, "home city", "Utrecht", chance=0.3) == []


def test_unsure_heads_leave_a_message_alone() -> None:
    assert read("no internet yet but Utrecht is grand", "home city", "Utrecht", chance=0.1) == []
    assert list(by_meaning(said("Utrecht is grand"), NOTHING)) == []


def test_where_a_relative_lives_is_the_relatives_slot() -> None:
    text = "drove my sister's plants to Dunedin, one survived"
    assert read(text, KIN, "Dunedin") == [("user's sister", "home city", "Dunedin")]
    assert read("drove some plants to Dunedin, one survived", KIN, "Dunedin") == []


def test_rules_come_first_and_meaning_reads_what_they_leave() -> None:
    turns = [said("I live in Bergen."), said("no internet yet but Utrecht is grand, I hear gulls")]
    heads = {t.id: seen(t.text, "home city", "Bergen Utrecht") for t in turns}
    assert [p.value for p in read_episode(turns, heads)] == ["Bergen", "Utrecht"]
    assert [p.value for p in read_episode(turns, {})] == ["Bergen"]


def test_only_its_users_words_are_read_by_meaning() -> None:
    turns = [said("no internet yet but Utrecht is grand", "assistant")]
    assert read_episode(turns, {t.id: seen(t.text, "home city", "Utrecht") for t in turns}) == []


def test_a_model_without_a_head_is_not_asked() -> None:
    assert asked_by_meaning("which lot run the building I rent in?", HashEmbedder()) is None


# -- the heads that ship -----------------------------------------------------------------------------


@pytest.fixture
def told(embedder: Embedder) -> Read:
    head = head_of(SLOTS, embedder.name)
    assert head is not None

    def read(text: str) -> set[tuple[str | None, str | None]]:
        one = said(text)
        heads = {one.id: meaning(text, head.chances(embedder.embed([text])[0]), embedder)}
        return {(p.attribute, p.value) for p in read_episode([one], heads) if p.subject == "user"}

    return read


@pytest.mark.embedder
@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("Bye bye old banger, hello Skoda. The heated seats changed my life.", "car", "Skoda"),
        ("Boxes everywhere but we made it, first night in our new house in Leeds!", "home city", "Leeds"),
        ("big reorg at work... long story short, Sandra is in charge of my team now", "boss", "Sandra"),
        ("My old doctor retired, so Dr. Patel has taken over my file.", "doctor", "Dr. Patel"),
        ("Got the promotion!!! You're talking to a chef now.", "job title", "chef"),
        ("first payslip from Norvik came today, so it's real, I work there", "employer", "Norvik"),
    ],
)
def test_changes_are_heard_in_whatever_words(told: Read, text: str, slot: str, value: str) -> None:
    assert (slot, value) in told(text)


@pytest.mark.embedder
def test_other_lives_wishes_and_questions_fill_next_to_nothing(told: Read) -> None:
    from bench.heads import slots

    none = [line.text for line in slots(held_out=True) if line.label == NONE]
    none += [
        "We finally booked a house in Crete for the holidays.",
        "My brother has a new car, a Skoda.",
        "I'm thinking of a new car, maybe a Skoda.",
        "Is the new gym at Kettle Hall any good? I have not joined it.",
        "I compared a Skoda with a Kia at the dealer, new cars are dear.",
        "He moved to Leeds, I hear the house is new.",
        "Leeds " + "and so on " * (LONGEST // 8),
    ]
    filled = [text for text in none if any(is_single_valued(slot or "") for slot, _ in told(text))]
    assert len(filled) <= 0.08 * len(none), filled


@pytest.mark.embedder
def test_slots_and_values_are_told_in_words_of_another_hand(embedder: Embedder) -> None:
    from bench.heads import slots

    head = head_of(SLOTS, embedder.name)
    assert head is not None
    lines = [line for line in slots(held_out=True) if line.label in head.labels and line.value][::4]
    chances = [head.chances(embedder.embed([line.text])[0]) for line in lines]
    heads = [meaning(line.text, c, embedder) for line, c in zip(lines, chances, strict=True)]
    right = [
        one.words is not None and line.value in one.words.value(line.label)
        for line, one in zip(lines, heads, strict=True)
        if one.likeliest()[0][0] == line.label
    ]
    assert len(right) >= 0.8 * len(lines)
    assert sum(right) >= 0.85 * len(right)


@pytest.mark.embedder
def test_questions_of_another_hand_ask_for_their_slot(embedder: Embedder) -> None:
    from bench.heads import asked

    lines = list(asked(held_out=True))
    named = [asked_by_meaning(line.text, embedder) for line in lines]
    wanted = [line.label != NONE for line in lines]
    heard = [slot is not None for slot in named]
    assert sum(h for h, w in zip(heard, wanted, strict=True) if w) >= 0.8 * sum(wanted)
    assert sum(h for h, w in zip(heard, wanted, strict=True) if not w) <= 0.05 * (len(lines) - sum(wanted))
