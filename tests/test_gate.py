"""The retrieval gate against its labelled set, and on input that nobody labelled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gate import Need, judge

DATA = Path(__file__).parent / "data" / "gate.jsonl"
LABELLED = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


def share(need: bool, wrong: list[str]) -> float:
    return len(wrong) / sum(1 for row in LABELLED if row["need"] is need)


def test_questions_about_the_user_are_not_missed() -> None:
    missed = [row["text"] for row in LABELLED if row["need"] and not judge(row["text"]).recall]
    assert share(True, missed) <= 0.02, missed


def test_small_talk_and_general_knowledge_cost_no_recall() -> None:
    needless = [row["text"] for row in LABELLED if not row["need"] and judge(row["text"]).recall]
    assert share(False, needless) <= 0.25, needless


def test_nothing_that_needs_no_memory_is_called_personal() -> None:
    assert [row["text"] for row in LABELLED if not row["need"] and judge(row["text"]).personal] == []


@pytest.mark.parametrize(
    "text", ["Where do I live?", "what's my sister's name", "Do you remember the hotel?"]
)
def test_a_question_about_the_user_is_personal(text: str) -> None:
    assert judge(text) == Need(True, True, "a question about you")


def test_a_short_follow_up_takes_the_verdict_of_the_turn_before() -> None:
    needed = Need(True, True, "a question about you")
    assert judge("and when?", needed).recall
    assert not judge("and when?", Need(False, False, "small talk")).recall


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "?!...", "🙂"])
def test_nothing_said_needs_nothing(text: str) -> None:
    assert judge(text) == Need(False, False, "nothing was said")


@given(st.text(max_size=300))
def test_any_text_gets_a_verdict(text: str) -> None:
    verdict = judge(text)
    assert verdict.recall or not verdict.personal


def test_a_megabyte_is_judged_by_its_beginning() -> None:
    assert judge("Where do I live? " + "thanks " * 150_000).personal
    assert not judge("ok " * 300_000).personal
