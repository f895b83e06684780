"""What a chat model is asked about a message whose meaning is half heard: it picks, and code decides."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_meaning import NOW, said, seen

from app.sleep.choose import LETTERS, NEITHER, PROMPT, SYSTEM, Choice, choice_of, chosen, prompt, schema
from app.sleep.extract import read_episode
from app.sleep.meant import NOTHING, Meaning
from app.sleep.night import sleep
from app.slots import NONE
from models.chat import Message
from models.embed import Embedder
from models.fake import EchoChat
from storage.records import Filter, Kind

TEXT = "three weeks of Portuguese grammar, my head hurts, the other course is history"
PICK: Choice = [("language class", 15, 25)]


def test_what_is_half_heard_is_asked_about() -> None:
    turn, half = said(TEXT), seen(TEXT, "language class", "Portuguese", chance=0.15)
    assert choice_of(turn, half, [], ()) == PICK
    assert choice_of(turn, half, [], ["portuguese"]) == []
    assert choice_of(turn, seen(TEXT, "language class", "Portuguese", chance=0.05), [], ()) == ()
    assert choice_of(turn, NOTHING, [], ()) == choice_of(turn, Meaning({NONE: 1.0}), [], ()) == ()


def test_what_fills_a_slot_already_is_not_asked_about() -> None:
    turn = said("I live in Bergen.")
    heard = seen(turn.text, "home city", "Bergen")
    assert choice_of(turn, heard, read_episode([turn], {}), ()) == ()


def test_the_model_is_shown_statements_and_may_answer_with_a_letter() -> None:
    (system, *_, last) = prompt(said(TEXT), PICK)
    assert system.content == SYSTEM
    assert last.content == f"user: {TEXT}\nA: The user's language class is Portuguese."
    assert schema(PICK) == {"enum": ["A", NEITHER]}


@pytest.mark.parametrize("raw", ['"B"', '"none"', "null", '["A"]', "A", "", "\ufffd\x00", '"A" "A"'])
def test_whatever_else_it_says_adds_nothing(raw: str) -> None:
    assert chosen(raw, said(TEXT), "model", PICK)[0] == []


def test_what_it_picks_must_stand_in_the_message() -> None:
    [told] = chosen('"A"', said(TEXT), "model", PICK)[0]
    assert (told.attribute, told.value, told.derived_by) == ("language class", "Portuguese", "model")
    assert chosen('"A"', said("I never learnt Portuguese"), "model", [("language class", 15, 25)]) == ([], 1)


@given(st.text(max_size=200), st.text(max_size=20), st.integers(0, 300), st.integers(0, 300))
def test_no_text_and_no_place_breaks_it(text: str, raw: str, start: int, end: int) -> None:
    choice = [("home city", start, end)]
    assert prompt(said(text), choice)
    found, refused = chosen(raw, said(text), "model", choice)
    assert len(found) + refused <= 1


@pytest.mark.embedder
def test_what_a_night_asked_closes_what_the_slot_held_and_its_ledger_keeps_no_words(
    tmp_path: Path, embedder: Embedder
) -> None:
    asked: list[str] = []

    def picks_first(messages: Sequence[Message]) -> str:
        if messages[0].content != SYSTEM:
            return json.dumps({"facts": []})
        asked.append(messages[-1].content)
        return json.dumps(LETTERS[0])

    from nights import opened

    memory = opened(tmp_path, models__embed=embedder.name)
    text = "does Iron Yard have towels, my card came today?"
    memory.add([replace(said("My gym is The Cellar."), event_time=NOW - timedelta(days=90))], "say", NOW)
    memory.add([said(text)], "say", NOW)
    sleep(memory, EchoChat(picks_first), NOW + timedelta(hours=12))
    assert [line.splitlines()[:2] for line in asked] == [[f"user: {text}", "A: The user's gym is Iron Yard."]]
    rows = memory.store.connection.execute("SELECT input FROM jobs WHERE input LIKE '%choice%'").fetchall()
    assert rows and not any("Iron" in row[0] for row in rows)
    picked = memory.store.records(Filter(kinds=frozenset({Kind.SEMANTIC})))
    (old, new) = sorted((fact for fact in picked if fact.attribute == "gym"), key=lambda fact: fact.seq)
    assert (new.text, new.derived_by) == ("The user's gym is Iron Yard.", f"read/{PROMPT}+echo")
    assert old.superseded_by == new.id
    memory.close()
