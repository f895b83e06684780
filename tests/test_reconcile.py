"""What a proposed fact does to what is known: the decisions alone, and their invariants under any order of arrival."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sleep.proposals import Proposal, from_dict, to_dict
from app.sleep.reconcile import Verdict, closed, decide, is_guarded, plain, same_value
from storage.records import Kind, Record, Source

NOW = datetime(2024, 5, 1, tzinfo=UTC)
HOME = "home city"


def proposal(value: str, day: int = 0, attribute: str = HOME, **more: object) -> Proposal:
    base = Proposal(
        turn="m1",
        said_at=NOW + timedelta(days=day),
        trust=Source.USER_SAID,
        kind=Kind.SEMANTIC,
        text=f"The user: {value}.",
        start=0,
        end=1,
        derived_by="rules/1",
        subject="user",
        attribute=attribute,
        value=value,
    )
    return replace(base, **more)  # type: ignore[arg-type]


def fact(value: str, day: int = 0, **more: object) -> Record:
    at = NOW + timedelta(days=day)
    base = Record(
        kind=Kind.SEMANTIC,
        text=f"The user: {value}.",
        source=Source.MODEL_INFERRED,
        trust=Source.USER_SAID,
        event_time=at,
        recorded_at=at,
        id=f"m{value}",
        valid_from=at,
        subject="user",
        attribute=HOME,
        derived_by="rules/1",
        extra={"value": value},
    )
    return replace(base, **more)  # type: ignore[arg-type]


def test_the_first_fact_of_a_slot_is_added() -> None:
    assert decide(proposal("Rome"), []).verdict is Verdict.ADD


def test_the_same_value_in_other_words_is_no_news() -> None:
    known = fact("Rome")
    decision = decide(proposal("the  ROME", day=9), [known])
    assert (decision.verdict, decision.known) == (Verdict.SAME, known)


def test_newer_news_supersedes_and_older_news_does_not() -> None:
    known = fact("Rome", day=10)
    assert decide(proposal("Porto", day=20), [known]).verdict is Verdict.SUPERSEDE
    assert decide(proposal("Porto", day=5), [known]).verdict is Verdict.PAST


def test_back_where_one_was_is_news_again() -> None:
    rome = replace(fact("Rome", day=0), valid_to=NOW + timedelta(days=5), superseded_by="mPorto")
    porto = fact("Porto", day=5)
    assert decide(proposal("Rome", day=9), [rome, porto]).verdict is Verdict.SUPERSEDE
    assert decide(proposal("Rome", day=3), [rome, porto]).verdict is Verdict.SAME


def test_several_values_of_an_open_list_are_no_contradiction() -> None:
    known = fact("jazz", attribute="likes")
    assert decide(proposal("climbing", attribute="likes", day=3), [known]).verdict is Verdict.ADD


@pytest.mark.parametrize(
    "known",
    [
        fact("Rome", pinned=True),
        fact("Rome", source=Source.USER_SAID, derived_by=None),
        fact("Rome", source=Source.USER_FILE, derived_by=None),
    ],
)
def test_what_was_written_by_hand_or_pinned_waits_for_the_review(known: Record) -> None:
    assert is_guarded(known)
    assert decide(proposal("Porto", day=99), [known]).verdict is Verdict.ASK


def test_what_was_imported_never_replaces_what_the_user_said() -> None:
    imported = proposal("Oslo", day=30, trust=Source.IMPORTED)
    assert decide(imported, [fact("Rome")]).verdict is Verdict.ASK
    said = proposal("Rome", day=30)
    assert decide(said, [fact("Oslo", trust=Source.IMPORTED)]).verdict is Verdict.SUPERSEDE


def test_a_correction_without_a_date_says_that_it_never_was_so() -> None:
    known = fact("Rome", day=3)
    assert decide(proposal("Porto", day=3, is_correction=True), [known]).verdict is Verdict.CORRECT
    dated = proposal("Porto", day=9, is_correction=True, valid_from=NOW + timedelta(days=8))
    assert decide(dated, [known]).verdict is Verdict.SUPERSEDE


def test_a_closed_fact_never_ends_before_it_began() -> None:
    assert closed(fact("Rome", day=9), NOW, by="m2").valid_to == NOW + timedelta(days=9)


@given(st.text(max_size=40))
def test_plain_wording_is_stable(text: str) -> None:
    assert plain(plain(text)) == plain(text)
    assert same_value(proposal(text), replace(fact(text), extra={}))


@given(
    st.builds(
        proposal,
        st.text(max_size=20),
        day=st.integers(-5000, 5000),
        attribute=st.one_of(st.none(), st.text(max_size=10)),
        trust=st.sampled_from(Source),
        is_correction=st.booleans(),
    )
)
def test_a_proposal_survives_the_ledger(given: Proposal) -> None:
    import json

    assert from_dict(json.loads(json.dumps(to_dict(given)))) == given
