"""Heads that read what a message means: which slot of its user it fills, and what of that is borne out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.encode import turn
from app.meaning import Head, head_of
from app.sleep.extract import read_episode
from app.sleep.meant import NONE, SLOTS, by_meaning
from models.embed import Embedder
from storage.records import Record, Source

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def said(text: str, role: str = "user") -> Record:
    return turn(text, now=NOW, speaker=None, role=role, source=Source.USER_SAID, session="s")


def read(
    text: str, slot: str, *known: str, none: float = 0.0
) -> list[tuple[str | None, str | None, str | None]]:
    found = by_meaning(said(text), {slot: 1.0 - none, NONE: none}, known)
    return [(c.subject, c.attribute, c.value) for c in found]


def test_chances_sum_to_one_and_follow_the_weights() -> None:
    head = Head(("a", "b"), np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.5]], np.float32))
    chances = head.chances(np.array([0.0, 2.0], np.float32))
    assert sum(chances.values()) == pytest.approx(1)
    assert chances["b"] / chances["a"] == pytest.approx(np.exp(2.5))


def test_a_head_reads_only_the_models_it_was_fitted_for() -> None:
    assert head_of(SLOTS, "some-other-model") is None
    head = head_of(SLOTS, "minilm-int8")
    assert head is not None and NONE in head.labels and head.weights.shape == (len(head.labels), 385)


def test_the_one_value_of_its_kind_fills_the_slot() -> None:
    assert read("they have me in induction at Norvik all week, lost already", "employer") == [
        ("user", "employer", "Norvik")
    ]


def test_what_is_called_the_old_one_and_what_is_known_is_not_the_news() -> None:
    assert read("handed my keys back, left Leeds, and Utrecht is grand so far", "home city") == [
        ("user", "home city", "Utrecht")
    ]
    text = "update my address, it is a flat in Ely. The Peterborough one is let out"
    assert read(text, "home city", "peterborough") == [("user", "home city", "Ely")]


@pytest.mark.parametrize(
    "text",
    [
        "we looked at Porto and Lisbon",  # two, and nothing to choose by
        "the new place is lovely",  # none
        "I used to live in Swansea",
        "if I won the lottery I would move to Nice",
        "is the gym in Bergen any good?",
        "Norvik " + "and so on " * 60,
    ],
)
def test_where_no_one_value_is_borne_out_nothing_is_read(text: str) -> None:
    assert read(text, "home city") == []


def test_an_unsure_head_leaves_a_message_alone() -> None:
    assert read("no internet yet but Utrecht is grand", "home city", none=0.5) == []


def test_where_a_relative_lives_is_the_relatives_slot() -> None:
    [(subject, attribute, value)] = read(
        "drove my sister's plants to Dunedin, one survived", "relative's city"
    )
    assert (subject, attribute, value) == ("user's sister", "home city", "Dunedin")
    assert read("drove some plants to Dunedin, one survived", "relative's city") == []


def test_rules_come_first_and_meaning_reads_what_they_leave() -> None:
    turns = [
        said("I live in Bergen."),
        said("no internet yet but Utrecht is grand, I can hear gulls from the new bedroom"),
    ]
    seen = {t.id: {"home city": 1.0, NONE: 0.0} for t in turns}
    assert [p.value for p in read_episode(turns, seen)] == ["Bergen", "Utrecht"]
    assert [p.value for p in read_episode(turns, {})] == ["Bergen"]


def test_only_its_users_words_are_read_by_meaning() -> None:
    turns = [said("no internet yet but Utrecht is grand", "assistant")]
    assert read_episode(turns, {t.id: {"home city": 1.0, NONE: 0.0} for t in turns}) == []


@given(st.text(max_size=500), st.sampled_from(["employer", "car", "diet", "relative's city", "unheard of"]))
def test_any_text_is_borne(text: str, slot: str) -> None:
    for candidate in by_meaning(said(text), {slot: 1.0, NONE: 0.0}):
        assert candidate.value and candidate.value in text


@pytest.mark.embedder
def test_slots_are_told_in_words_of_another_hand(embedder: Embedder) -> None:
    from bench.heads import slots

    head = head_of(SLOTS, embedder.name)
    assert head is not None and Path(SLOTS).is_file()
    told = [line for line in slots(held_out=True) if line[1] in head.labels and line[1] != NONE][::4]
    right = 0
    for text, label in told:
        chances = {k: v for k, v in head.chances(embedder.embed([text])[0]).items() if k != NONE}
        right += max(chances, key=chances.__getitem__) == label
    assert right >= 0.8 * len(told)
