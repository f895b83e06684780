"""The review: what each verdict does to the two facts, that it is one undoable run, and what is not there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.config import Config, Home, ModelsConfig
from app.errors import NothingFound
from app.journal import undo
from app.memory import Memory
from app.open import open_memory
from app.review import Verdict, decide, questions
from storage.ledger import Ledger
from storage.records import Kind, Link, LinkKind, Record, Source

NOW = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)


def fact(text: str, days_ago: int) -> Record:
    moment = NOW - timedelta(days=days_ago)
    return Record(
        Kind.SEMANTIC, text, Source.MODEL_INFERRED, Source.MODEL_INFERRED, moment, moment, valid_from=moment
    )


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    config = Config(models=ModelsConfig(chat="fake", embed="fake"))
    memory = open_memory(Home(tmp_path / "home", tmp_path / "models"), config)
    old, new = memory.add([fact("Ann likes tea", 90), fact("Ann likes coffee", 3)], "derive", NOW)
    with memory.store.atomic("sleep", NOW):
        memory.store.link([Link(new.id, old.id, LinkKind.CONTRADICTS)])
        question = "Ann likes tea Or now: Ann likes coffee"
        Ledger(memory.store).ask("n22", question, {"replace": old.id, "with": new.id}, NOW)
    yield memory
    memory.close()


def test_new_replaces_old_from_when_it_began(memory: Memory) -> None:
    (question,) = questions(memory)
    decide(memory, question.id, Verdict.NEW, NOW)
    old, new = memory.store.get(question.old.id), memory.store.get(question.new.id)
    assert (old.valid_to, old.superseded_by) == (new.valid_from, new.id)
    assert new.trust is Source.USER_SAID
    assert memory.store.links(new.id, LinkKind.CONTRADICTS) == []
    assert questions(memory) == []


def test_old_stands_and_new_never_was(memory: Memory) -> None:
    (question,) = questions(memory)
    decide(memory, question.id, Verdict.OLD, NOW)
    old, new = memory.store.get(question.old.id), memory.store.get(question.new.id)
    assert old.valid_to is None
    assert new.valid_to == new.valid_from
    assert new.superseded_by == old.id


def test_both_stand(memory: Memory) -> None:
    (question,) = questions(memory)
    decide(memory, question.id, Verdict.BOTH, NOW)
    assert memory.store.get(question.old.id).valid_to is None
    assert memory.store.get(question.new.id).valid_to is None


def test_words_are_changed_before_it_is_accepted(memory: Memory) -> None:
    (question,) = questions(memory)
    decide(memory, question.id, Verdict.NEW, NOW, words="Ann likes strong coffee")
    assert memory.store.get(question.new.id).text == "Ann likes strong coffee"


def test_a_verdict_can_be_undone(memory: Memory) -> None:
    (question,) = questions(memory)
    run = decide(memory, question.id, Verdict.NEW, NOW)
    undo(memory, run, NOW)
    assert memory.store.get(question.old.id).valid_to is None
    assert len(memory.store.links(question.new.id, LinkKind.CONTRADICTS)) == 1


def test_a_question_is_decided_once(memory: Memory) -> None:
    (question,) = questions(memory)
    decide(memory, question.id, Verdict.BOTH, NOW)
    with pytest.raises(NothingFound):
        decide(memory, question.id, Verdict.NEW, NOW)
