"""The evidence block: whole sentences, oldest first, nothing twice, never above its budget."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app import encode
from app.recall.pack import LONG, about_tokens, block, distinct, shorter, telling
from app.recall.words import stem
from storage.records import Record

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)


def said(text: str, days: int = 1, id: str = "m1") -> Record:
    return replace(encode.turn(text, now=NOW, said_at=NOW - timedelta(days=days)), id=id)


def test_notes_stand_oldest_first_with_id_date_and_speaker() -> None:
    best = [said("I moved to Ghent.", days=2, id="m2"), said("I live in Lille.", days=90, id="m1")]
    made = block(best, NOW, 200)
    assert made.text.splitlines() == [
        "Notes:",
        '[m1] 3 March 2024, you said: "I live in Lille."',
        '[m2] 30 May 2024, you said: "I moved to Ghent."',
    ]
    assert made.sources == ("m1", "m2")


def test_what_is_over_is_marked_with_its_end() -> None:
    old = replace(said("I live in Lille.", days=90), valid_to=NOW - timedelta(days=2), superseded_by="m2")
    assert block([old], NOW, 200).text.endswith('(no longer true): "I live in Lille." Until 30 May 2024.')


def test_the_same_words_are_told_once() -> None:
    twice = [
        said("I like plum jam!", id="m1"),
        said("I like plum jam.", id="m2"),
        said("I like tea.", id="m3"),
    ]
    assert [r.id for r in distinct(twice)] == ["m1", "m3"]


def test_a_long_note_is_cut_after_a_sentence() -> None:
    long = said("The first sentence stands. " + "Then comes a long rest of it, without an end to see. " * 40)
    made = block([long], NOW, 60)
    assert "The first sentence stands." in made.text
    assert made.text.endswith('."')
    assert made.tokens <= 60


def test_of_a_long_note_the_sentences_that_tell_are_kept_in_their_order() -> None:
    filler = "Here stands something of no use to anybody who asks. " * 30
    text = f"{filler}The boiler was made in Graz. {filler}It was mended in May. {filler}"
    kept = telling(text, frozenset({stem("boiler"), stem("mended")}))
    assert len(kept.split()) <= LONG
    assert kept.index("The boiler was made in Graz.") < kept.index("It was mended in May.")
    assert "Graz" in block([said(text)], NOW, 300, frozenset({stem("boiler")})).text


@given(st.text(max_size=300), st.frozensets(st.text(min_size=1, max_size=8), max_size=4))
def test_a_short_note_stands_as_it_is(text: str, asked: frozenset[str]) -> None:
    assert len(text.split()) > LONG or telling(text, asked) == text


def test_nothing_fits_a_tiny_budget() -> None:
    assert block([said("Something.")], NOW, 3).text == ""


@given(st.lists(st.text(max_size=200), max_size=8), st.integers(1, 300))
def test_a_block_stays_within_its_budget(texts: list[str], budget: int) -> None:
    records = [said(text or "-", days=n, id=f"m{n}") for n, text in enumerate(texts)]
    made = block(records, NOW, budget)
    assert made.tokens <= budget
    assert len(made.sources) == len(set(made.sources))


@given(st.text(max_size=300))
def test_shorter_begins_whole_and_ends_with_a_sentence(text: str) -> None:
    steps = list(shorter(text))
    assert steps[0] == text
    assert all(about_tokens(step) <= about_tokens(text) + 1 for step in steps)
