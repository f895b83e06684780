"""The veto over what a model writes: what its source does not hold is refused, with the reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sleep.support import echoes, judge, supported

SOURCE = (
    "We moved to Ghent in March and the twins, Mia and Jo, started school on Monday. I never drink coffee."
)


@pytest.mark.parametrize(
    "statement",
    [
        "Lea moved to Ghent in March.",
        "Lea's twins Mia and Jo started school on Monday.",
        "Lea never drinks coffee.",
    ],
)
def test_what_was_said_passes(statement: str) -> None:
    assert judge(statement, SOURCE, speaker="Lea").reasons == ()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("Lea moved to Bruges in March.", "name Bruges"),
        ("Lea has 3 twins.", "number 3"),
        ("Lea drinks coffee.", "yes into no"),
        ("Lea works as a baker and loves long walks.", "not those of its source"),
        ("Lea.", "says nothing"),
    ],
)
def test_what_was_not_said_is_refused(statement: str, reason: str) -> None:
    assert any(reason in r for r in judge(statement, SOURCE, speaker="Lea").reasons)


def test_wishes_and_other_peoples_words_are_no_evidence() -> None:
    assert not supported("Tom bought a house.", "If I won the lottery I bought a house.", speaker="Tom")
    assert not supported("Tom is an idiot.", "My brother said I am an idiot.", speaker="Tom")


def test_number_words_are_numbers() -> None:
    assert supported("The user has 2 dogs.", "I have two dogs.", speaker="user")


def test_an_echo_is_recognised() -> None:
    assert echoes("The user lives in Porto.", ["[m1] 4 March: I live in Porto"])
    assert not echoes("The user lives in Porto.", ["I like jazz"])


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_it(statement: str, source: str) -> None:
    judge(statement, source, speaker="user")


@pytest.mark.parametrize("what", ["jogging", "smoking", "coffee"])
def test_what_was_stopped_begun_or_liked_is_named_in_its_source(what: str) -> None:
    said = f"No, I stopped {what} since my back pain, and now I go to the pool."
    assert supported(f"Ana stopped {what} since her back pain.", said, speaker="Ana")
    elsewhere = said.replace(f" {what}", "")
    assert not supported(f"Ana stopped {what} since her back pain.", elsewhere, speaker="Ana")
