"""The second hop: what the first hits call by name, and what is found by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import encode
from app.recall.analysis import analyse
from app.recall.candidates import Candidates
from app.recall.hop import MOST, second_hop
from app.recall.recall import Query, Recall
from storage.search import Brief, briefs
from storage.store import Store

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SISTER = "My sister Odile came over for the weekend."


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "mem.db") as opened:
        yield opened


def told(store: Store, texts: Sequence[str], speaker: str = "user", role: str = "user") -> list[Brief]:
    with store.atomic("test", NOW):
        store.insert([encode.turn(text, now=NOW, speaker=speaker, role=role) for text in texts])
    return list(briefs(store.connection, range(1, 100)).values())


def asked(question: str, found: Sequence[Brief], speakers: Sequence[str] = ()) -> str | None:
    flat = {brief.seq: 1.0 for brief in found}
    candidates = Candidates.of(found, {"dense": flat, "dense_context": {}, "text": flat})
    further = second_hop(analyse(question, speakers, NOW), candidates)
    return further.bare if further else None


@pytest.mark.parametrize(
    ("text", "question", "further"),
    [
        (SISTER, "Where does my sister work?", "Where does my sister Odile work?"),
        (
            "Our old van is called Gustav.",
            "What is wrong with our van?",
            "What is wrong with our van Gustav?",
        ),
        ("I met a singer named Sorrel.", "Where was the singer born?", "Where was the singer Sorrel born?"),
        ("My dentist, Quist, has moved.", "What does my dentist plan?", "What does my dentist Quist plan?"),
        ("Piet is my godson.", "What did my godson learn?", "What did my godson Piet learn?"),
        ("Piet is my godson.", "What did Piet learn?", "What did Piet godson learn?"),
    ],
)
def test_what_is_called_by_name_is_looked_for_by_name(
    store: Store, text: str, question: str, further: str
) -> None:
    assert asked(question, told(store, [text])) == further


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (SISTER, "Where does my brother work?"),
        (SISTER, "Did Odile, my sister, come over for the weekend?"),
        ("My sister came over. Nice weather.", "Where does my sister work?"),
        ("My existing Flask app is slow.", "What does Flask need?"),
        (SISTER, ""),
    ],
)
def test_there_is_no_second_hop_without_need(store: Store, text: str, question: str) -> None:
    assert asked(question, told(store, [text])) is None


def test_between_two_people_only_the_teller_names_what_is_theirs(store: Store) -> None:
    found = told(store, [SISTER], "Ann", "other")
    assert asked("Where does Ann's sister work?", found, ["Ann", "Ben"]) == "Where does sister Odile work?"
    assert asked("Where does Ben's sister work?", found, ["Ann", "Ben"]) is None


def test_the_second_memory_is_found(store: Store) -> None:
    chatter = [f"The weather was dull on day {n}, and the work was long." for n in range(100)]
    told(store, [SISTER, *chatter, "Odile has started at the harbour office."])
    found = Recall(store, None).recall(Query("Where does my sister work?", NOW, k=2))
    assert {hit.record.text for hit in found.hits} == {SISTER, "Odile has started at the harbour office."}


@given(
    st.lists(
        st.sampled_from(["my", "sister", "Odile", "called", "named", ",", "is", "Bo", "the"]), max_size=40
    )
)
def test_no_words_break_it_and_few_names_are_followed(words: list[str]) -> None:
    text = " ".join(words)
    brief = Brief(1, "1", "episodic", text, "", None, "user", None, NOW.isoformat(), None, 1.0, 0, None, None, None,
                  None, None)  # fmt: skip
    each = {"dense": {1: 1.0}, "dense_context": {}, "text": {}}
    analysis = analyse("Where does my sister work?", [], NOW)
    further = second_hop(analysis, Candidates.of([brief], each))
    assert further is None or len(further.terms) <= len(analysis.terms) + MOST
