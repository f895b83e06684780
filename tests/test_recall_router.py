"""How broadly a question is answered: the exchange around one hit, many places, and how many hits are enough."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.recall.analysis import analyse
from app.recall.candidates import Candidates
from app.recall.order import FIRST, widened, with_reply
from app.recall.router import COMPARED, FEWEST, MOST, Route, rivals, route
from storage.search import Brief

NOW = datetime(2024, 6, 1, tzinfo=UTC)
CLEAR = np.array([3.0, *[1.0] * 40])
VAGUE = np.array([1.0] * 41)


def brief(seq: int, speaker: str, role: str, session: str = "s") -> Brief:
    values = dict.fromkeys(Brief._fields) | {"seq": seq, "kind": "episodic", "text": "", "context": ""}
    return Brief(**values | {"speaker": speaker, "role": role, "session": session})  # type: ignore[arg-type]


def among(briefs: list[Brief], **channels: list[float]) -> Candidates:
    zeros = np.zeros(len(briefs))
    names = ("dense", "dense_context", "text", "text_context")
    return Candidates(briefs, {n: np.array(channels.get(n, zeros)) for n in names}, zeros, zeros)


def chosen(question: str, scores: np.ndarray) -> Route:
    return route(analyse(question, ["Ann", "Ben"], NOW), scores)


@given(st.lists(st.floats(-50, 50), max_size=90))
def test_rivals_are_as_many_as_vie_at_most(scores: list[float]) -> None:
    many = rivals(np.array(scores))
    assert (1 - 1e-9 if scores else 0) <= many <= min(len(scores), COMPARED) + 1e-6


def test_equal_scores_are_all_rivals_and_a_clear_one_has_none() -> None:
    assert rivals(VAGUE) == pytest.approx(41)
    assert rivals(CLEAR) == pytest.approx(1, abs=0.1)


def test_a_clear_hit_needs_few_beside_it_and_a_vague_question_many() -> None:
    assert chosen("What degree did I take?", CLEAR).enough == FEWEST + 4
    assert chosen("What degree did I take?", VAGUE).enough == MOST
    assert chosen("What books has Ann read?", CLEAR).enough == FEWEST + 8


@pytest.mark.parametrize(
    ("question", "scores", "broad", "deep"),
    [
        ("What degree did I take?", CLEAR, False, True),
        ("What degree did I take?", VAGUE, False, False),
        ("What books has Ann read?", CLEAR, True, False),
        ("How do I bake bread?", CLEAR, False, False),
        ("Which books did you recommend?", CLEAR, True, True),
        ("Can you list the order in which I brought up my plans?", CLEAR, True, False),
    ],
)
def test_the_question_and_its_scores_choose(
    question: str, scores: np.ndarray, broad: bool, deep: bool
) -> None:
    found = chosen(question, scores)
    assert (found.broad, found.deep) == (broad, deep)


def test_beyond_the_first_hits_comes_what_one_channel_alone_has_of_the_teller() -> None:
    briefs = [brief(seq, "Ann" if seq % 2 else "Ben", "other") for seq in range(1, 21)]
    order = np.arange(20)
    text = [0.0] * 17 + [0.9, 0.8, 0.0]  # of rows 18, which Ben said, and 19, which Ann said
    told = widened(among(briefs, text=text), -0.001 * np.arange(20), order, "Ann").tolist()
    assert told[:FIRST] == list(range(FIRST))
    assert told[FIRST] == 18
    assert sorted(told) == list(range(20))


def test_beside_an_assistant_nothing_is_widened() -> None:
    briefs = [brief(seq, "user", "user") for seq in range(1, 21)]
    found = among(briefs, text=[0.0] * 19 + [1.0])
    assert widened(found, np.zeros(20), np.arange(20), None).tolist() == list(range(20))


def test_the_reply_to_the_first_hit_is_among_the_first() -> None:
    briefs = [brief(seq, "user", "user") for seq in range(1, 21)]
    briefs[1] = brief(2, "assistant", "assistant")
    order = np.array([0, *range(2, 20), 1])
    assert with_reply(among(briefs), order).tolist()[FIRST - 1] == 1
    briefs[1] = brief(2, "assistant", "assistant", session="another")
    assert with_reply(among(briefs), order).tolist() == order.tolist()


def test_where_nothing_or_little_was_found_a_reply_breaks_nothing() -> None:
    assert with_reply(among([]), np.array([], np.int64)).tolist() == []
    two = [brief(1, "user", "user"), brief(2, "assistant", "assistant")]
    assert with_reply(among(two), np.array([0, 1])).tolist() == [0, 1]
