"""Whole nights on real files: what they find, what they leave alone, and what no crash, model or clock does to them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from nights import LIFE, NOW, STEPS, live, opened, reader, told

from app.errors import BadRequest
from app.memory import Memory
from app.sleep.night import JOBS, NightReport, report_of, sleep, to_dict
from app.sleep.read import proposals_in
from models.fake import EchoChat
from storage.errors import RecordNotFound, StoreLocked
from storage.journal import state_hash
from storage.ledger import Ledger
from storage.records import Filter, Kind, LinkKind, Record, Source, State

FACTS = Filter(kinds=frozenset({Kind.SEMANTIC}))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = opened(tmp_path)
    yield memory
    memory.close()


def facts(memory: Memory) -> dict[str, Record]:
    return {fact.text: fact for fact in memory.store.records(FACTS)}


def fact_about(memory: Memory, word: str) -> Record:
    [found] = [fact for text, fact in facts(memory).items() if word in text]
    return found


def changed(report: NightReport) -> int:
    return sum(j.added + j.superseded + j.merged + j.faded for j in report.jobs)


def test_a_night_finds_facts_with_the_words_they_rest_on(memory: Memory) -> None:
    turns = live(memory)
    report = sleep(memory, None, NOW)
    assert [job.name for job in report.jobs] == list(JOBS)
    allergy = fact_about(memory, "peanut")
    [link] = memory.store.links(allergy.id, LinkKind.DERIVED_FROM, back=False)
    source = memory.store.get(link.dst)
    assert source.text == "I am allergic to peanuts."
    assert "allergic to peanuts" in source.text[link.start : link.end]
    assert (allergy.source, allergy.trust, allergy.recorded_at) == (
        Source.MODEL_INFERRED,
        Source.USER_SAID,
        NOW,
    )
    assert [memory.store.get(t.id).text for t in turns] == [words for _, _, words in LIFE]


def test_what_changed_is_closed_and_still_answers_for_its_time(memory: Memory) -> None:
    live(memory)
    sleep(memory, None, NOW)
    rome, porto = fact_about(memory, "Rome"), fact_about(memory, "Porto")
    assert rome.superseded_by == porto.id
    assert rome.valid_to == porto.valid_from
    assert memory.store.links(porto.id, LinkKind.SUPERSEDES, back=False)[0].dst == rome.id
    then = memory.store.records(replace(FACTS, as_of=NOW - timedelta(days=10)))
    now = memory.store.records(replace(FACTS, as_of=NOW))
    assert rome.id in {f.id for f in then}
    assert porto.id not in {f.id for f in then}
    assert rome.id not in {f.id for f in now}


def test_the_same_said_twice_is_one_fact_with_two_witnesses_and_a_use(memory: Memory) -> None:
    live(memory)
    sleep(memory, None, NOW)
    jazz = fact_about(memory, "jazz")
    assert len(memory.store.links(jazz.id, LinkKind.DERIVED_FROM, back=False)) == 2
    [use] = memory.store.uses(jazz.id)
    assert use.gain == 1.87


def test_a_second_night_with_nothing_new_changes_nothing(memory: Memory) -> None:
    live(memory)
    sleep(memory, reader(), NOW)
    before = state_hash(memory.store.connection)
    chat = reader()
    report = sleep(memory, chat, NOW)
    assert changed(report) == 0
    assert chat.prompts == []
    assert state_hash(memory.store.connection) == before


def test_three_nights_over_the_same_words_make_no_duplicates(memory: Memory) -> None:
    for night in range(3):
        live(memory)
        sleep(memory, None, NOW + timedelta(days=night))
        texts = [f.text for f in memory.store.records(replace(FACTS, include_superseded=False))]
        assert len(texts) == len(set(texts))


def test_undo_takes_a_night_back_exactly(memory: Memory) -> None:
    live(memory)
    before = state_hash(memory.store.connection)
    report = sleep(memory, reader(), NOW)
    assert state_hash(memory.store.connection) != before
    with memory.store.atomic("undo", NOW):
        memory.store.undo(run=report.run)
    assert state_hash(memory.store.connection) == before
    assert changed(sleep(memory, None, NOW)) == 0, "what was undone is not learnt again from the same words"


def test_a_dry_run_tells_and_leaves_no_trace(memory: Memory, tmp_path: Path) -> None:
    live(memory)
    before = state_hash(memory.store.connection)
    dry = sleep(memory, None, NOW, dry_run=True)
    assert state_hash(memory.store.connection) == before
    assert Ledger(memory.store).runs() == []
    assert [p for p in tmp_path.iterdir() if p.name.startswith("night-")] == []
    real = sleep(memory, None, NOW)
    assert [j.changes for j in dry.jobs] == [j.changes for j in real.jobs]


def test_every_step_may_be_the_last_and_nothing_is_paid_twice(tmp_path: Path) -> None:
    script = Path(__file__).with_name("nights.py")
    done = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (_, died, state, calls), *killed = lines
    assert not died
    assert calls > 0
    assert [step for step, *_ in killed] == list(STEPS)
    assert {state for _, _, state, _ in killed} == {state}, [s for s, _, h, _ in killed if h != state]
    assert {calls for *_, calls in killed} == {calls}
    assert {step.split(".")[0] for step, died, *_ in killed if died} >= {
        "episodes",
        "extract",
        "reconcile",
        "links",
    }


def test_an_interrupted_night_goes_on_where_it_stopped(memory: Memory, tmp_path: Path) -> None:
    live(memory)
    asked = iter([False] * 4)
    first = sleep(memory, None, NOW, stop=lambda: next(asked, True))
    assert first.interrupted
    second = sleep(memory, None, NOW)
    assert not second.interrupted
    other = opened(tmp_path / "other")
    live(other)
    sleep(other, None, NOW)
    assert facts(memory).keys() == facts(other).keys()
    other.close()


def test_a_stopped_model_call_is_asked_again_and_keeps_nothing(memory: Memory) -> None:
    live(memory)
    chat = reader()
    report = sleep(memory, chat, NOW, stop=lambda: bool(chat.prompts))
    assert report.interrupted
    assert len(chat.prompts) == 1
    calls = sum(j.model_calls for j in sleep(memory, reader(), NOW).jobs)
    assert calls >= 1


@pytest.mark.parametrize(
    "replies",
    [
        [""],
        ["{"],
        ["no no no " * 500],
        ['{"fact": "all"}'],
        [told("The user owns 17 horses in Kazakhstan.")],
        [told("The user works at Brightwell.")],
        ["I cannot help with that."],
        ["\ufffd\x00\ud83d"],
    ],
)
def test_a_model_that_talks_nonsense_adds_nothing(memory: Memory, replies: list[str]) -> None:
    live(memory)
    sleep(memory, EchoChat(replies), NOW)
    assert all((f.derived_by or "").startswith("rules/") for f in facts(memory).values())
    assert Ledger(memory.store).unfinished() is None


def test_a_model_that_is_swapped_reads_only_what_is_new(memory: Memory) -> None:
    words = "Bad Monday: our canary Pip, through the kitchen window."
    live(memory, [("s", 3, words)])
    escaped = told("The user's canary Pip escaped on Monday.")
    sleep(memory, EchoChat([escaped], name="one"), NOW)
    other = EchoChat([escaped], name="two")
    other.version = "echo-2"
    assert changed(sleep(memory, other, NOW)) == 0
    assert other.prompts == []
    live(memory, [("t", 2, "Bad Sunday: our parrot Pop, down the drain of my sink.")])
    sleep(memory, other, NOW)
    assert len(other.prompts) == 1
    assert {f.derived_by.rpartition("+")[2] for f in facts(memory).values() if f.derived_by} == {"one"}


def test_what_a_model_reads_must_stand_in_a_turn(memory: Memory) -> None:
    live(memory, [("s", 3, "Bad Monday: our canary Pip, through the kitchen window.")])
    reply = {"facts": ["The user's canary Pip escaped on Monday.", "Pip is 12 years old."]}
    report = sleep(memory, EchoChat([json.dumps(reply)]), NOW)
    assert list(facts(memory)) == ["The user's canary Pip escaped on 22 April 2024."]
    assert sum(j.rejected for j in report.jobs) == 1
    assert sum(j.model_calls for j in report.jobs) == 1


def test_an_assistant_is_no_witness(memory: Memory) -> None:
    live(memory, [("s", 3, "I live in Rome."), ("s", 3, "You told me that I love opera.")], role="assistant")
    sleep(memory, None, NOW)
    assert facts(memory) == {}


def test_gists_and_portrait_rest_on_what_was_said(memory: Memory) -> None:
    live(memory)
    sleep(memory, None, NOW)
    gists = memory.store.records(Filter(kinds=frozenset({Kind.GIST})))
    assert {g.session for g in gists} >= {"s1", "s2", "s3"}
    for gist in gists:
        for link in memory.store.links(gist.id, LinkKind.DERIVED_FROM, back=False):
            source = memory.store.get(link.dst)
            assert source.kind is Kind.EPISODIC
            assert source.text[link.start : link.end] in gist.text
    lines = memory.store.records(Filter(kinds=frozenset({Kind.CORE}), include_superseded=False))
    assert any("Porto" in line.text for line in lines)
    assert not any("Rome" in line.text for line in lines)
    assert all(memory.store.links(line.id, LinkKind.DERIVED_FROM, back=False) for line in lines)


def test_near_duplicates_are_linked_and_both_kept(memory: Memory) -> None:
    turns = live(memory)
    sleep(memory, None, NOW)
    tiles = [t for t in turns if "tiles" in t.text]
    assert [link.dst for link in memory.store.links(tiles[1].id, LinkKind.SIMILAR, back=False)] == [
        tiles[0].id
    ]


def test_a_sister_is_found_under_both_names(memory: Memory) -> None:
    turns = live(memory)
    sleep(memory, None, NOW)
    [ana] = [e for e in memory.store.entities() if e.name == "Ana"]
    assert "my sister" in ana.aliases
    later = next(t for t in turns if t.text.startswith("My sister came over"))
    assert ana.id in {link.dst for link in memory.store.links(later.id, LinkKind.MENTIONS, back=False)}


def test_a_new_name_refines_the_context_of_older_memories(memory: Memory) -> None:
    from app.journal import undo

    life = [
        ("s1", 9, "I had tea with Ilse by the canal."),
        ("s2", 5, "My sister Ilse plays the harp."),
        ("s3", 1, "My sister came over and broke a string."),
    ]
    old, _, later = live(memory, life)
    words, state = old.context, state_hash(memory.store.connection)
    report = sleep(memory, None, NOW)
    refined = memory.store.get(old.id)
    assert "my sister" in refined.context
    assert (refined.text, "Ilse" in memory.store.get(later.id).context) == (old.text, True)
    undo(memory, report.run, NOW)
    assert state_hash(memory.store.connection) == state
    assert memory.store.get(old.id).context == words
    assert memory.embedder is not None
    index = memory.store.vectors(memory.embedder.name, memory.embedder.dim)
    assert bool(index.of([old.seq], view="context")) == bool(words)
    assert index.of([old.seq])


def test_a_name_in_a_context_line_is_forgotten_with_the_words_that_told_it(memory: Memory) -> None:
    from app.forget import forget, preview

    _, told, later = live(
        memory,
        [
            ("s1", 9, "The canal was frozen and we walked on it."),
            ("s2", 5, "My sister Ilse plays the harp."),
            ("s3", 1, "My sister came over and broke a string."),
        ],
    )
    sleep(memory, None, NOW)
    assert "Ilse" in memory.store.get(later.id).context
    forget(memory, preview(memory, [memory.store.get(told.id)]), NOW)
    assert "Ilse" not in memory.store.get(later.id).context
    assert "Ilse" not in str([r.text + str(r.extra) for r in memory.store.records()])
    assert "ilse" not in str(memory.store.entities()).lower()


def test_time_makes_memories_dim_and_use_wakes_them(memory: Memory) -> None:
    from app.uses import CITED, use

    turns = live(memory)
    sleep(memory, None, NOW)
    sleep(memory, None, NOW + timedelta(days=400))
    dim = memory.store.get(turns[0].id)
    assert dim.state is not State.ACTIVE
    assert memory.store.get(fact_about(memory, "peanut").id).state is State.ACTIVE, "health is protected"
    use(memory, [dim.id], CITED, "later", NOW + timedelta(days=401))
    assert memory.store.get(dim.id).state is State.ACTIVE
    assert memory.store.get(dim.id).text == turns[0].text


def test_a_clock_that_was_set_back_harms_nothing(memory: Memory) -> None:
    live(memory)
    sleep(memory, None, NOW)
    before = state_hash(memory.store.connection)
    sleep(memory, None, NOW - timedelta(days=3000))
    assert state_hash(memory.store.connection) == before


def test_other_languages_are_kept_as_they_are(memory: Memory) -> None:
    words = ["Ich wohne seit März in Köln.", "我住在上海，喜欢喝茶。", "أعيش في القاهرة", "👋🏽 שלום"]
    live(memory, [("s", 3, text) for text in words])
    sleep(memory, None, NOW)
    assert [
        r.text for r in memory.store.records(Filter(kinds=frozenset({Kind.EPISODIC})), newest_first=False)
    ] == words


def test_one_night_at_a_time(memory: Memory) -> None:
    live(memory)

    def second(_: str) -> None:
        with pytest.raises(StoreLocked, match="Another night"):
            sleep(memory, None, NOW)

    sleep(memory, None, NOW, progress=second)


def test_only_one_job_and_no_unknown_one(memory: Memory) -> None:
    live(memory)
    assert [j.name for j in sleep(memory, None, NOW, only="links").jobs] == ["links"]
    assert facts(memory) == {}
    with pytest.raises(BadRequest, match="no job"):
        sleep(memory, None, NOW, only="dreams")


def test_the_report_is_kept(memory: Memory) -> None:
    assert report_of(memory) is None
    live(memory)
    report = sleep(memory, None, NOW)
    assert report_of(memory) == report_of(memory, report.run) == json.loads(json.dumps(to_dict(report)))
    with pytest.raises(RecordNotFound):
        report_of(memory, "n999")


def test_an_empty_memory_sleeps_well(memory: Memory) -> None:
    assert changed(sleep(memory, None, NOW)) == 0


def test_a_very_long_conversation(memory: Memory) -> None:
    live(memory, [("s", 30, f"Note {n}: the {n % 97}th box stands in row {n % 13}.") for n in range(1_500)])
    report = sleep(memory, None, NOW)
    assert not report.interrupted
    assert len(memory.store.records(Filter(kinds=frozenset({Kind.GIST})))) >= 1


def test_the_curve_is_fitted_to_its_user_once_there_are_enough_uses(memory: Memory) -> None:
    from app.uses import DECAY, OPENED, use

    told = live(memory, [("s", 700, f"Fact number {n} about the garden shed.") for n in range(60)])
    for week in range(10):
        when = NOW - timedelta(days=600 - 60 * week)
        use(memory, [r.id for r in told], OPENED, f"week {week}", when)
    report = sleep(memory, None, NOW, only="states")
    fitted = memory.store.meta(DECAY)
    assert 0.1 <= fitted <= 1.5
    assert fitted != 0.5
    assert any("fitted" in line for line in report.jobs[0].changes)
    assert not any("fitted" in line for line in sleep(memory, None, NOW, only="states").jobs[0].changes)


def test_a_night_leaves_a_backup_when_something_changed(memory: Memory) -> None:
    live(memory)
    sleep(memory, None, NOW)
    sleep(memory, None, NOW + timedelta(minutes=1))
    assert len(list(memory.home.backups.glob("*.gz"))) == 1


@pytest.mark.parametrize(
    ("said", "fact"),
    [
        ("My mother had diabetes, she lost her sight at sixty.", "The user had diabetes."),
        (
            "She had her hip done in February and walks without a stick.",
            "The user's hip was done in February.",
        ),
        (
            "I already have one, June 24th at the Kaiser clinic.",
            "The user has one named June 24th at the Kaiser clinic.",
        ),
    ],
)
def test_what_is_said_of_others_is_not_believed_of_the_speaker(memory: Memory, said: str, fact: str) -> None:
    turns = live(
        memory, [("s", 3, said), ("s", 3, "We painted our kitchen in a very loud yellow on Sunday.")]
    )
    kept = "The user painted the kitchen yellow on Sunday."
    assert proposals_in(told(fact), turns, "read") == ([], 1)
    ([found], refused) = proposals_in(told(kept), turns, "read")
    assert found.text == "The user painted the kitchen yellow on 28 April 2024."
    assert found.turn == turns[1].id
    assert refused == 0


def test_what_the_rules_read_is_not_said_twice(memory: Memory) -> None:
    live(
        memory, [("s", 3, "I am allergic to peanuts."), ("s", 3, "Our canary Pip hates the vacuum cleaner.")]
    )
    replies = ["The user is allergic to peanuts.", "The user is very allergic to peanuts."]
    sleep(memory, EchoChat([told(reply) for reply in replies]), NOW)
    assert [text for text in facts(memory) if "peanut" in text] == ["The user is allergic to peanuts."]
