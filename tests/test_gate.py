"""The retrieval gate against its labelled set, and on input that nobody labelled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.gate import Need, chance_of_need, judge
from models.embed import Embedder
from models.fake import HashEmbedder

DATA = Path(__file__).parent / "data"
SETS = ("gate.jsonl", "gate_held_out.jsonl")  # written beside the gate; written after it, and never tuned on
UNSEEN = ("gate_held_out.jsonl", "gate_blind.jsonl")  # by others, and no part of what the head was fitted on


def labelled(name: str, need: bool) -> list[str]:
    rows = [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]
    return [row["text"] for row in rows if row["need"] is need]


@pytest.mark.parametrize("name", SETS)
def test_questions_about_the_user_are_not_missed(name: str) -> None:
    needed = labelled(name, True)
    missed = [text for text in needed if not judge(text).recall]
    assert len(missed) <= 0.02 * len(needed), missed


@pytest.mark.parametrize("name", SETS)
def test_small_talk_and_general_knowledge_cost_no_recall(name: str) -> None:
    idle = labelled(name, False)
    needless = [text for text in idle if judge(text).recall]
    assert len(needless) <= 0.25 * len(idle), needless


@pytest.mark.parametrize("name", SETS)
def test_nothing_that_needs_no_memory_is_called_personal(name: str) -> None:
    assert [text for text in labelled(name, False) if judge(text).personal] == []


@pytest.mark.embedder
def test_meaning_tells_what_needs_memory_in_words_that_nobody_foresaw(embedder: Embedder) -> None:
    def asked(need: bool) -> list[str]:
        return [text for name in UNSEEN for text in labelled(name, need)]

    def recalled(text: str) -> bool:
        return judge(text, None, chance_of_need(text, embedder)).recall

    needed, idle = asked(True), asked(False)
    missed, needless = [t for t in needed if not recalled(t)], [t for t in idle if recalled(t)]
    assert len(missed) <= 0.02 * len(needed), missed
    assert len(needless) <= 0.25 * len(idle), needless


def test_a_model_that_no_head_was_fitted_for_leaves_it_to_the_words() -> None:
    assert chance_of_need("Where do I live?", HashEmbedder()) is None
    assert chance_of_need("Where do I live?", None) is None


def test_what_means_nothing_of_ones_own_needs_no_memory_and_is_never_personal() -> None:
    assert judge("My head hurts lol, what's 12 * 14?", None, 0.05) == Need(
        False, False, "nothing of yours is asked for"
    )
    assert judge("Which town is my home in?", None, 0.9).personal


def test_a_follow_up_goes_as_what_it_follows_whatever_it_means_alone() -> None:
    before = Need(True, True, "a question about you")
    assert judge("and when?", before, 0.05).recall


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
