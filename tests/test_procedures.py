"""Ways of doing things: learnt from what worked, merged and refined, offered where they fit, given up when useless."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nights import NOW, live, opened

from app.memory import Memory
from app.procedures import LIVE, Procedure, procedure_of, procedures_for, record_outcome
from app.sleep.lessons import lessons_in, outcome_in
from app.sleep.night import sleep
from storage.errors import RecordNotFound
from storage.journal import state_hash
from storage.ledger import Ledger
from storage.records import Source

PRINTER = (
    "The printer would not connect. What finally worked was restarting the router, then adding it again."
)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = opened(tmp_path)
    yield memory
    memory.close()


def learnt(memory: Memory, *said: str, role: str = "user") -> list[Procedure]:
    live(memory, [("s", 3.0, words) for words in said], role=role)
    sleep(memory, None, NOW)
    return [procedure_of(r) for r in memory.store.records(LIVE)]


@pytest.mark.parametrize(
    ("said", "when", "way", "worked"),
    [
        (PRINTER, "", "restarting the router, then adding it again", True),
        (
            "Next time I fly with the cello, I'll book a second seat.",
            "I fly with the cello",
            "book a second seat",
            None,
        ),
        ("The trick to flaky crust is to chill the butter.", "flaky crust", "chill the butter", True),
        ("We got rid of the moths by washing it all hot.", "the moths", "washing it all hot", True),
        ("Lesson learned: never park behind the market.", "", "never park behind the market", None),
        ("I tried cold water and it worked.", "", "cold water", True),
        ("Rebooting the modem did not help.", "", "Rebooting the modem", False),
    ],
)
def test_lessons_are_read_in_plain_words(said: str, when: str, way: str, worked: bool | None) -> None:
    [found] = lessons_in(said)
    assert (found.when, found.way, found.worked) == (when, way, worked)
    assert way in said[found.start : found.end]


@pytest.mark.parametrize(
    "said",
    [
        "See you next time!",
        "If that works I'll be happy.",
        "Would it help if I restarted it?",
        "Tom said he tried honey and it worked.",
        "My sister says the trick is to wait.",
        "My job works for me.",
        "That worked!",
        "I think the plan is good and it works.",
    ],
)
def test_what_teaches_nothing(said: str) -> None:
    assert list(lessons_in(said)) == []


@given(st.text(max_size=300))
def test_any_text_is_safe(text: str) -> None:
    assert all(0 <= found.start < found.end <= len(text) for found in lessons_in(text))


def test_a_lesson_has_steps_a_situation_and_its_witness(memory: Memory) -> None:
    [found] = learnt(memory, PRINTER)
    assert found.when == "The printer would not connect"
    assert found.steps == ("restarting the router", "adding it again")
    assert (found.worked, found.failed) == (1, 0)
    assert memory.store.links(found.record.id)
    assert "worked 1" in found.line


def test_said_again_counts_and_a_second_night_changes_nothing(memory: Memory) -> None:
    [found] = learnt(memory, PRINTER, "Restarting the router and adding it again did not work.")
    assert (found.worked, found.failed) == (1, 1)
    before = state_hash(memory.store.connection)
    sleep(memory, None, NOW)
    assert state_hash(memory.store.connection) == before


def test_it_is_forgotten_with_the_turn_that_told_it(memory: Memory) -> None:
    from app.forget import forget, preview

    [found] = learnt(memory, PRINTER, "Restarting the router and adding it again did not work.")
    told = next(r for r in memory.store.records() if r.text == PRINTER)
    forget(memory, preview(memory, [told]), NOW)
    assert not memory.store.get_many([found.record.id])


def test_a_newer_telling_refines_and_keeps_the_outcomes(memory: Memory) -> None:
    [old] = learnt(memory, "To reset the router, hold the small button for ten seconds.")
    record_outcome(memory, old.record.id, True, NOW)
    live(
        memory,
        [("later", 1, "To reset the router, hold the small button for thirty seconds until it blinks.")],
    )
    sleep(memory, None, NOW + timedelta(hours=1))
    [new] = [procedure_of(r) for r in memory.store.records(LIVE)]
    assert "thirty" in new.record.text
    assert new.worked == 1
    assert memory.store.get(old.record.id).superseded_by == new.record.id


def test_what_was_written_by_hand_waits_for_review(memory: Memory) -> None:
    [old] = learnt(memory, "To reset the router, hold the small button for ten seconds.")
    with memory.store.atomic("pin", NOW):
        memory.store.update(replace(old.record, pinned=True))
    live(
        memory,
        [("later", 1, "To reset the router, hold the small button for thirty seconds until it blinks.")],
    )
    sleep(memory, None, NOW + timedelta(hours=1))
    assert len(memory.store.records(LIVE)) == 2
    assert len(Ledger(memory.store).questions()) == 1


def test_the_assistant_teaches_nothing(memory: Memory) -> None:
    assert learnt(memory, PRINTER, role="assistant") == []


def test_what_fits_the_situation_comes_first_and_outcomes_move_it(memory: Memory) -> None:
    ways = learnt(
        memory,
        "The trick to flaky crust is to chill the butter overnight.",
        "The trick to flaky crust is to add a spoon of vodka.",
    )
    assert {p.record.id for p in procedures_for(memory, "how do I get a flaky crust?", 5)} == {
        p.record.id for p in ways
    }
    first, second = procedures_for(memory, "how do I get a flaky crust?", 2)
    for _ in range(2):
        record_outcome(memory, first.record.id, False, NOW)
    assert procedures_for(memory, "how do I get a flaky crust?", 1)[0].record.id == second.record.id
    assert procedures_for(memory, "what is the capital of France?") == ()
    assert procedures_for(memory, "") == ()


def test_what_was_imported_never_advises(memory: Memory) -> None:
    [found] = learnt(memory, PRINTER)
    with memory.store.atomic("test", NOW):
        memory.store.update(replace(found.record, trust=Source.IMPORTED))
    assert procedures_for(memory, "the printer would not connect") == ()


def test_what_never_works_is_given_up_and_undo_brings_it_back(memory: Memory) -> None:
    [found] = learnt(memory, "Lesson learned: feed the sourdough with cold milk.")
    for _ in range(3):
        record_outcome(memory, found.record.id, False, NOW)
    report = sleep(memory, None, NOW + timedelta(days=1))
    assert memory.store.records(LIVE) == []
    with memory.store.atomic("undo", NOW):
        memory.store.undo(run=report.run)
    assert [r.id for r in memory.store.records(LIVE)] == [found.record.id]


@pytest.mark.parametrize(
    ("said", "way", "avoid"),
    [
        ("Not the red cable, use the blue one.", "use the blue one", "the red cable"),
        ("No, don't boil the milk, warm it slowly.", "warm it slowly", "boil the milk"),
        ("You should not water it daily, mist it weekly.", "mist it weekly", "water it daily"),
        ("Instead of emailing him, call his office.", "call his office", "emailing him"),
        ("Use baking soda rather than bleach.", "Use baking soda", "bleach"),
        ("Next time, preheat the oven first.", "preheat the oven first", ""),
    ],
)
def test_a_correction_of_procedure_says_what_to_do_and_what_not(said: str, way: str, avoid: str) -> None:
    [found] = lessons_in(said)
    assert (found.way, found.avoid, found.worked) == (way, avoid, None)


@pytest.mark.parametrize(
    "said",
    [
        "Don't worry, call me later.",
        "Never mind, do it after lunch.",
        "I don't like coffee, I prefer tea.",
        "Don't forget the milk, we need it.",
        "Not the blue plates today, use the white ones.",
        "Keep calm and carry on, not that it matters.",
    ],
)
def test_what_is_said_of_once_or_of_nothing_to_do_is_no_correction(said: str) -> None:
    assert list(lessons_in(said)) == []


def test_a_condition_is_kept_as_one(memory: Memory) -> None:
    [found] = learnt(memory, "Next time, take the ring road, but only after nine.")
    assert found.needs == ("only after nine",)


def test_a_correction_takes_the_place_of_the_way_that_it_corrects(memory: Memory) -> None:
    [old] = learnt(memory, "The trick to clean grout is to scrub with bleach and a brush.")
    live(memory, [("later", 1, "Don't scrub with bleach and a brush, use baking soda.")])
    report = sleep(memory, None, NOW + timedelta(hours=1))
    [new] = [procedure_of(r) for r in memory.store.records(LIVE)]
    assert (new.steps, new.worked) == (("use baking soda",), 0)
    assert [p.record.id for p in procedures_for(memory, "I want clean grout", 1)] == [new.record.id]
    assert new.avoid == "scrub with bleach and a brush"
    assert "not: scrub with bleach" in new.line
    assert memory.store.get(old.record.id).superseded_by == new.record.id
    with memory.store.atomic("undo", NOW):
        memory.store.undo(run=report.run)
    assert [r.id for r in memory.store.records(LIVE)] == [old.record.id]


@pytest.mark.parametrize(
    ("said", "worked"),
    [
        ("That worked!", True),
        ("Yes, that finally did the trick, thanks.", True),
        ("It did not work.", False),
        ("That works for me on Tuesday.", None),
        ("It worked out well between Ana and Tom.", None),
        ("Did it work?", None),
        ("", None),
    ],
)
def test_a_short_turn_may_be_an_outcome(said: str, worked: bool | None) -> None:
    assert outcome_in(said) is worked


def test_that_worked_counts_for_what_was_told_last_and_once(memory: Memory) -> None:
    told = (
        "Next time, fill the kettle with vinegar.",
        "What a day.",
        "That worked!",
        "It did not help at all.",
    )
    [found] = learnt(memory, *told)
    assert (found.worked, found.failed) == (1, 1)
    sleep(memory, None, NOW + timedelta(hours=1))
    [again] = [procedure_of(r) for r in memory.store.records(LIVE)]
    assert (again.worked, again.failed) == (1, 1)


def test_an_outcome_told_to_the_assistant_was_counted_by_day(memory: Memory) -> None:
    live(memory, [("s", 3, "Next time, fill the kettle with vinegar.")])
    live(memory, [("s", 3, "Noted.")], role="assistant")
    live(memory, [("s", 3, "That worked!")])
    sleep(memory, None, NOW)
    [found] = [procedure_of(r) for r in memory.store.records(LIVE)]
    assert (found.worked, found.failed) == (0, 0)


def test_what_is_said_while_the_night_works_is_learnt_by_the_next_one(memory: Memory) -> None:
    live(memory, [("s", 3, PRINTER)])

    def talk(job: str) -> None:
        if job == "lessons":
            live(memory, [("t", 1, "The trick to flaky crust is to chill the butter.")])
            live(memory, [("t", 1, "What a day.")])

    sleep(memory, None, NOW, progress=talk)
    sleep(memory, None, NOW + timedelta(hours=1))
    assert len(memory.store.records(LIVE)) == 2


def test_an_outcome_of_nothing(memory: Memory) -> None:
    with pytest.raises(RecordNotFound):
        record_outcome(memory, "m000", True, NOW)
