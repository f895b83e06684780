"""Citations: unknown ids go, used memories are found, and what no memory bears out is marked."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.citations import Scrubber, borne_out_by, cited, sentences, unsupported, used
from app.events import Evidence

MOVED = Evidence("m7k2", "We moved to Lisbon last weekend.", datetime(2024, 3, 2, tzinfo=UTC), speaker="me")
BIKE = Evidence("mq44", "My bike is useless on these hills.", datetime(2024, 5, 9, tzinfo=UTC), speaker="me")
BOTH = (MOVED, BIKE)
IDS = {"m7k2", "mq44"}


def scrubbed(pieces: list[str]) -> str:
    scrubber = Scrubber(BOTH)
    return "".join(scrubber.feed(piece) for piece in pieces) + scrubber.rest()


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("You live in Lisbon [m7k2].", "You live in Lisbon [m7k2]."),
        ("You live in Lisbon [mzzz].", "You live in Lisbon."),
        ("Both [m7k2, mzzz; mq44] say so.", "Both [m7k2, mq44] say so."),
        ("A list [1, 2] and [x] stay.", "A list [1, 2] and [x] stay."),
        ("An open bracket [m7k", "An open bracket [m7k"),
        ("[mzzz] first", " first"),
    ],
)
def test_ids_that_were_never_given_are_taken_out(said: str, left: str) -> None:
    assert scrubbed(list(said)) == left
    assert scrubbed([said]) == left


def test_a_mark_beside_the_words_of_another_memory_is_set_right() -> None:
    assert scrubbed(list("You moved to Lisbon [mq44].")) == "You moved to Lisbon [m7k2]."
    assert (
        scrubbed(["On these hills. You moved to Lisbon [m7k2]."])
        == "On these hills. You moved to Lisbon [m7k2]."
    )
    assert scrubbed(list("You moved to Lisbon. [mq44]")) == "You moved to Lisbon. [m7k2]"
    assert scrubbed(["Your cat sleeps [m7k2]."]) == "Your cat sleeps [m7k2]."


def test_the_question_tells_apart_which_memory_holds_a_short_answer() -> None:
    other = Evidence("mpaa", "In June Lisbon was on the news.", BIKE.time)
    asked = Scrubber((other, MOVED), "Where did we move last weekend?")
    assert asked.feed("To Lisbon [mpaa].") + asked.rest() == "To Lisbon [m7k2]."
    alone = Scrubber((other, MOVED))
    assert alone.feed("To Lisbon [mpaa].") + alone.rest() == "To Lisbon [mpaa]."


def test_what_answers_counts_for_more_than_what_was_asked() -> None:
    plan = Evidence("mpaa", "I plan a hike to the lake with the club.", BIKE.time)
    count = Evidence("mnum", "We were 7 on the hike.", BIKE.time)
    asked = Scrubber((plan, count), "How many of the club came on the hike to the lake?")
    assert asked.feed("7 [mpaa].") + asked.rest() == "7 [mnum]."


def test_a_mark_goes_to_the_memory_that_says_the_same_and_more() -> None:
    plan = Evidence("mpaa", "I thought of a move to Porto for years.", MOVED.time)

    def checked(said: str) -> str:
        scrubber = Scrubber((plan, *BOTH))
        return scrubber.feed(said) + scrubber.rest()

    assert checked("Years ago to Porto [mpaa].") == "Years ago to Porto [mpaa]."
    assert checked("On a weekend in March 2024, to Lisbon [mpaa].") == (
        "On a weekend in March 2024, to Lisbon [m7k2]."
    )
    assert checked("You moved to Lisbon, your bike is useless [m7k2, mq44].") == (
        "You moved to Lisbon, your bike is useless [m7k2, mq44]."
    )


@given(st.text(alphabet="ab [m7k2zq4],.", max_size=80), st.integers(1, 9))
def test_a_stream_says_the_same_however_it_is_cut(text: str, size: int) -> None:
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    assert scrubbed(pieces) == scrubbed([text])


def test_cited_ids_come_in_order_and_once() -> None:
    assert cited("[mq44] then [m7k2] and mq44 again, not mabc", IDS) == ("mq44", "m7k2")


def test_a_reply_rests_on_what_it_names() -> None:
    assert used("You moved to Lisbon [mq44].", BOTH) == ("mq44",)


def test_a_reply_without_names_rests_on_what_it_repeats() -> None:
    assert used("You moved to Lisbon on a weekend.", BOTH) == ("m7k2",)
    assert used("The weather is fine.", BOTH) == ()


def test_an_invented_number_or_name_is_marked() -> None:
    assert unsupported("You moved to Lisbon [m7k2].", BOTH) == ()
    assert unsupported("You moved to Lisbon in 2019 [m7k2].", BOTH) == ("You moved to Lisbon in 2019.",)
    assert unsupported("You moved there with Peter.", BOTH) == ("You moved there with Peter.",)


def test_the_date_of_a_memory_and_what_was_said_here_bear_a_claim_out() -> None:
    assert unsupported("You moved to Lisbon on 2 March 2024 [m7k2].", BOTH) == ()
    assert unsupported("You moved to Lisbon on 24 February [m7k2].", BOTH) == ()
    assert unsupported("You moved with Peter [m7k2].", BOTH, known="Peter helped us when we moved") == ()


def test_a_citation_that_shares_no_word_is_marked() -> None:
    assert unsupported("Your cat sleeps all day [m7k2].", BOTH) == ("Your cat sleeps all day.",)


def test_sentences_keep_their_marks() -> None:
    assert sentences("One [m7k2]. Two! [mq44] Three") == ["One [m7k2].", "Two! [mq44]", "Three"]
    assert sentences("You moved. [m7k2]") == ["You moved. [m7k2]"]


def test_an_answer_without_marks_is_traced_to_what_holds_its_words() -> None:
    cat = Evidence("mcat", "We named the grey cat Luna after the moon.", MOVED.time)
    boat = Evidence("mbat", "I sold the boat in June.", MOVED.time)
    assert borne_out_by("Luna.", "What is the grey cat called?", [boat, cat]) == ("mcat",)
    assert borne_out_by("Luna; sold in June", "The cat, and the boat?", [boat, cat]) == ("mbat", "mcat")
    assert borne_out_by("The grey cat.", "What is the grey cat called?", [boat, cat]) == ()
    many = Evidence("mnum", "There were 7 of us on the hike.", MOVED.time)
    assert borne_out_by("7", "How many were on the hike?", [boat, many]) == ("mnum",)
    assert borne_out_by("Yes.", "Is the grey cat called Luna?", [boat, cat]) == ("mcat",)
    assert borne_out_by("Yes, I sold the boat in June.", "Did I sell the boat in June?", [cat, boat]) == (
        "mbat",
    )
    assert borne_out_by("Yes.", "Did I ever sail to Ireland by boat?", [boat, cat]) == ()
    assert borne_out_by("", "What?", [cat]) == borne_out_by("Luna", "What?", []) == ()
