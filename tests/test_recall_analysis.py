"""A question taken apart: names, subject, kinds of answer; and what a turn takes from the turns before it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import encode
from app.recall.abstain import probability
from app.recall.analysis import MOST_TERMS, analyse
from app.recall.candidates import Candidates
from app.recall.context import context_of, question_of, views_of
from app.recall.order import LENT, LENT_BY_GIST, ranking, with_each, with_origins
from app.recall.weights import Weights, load_weights
from app.recall.words import match_any, stem
from storage.records import Record
from storage.search import Brief

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
SPEAKERS = ["Anna Keller", "Bo", "user", "assistant"]


@pytest.mark.parametrize(
    ("question", "named", "bare"),
    [
        ("Where does Anna live?", ("Anna Keller",), "Where does live?"),
        ("What is Bo's dog called?", ("Bo",), "What is dog called?"),
        ("What do Anna and BO like?", ("Anna Keller", "Bo"), "What do and like?"),
        ("Where does Carl live?", (), "Where does Carl live?"),
        ("What did the user say?", (), "What did the user say?"),
    ],
)
def test_names_of_speakers_are_taken_out(question: str, named: tuple[str, ...], bare: str) -> None:
    found = analyse(question, SPEAKERS, NOW)
    assert (found.named, found.bare) == (named, bare)


@pytest.mark.parametrize(
    ("question", "teller"),
    [
        ("Where does Anna live?", "Anna Keller"),
        ("What did Bo tell Anna about the flat?", "Bo"),
        ("What does Anna think of Bo's plan?", "Anna Keller"),
        ("Which books has Anna got from Bo?", "Bo"),
        ("What do Anna and Bo have in common?", None),
        ("Which film have Bo and Anna both seen?", None),
        ("What is for dinner?", None),
    ],
)
def test_who_of_those_named_would_tell(question: str, teller: str | None) -> None:
    assert analyse(question, SPEAKERS, NOW).teller == teller


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("How do I cook rice?", True),
        ("Could you show me a stew?", True),
        ("What are good ways to travel?", True),
        ("What is my sister's name?", False),
        ("How did I cook rice?", False),
        ("Where do I live?", False),
    ],
)
def test_asking_for_help_is_told_from_asking_what_was_said(question: str, wanted: bool) -> None:
    assert ("help" in analyse(question, SPEAKERS, NOW).seeks) == wanted


def test_a_first_name_that_two_share_names_neither() -> None:
    assert analyse("Where is Anna?", ["Anna Keller", "Anna Bolt"], NOW).named == ()


@pytest.mark.parametrize(
    ("question", "kinds"),
    [
        ("When did we meet?", {"time"}),
        ("How many cats do I have?", {"number", "list"}),
        ("Where did she go?", {"place"}),
        ("Why did he leave?", {"reason"}),
        ("What books has Bo read?", {"list"}),
        ("Tell me something.", set()),
    ],
)
def test_the_kind_of_answer_sought(question: str, kinds: set[str]) -> None:
    assert analyse(question, SPEAKERS, NOW).seeks == kinds


def test_a_request_is_not_its_subject() -> None:
    asked = "Can you list the order in which I brought up different aspects of pruning roses across our conversations?"
    found = analyse(asked, SPEAKERS, NOW)
    assert found.terms == ("pruning", "roses")
    assert "list" in found.seeks
    assert found.of_self


def test_a_request_of_little_else_stays_whole() -> None:
    assert (
        analyse("Can you give me a summary of it?", SPEAKERS, NOW).bare == "Can you give me a summary of it?"
    )


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("What did you recommend for the knee?", True),
        ("How did you say I should start?", True),
        ("Do you know me?", False),
    ],
)
def test_whether_it_asks_for_what_the_assistant_said(question: str, asks: bool) -> None:
    assert analyse(question, SPEAKERS, NOW).of_assistant is asks


@given(st.text(max_size=3000))
def test_terms_never_break_full_text(text: str) -> None:
    found = analyse(text, SPEAKERS, NOW)
    assert len(found.terms) <= MOST_TERMS
    assert match_any(found.terms).count('"') == 2 * len(found.terms)


@pytest.mark.parametrize(("one", "other"), [("hiking", "hiked"), ("cities", "city"), ("loves", "loved")])
def test_inflections_share_a_stem(one: str, other: str) -> None:
    assert stem(one) == stem(other)


def said(text: str, speaker: str, role: str) -> Record:
    return encode.turn(text, now=NOW, speaker=speaker, role=role, session="s")


def test_a_turn_between_people_is_read_with_the_two_before_it() -> None:
    turns = [said(f"Turn {n}.", "Bo", "other") for n in range(3)]
    assert context_of(said("Yes.", "Anna", "other"), turns) == "Bo: Turn 1.\nBo: Turn 2."
    record = replace(said("Yes.", "Anna", "other"), context="Bo: Tea?")
    assert views_of(record) == {"text": "Anna: Yes.", "context": "Bo: Tea?\nAnna: Yes."}


def test_beside_an_assistant_a_turn_stands_alone() -> None:
    turns = [said("Hello.", "user", "user"), said("Hi, how can I help? " * 50, "assistant", "assistant")]
    assert context_of(said("I have a cat.", "user", "user"), turns) == ""
    assert context_of(turns[1], turns[:1]) == ""


def test_a_short_answer_to_an_assistant_carries_its_question_alone() -> None:
    turns = [said("Hello.", "user", "user"), said("Hi. How long have you rowed?", "assistant", "assistant")]
    assert context_of(said("Two years.", "user", "user"), turns) == "How long have you rowed?"
    assert context_of(said("Why do you ask?", "user", "user"), turns) == ""
    assert context_of(said("I rowed first as a child on the lake with my aunt.", "user", "user"), turns) == ""
    assert context_of(said("Two years.", "user", "user"), [*turns, turns[0]]) == ""


def test_a_question_is_sought_at_the_end_of_what_was_said_however_long() -> None:
    assert question_of("Two.", "x" * 1_000_000 + ". How many?") == "How many?"
    assert question_of("Two.", "How many? " + "x" * 1_000_000) == ""


def brief(seq: int, session: str = "s") -> Brief:
    values = dict.fromkeys(Brief._fields) | {
        "seq": seq,
        "kind": "episodic",
        "text": "",
        "context": "",
        "session": session,
        "role": "other",
    }
    return Brief(**values)  # type: ignore[arg-type]


def candidates(seqs: list[int]) -> Candidates:
    zeros = np.zeros(len(seqs))
    return Candidates([brief(seq) for seq in seqs], {}, zeros, zeros)


def test_equal_scores_stand_in_the_order_of_rows() -> None:
    found = candidates([1, 2, 3, 9])
    assert ranking(found, np.array([0.5, 0.9, 0.5, 0.9]), spread=False).tolist() == [1, 3, 0, 2]


def test_a_list_is_spread_over_the_conversation() -> None:
    found = candidates([1, 2, 3, 40])
    scores = np.array([1.0, 0.95, 0.94, 0.9])
    assert ranking(found, scores, spread=True).tolist() == [0, 3, 2, 1]


@given(st.lists(st.floats(-1, 2), min_size=1, max_size=30), st.booleans())
def test_a_ranking_names_each_place_once(values: list[float], spread: bool) -> None:
    order = ranking(candidates(list(range(len(values)))), np.array(values), spread=spread).tolist()
    assert sorted(order) == list(range(len(values)))


@given(st.dictionaries(st.sampled_from(["cosine", "held", "strangers"]), st.floats(-1e6, 1e6)))
def test_a_probability_is_one(signs: dict[str, float]) -> None:
    assert 0 <= probability(signs, load_weights().known) <= 1


def test_a_note_stands_below_its_turn_and_a_gist_below_all_of_its_turns() -> None:
    kinds = ["episodic", "episodic", "semantic", "gist", "semantic"]
    briefs = [brief(seq)._replace(kind=kind) for seq, kind in enumerate(kinds, 1)]
    each = {"dense": {1: 0.4, 2: 0.2, 3: 0.4, 4: 0.9, 5: 0.1}, "text": {}, "dense_context": {}}
    found = Candidates.of(briefs, each, {3: [2], 4: [1, 2], 5: [99]})
    turn, other, note, gist, alone = with_origins(found, np.array([1.0, 0.5, 2.0, 2.0, 0.3]))
    assert turn == 1.0
    assert 0.5 < other <= 0.5 + LENT
    assert note < other
    assert gist < min(turn, other)
    assert alone == 0.3


def test_to_a_broad_question_a_gist_lifts_the_turns_that_it_covers() -> None:
    briefs = [brief(seq)._replace(kind=kind) for seq, kind in enumerate(["episodic", "episodic", "gist"], 1)]
    each = {"dense": {1: 0.4, 2: 0.4, 3: 0.4}, "text": {}, "dense_context": {}}
    found = Candidates.of(briefs, each, {3: [2]})
    scores = np.array([0.5, 0.5, 2.0])
    assert with_origins(found, scores)[:2].tolist() == [0.5, 0.5]
    other, covered, gist = with_origins(found, scores, broad=True)
    assert other < covered <= 0.5 + LENT_BY_GIST
    assert gist < covered


def test_notes_take_no_place_from_what_was_said() -> None:
    briefs = [brief(seq)._replace(kind="semantic" if seq <= 5 else "episodic") for seq in range(1, 16)]
    each = {"dense": {seq: 1.0 - seq / 100 for seq in range(1, 16)}, "text": {}, "dense_context": {}}
    kept = Candidates.of(briefs, each).best(4).seqs.tolist()
    assert kept == [1, 2, 3, 4, 5, 6, 7, 8, 9]


def test_notes_leave_the_scores_of_what_was_said_as_they_were() -> None:
    said = [brief(1), brief(2)]
    each = {"dense": {1: 0.4, 2: 0.2, 3: 0.8}, "text": {}, "dense_context": {}}
    plain = Candidates.of(said, each).channels["dense"]
    found = Candidates.of([*said, brief(3)._replace(kind="semantic")], each)
    assert found.channels["dense"].tolist() == [*plain.tolist(), 1.0]


def test_a_list_is_weighed_by_its_own_additions() -> None:
    weights = Weights({"a": 1.0}, {"b": 1.0}, {}, {}, 0.5, {"a": -0.5})
    signals = {"a": np.array([2.0, 2.0]), "b": np.array([3.0, 3.0])}
    between = np.array([True, False])
    assert weights.score(signals, between).tolist() == [2.0, 3.0]
    assert weights.score(signals, between, {"list"}).tolist() == [1.0, 3.0]


def test_a_conclusion_is_weighed_by_its_own_additions_and_a_list_of_them_as_a_list() -> None:
    weights = Weights({"a": 1.0}, {}, {}, {}, 0.5, {"a": -0.5}, {"a": 1.0})
    signals, between = {"a": np.array([2.0])}, np.array([True])
    assert weights.score(signals, between, {"inference"}).tolist() == [4.0]
    assert weights.score(signals, between, {"inference", "list"}).tolist() == [1.0]


def test_what_is_asked_of_two_is_answered_from_both() -> None:
    found = candidates(list(range(1, 21)))
    found = replace(found, briefs=[b._replace(speaker="Bo" if b.seq > 12 else "Anna") for b in found.briefs])
    order = np.arange(20)
    shared = with_each(found, order, ("Anna", "Bo")).tolist()
    assert shared[:10] == [0, 1, 2, 3, 4, 5, 6, 12, 13, 14]
    assert sorted(shared) == list(range(20))
    assert with_each(found, order, ()).tolist() == order.tolist()
    assert with_each(found, order, ("Carl",)).tolist() == order.tolist()


@pytest.mark.parametrize(
    ("question", "together"),
    [
        ("What have Anna and Bo both read?", ("Anna Keller", "Bo")),
        ("When did Anna and Bo go to the lake together?", ()),
        ("What did Anna tell Bo?", ()),
        ("What has Anna read?", ()),
    ],
)
def test_two_are_asked_about_alike(question: str, together: tuple[str, ...]) -> None:
    assert analyse(question, SPEAKERS, NOW).together == together


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("Can you list the order in which I brought up my plans?", True),
        ("What profession did I mention I work in?", True),
        ("What did you say about my plans?", False),
        ("What do I work in?", False),
    ],
)
def test_what_its_asker_said_is_known_to_be_sought(question: str, wanted: bool) -> None:
    assert analyse(question, SPEAKERS, NOW).of_asker is wanted
