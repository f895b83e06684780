"""Slots that a chat model names: the message has to bear the value out, as true of its speaker now."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.encode import turn
from app.sleep.fills import SLOTS, filling
from app.sleep.whom import person_of
from storage.records import Record

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
USER = person_of("user")


def said(text: str) -> Record:
    return turn(text, now=NOW, speaker="me")


@pytest.mark.parametrize(
    ("text", "slot", "value", "fact"),
    [
        ("Guess whose keys I got in Leeds?", "home city", "Leeds", "The user's home city is Leeds."),
        ("Kevin signs my leave from today.", "boss", "Kevin", "The user's boss is Kevin."),
        ("lol, I am on late shifts now", "work schedule", "late shifts", "The user's work schedule is late shifts."),
        ("I need matcha, no more cocoa!", "favourite drink", "matcha", "The user's favourite drink is matcha."),
        ("Tea is my drink, I could have it all day.", "favourite drink", "tea", "The user's favourite drink is Tea."),
        ("Mum got her keys in Leeds.", "mother's home city", "Leeds", "The user's mother's home city is Leeds."),
    ],
)  # fmt: skip
def test_what_a_message_says_of_its_speaker_fills_a_slot(text: str, slot: str, value: str, fact: str) -> None:
    found = filling(slot, value, USER, said(text))
    assert found is not None
    assert found.text == fact
    assert value.lower() in text[found.start : found.end].lower()


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("Kevin signs my leave from today.", "boss", "Ruth"),  # not its words
        ("Kevin signs my leave from today.", "soul", "Kevin"),
        ("I joke that my boss is the toaster.", "boss", "the toaster"),  # no name
        ("Is Leeds my home now?", "home city", "Leeds"),
        ("If I lived in Leeds I'd be happy.", "home city", "Leeds"),
        ("I might move to Leeds.", "home city", "Leeds"),
        ("I never worked at Lidl.", "employer", "Lidl"),
        ("I left Lidl for good.", "employer", "Lidl"),
        ("Ann said I am at Lidl.", "employer", "Lidl"),
        ("My uncle works at Lidl.", "employer", "Lidl"),
        ("The neighbours moved to Leeds.", "home city", "Leeds"),
        ("I moved to Leeds.", "sister's home city", "Leeds"),
        ("I moved to Leeds.", "home city", ""),
        ("I live in Leeds now, just kidding!", "home city", "Leeds"),
        ("I live in Leeds now?", "home city", "Leeds"),
    ],
)
def test_what_is_not_the_speakers_life_fills_none(text: str, slot: str, value: str) -> None:
    assert filling(slot, value, USER, said(text)) is None


@given(st.text(min_size=1, max_size=200), st.sampled_from(SLOTS), st.text(max_size=40))
def test_no_text_breaks_it(text: str, slot: str, value: str) -> None:
    found = filling(slot, value, USER, said(text))
    assert found is None or 0 <= found.start < found.end <= len(text)
