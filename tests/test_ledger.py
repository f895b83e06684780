"""The night's ledger on a real file: jobs are paid for once, tried three times, and survive whoever held them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.errors import RecordNotFound
from storage.journal import state_hash
from storage.ledger import DONE, FAILED, OPEN, PAID, RUNNING, TRIES, Ledger, job_key
from storage.store import Store

NOW = datetime(2024, 5, 1, 3, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "mem.db") as store:
        yield store


@pytest.fixture
def ledger(store: Store) -> Ledger:
    return Ledger(store)


def queue(store: Store, ledger: Ledger, key: str = "k", output: str | None = None) -> None:
    with store.atomic("sleep", NOW):
        ledger.queue("read", key, "n1", {"turns": ["m1"]}, NOW, output)


def test_a_key_depends_on_everything_that_shapes_the_outcome() -> None:
    shaping = [
        ("read", ["m1"], "p1", "v1"),
        ("read", ["m1"], "p1", "v2"),
        ("read", ["m1"], "p2", "v1"),
        ("read", ["m2"], "p1", "v1"),
        ("gist", ["m1"], "p1", "v1"),
    ]
    keys = {job_key(*parts) for parts in shaping}
    assert len(keys) == 5
    assert job_key("read", ["m1"]) == job_key("read", ["m1"])


def test_the_same_job_is_queued_once(store: Store, ledger: Ledger) -> None:
    with store.atomic("sleep", NOW):
        assert ledger.queue("read", "k", "n1", {}, NOW)
        assert not ledger.queue("read", "k", "n2", {}, NOW)
    assert ledger.count("read", OPEN) == 1


def test_an_output_that_was_paid_for_is_kept_and_applied_once(store: Store, ledger: Ledger) -> None:
    queue(store, ledger)
    with store.atomic("sleep", NOW):
        assert ledger.claim("k", NOW)
        ledger.keep("k", '{"facts": []}\x00\ufffd', NOW)
    [job] = ledger.jobs("read", PAID)
    assert (job.output, job.input, job.tries) == ('{"facts": []}\x00\ufffd', {"turns": ["m1"]}, 1)
    with store.atomic("sleep", NOW):
        ledger.finish("k", NOW)
        assert not ledger.claim("k", NOW)
    assert ledger.jobs("read", DONE)[0].output is not None


def test_three_tries_and_then_it_is_shown(store: Store, ledger: Ledger) -> None:
    queue(store, ledger)
    for _ in range(TRIES):
        with store.atomic("sleep", NOW):
            assert ledger.claim("k", NOW)
            ledger.fail("k", "the model is gone", NOW)
    with store.atomic("sleep", NOW):
        assert not ledger.claim("k", NOW)
    [job] = ledger.troubled()
    assert (job.state, job.tries, job.error) == (FAILED, TRIES, "the model is gone")


def test_a_crash_counts_as_a_try_and_an_interruption_does_not(store: Store, ledger: Ledger) -> None:
    queue(store, ledger)
    with store.atomic("sleep", NOW):
        assert ledger.claim("k", NOW)
    assert ledger.jobs("read", RUNNING)[0].tries == 1
    with store.atomic("sleep", NOW):
        assert ledger.claim("k", NOW + timedelta(hours=1))
        ledger.release("k", NOW)
    job = ledger.job("k")
    assert job is not None
    assert (job.state, job.tries) == (OPEN, 1)


def test_runs_have_ids_of_their_own_and_an_unended_one_is_found(store: Store, ledger: Ledger) -> None:
    assert ledger.unfinished() is None
    with store.atomic("sleep", NOW):
        first = ledger.begin(NOW)
    assert ledger.unfinished() == first
    with store.atomic("sleep", NOW):
        ledger.end(first.id, NOW, {"jobs": []}, interrupted=True)
        second = ledger.begin(NOW)
    assert first.id != second.id
    assert [run.id for run in ledger.runs()] == [second.id, first.id]
    assert ledger.run(first.id).interrupted
    with pytest.raises(RecordNotFound):
        ledger.run("n99")


def test_a_question_is_put_once_and_decided_once(store: Store, ledger: Ledger) -> None:
    with store.atomic("sleep", NOW):
        assert ledger.ask("n1", "Rome or Porto?", {"replace": "m1", "with": "m2"}, NOW)
        assert not ledger.ask("n2", "Porto or Rome?", {"with": "m2", "replace": "m1"}, NOW)
    [question] = ledger.questions()
    with store.atomic("review", NOW):
        ledger.decide(question.id, "rejected", NOW)
        with pytest.raises(RecordNotFound):
            ledger.decide(question.id, "accepted", NOW)
        assert not ledger.ask("n3", "Again?", {"replace": "m1", "with": "m2"}, NOW)
    assert ledger.questions() == []
    assert len(ledger.questions("rejected")) == 1


def test_bookkeeping_is_no_memory(store: Store, ledger: Ledger) -> None:
    before = state_hash(store.connection)
    queue(store, ledger)
    with store.atomic("sleep", NOW):
        ledger.ask("n1", "?", {}, NOW)
    assert state_hash(store.connection) == before
    assert list(store.journal.changes()) == []
