"""Forgetting: a fresh backup in the place of the old, a crash made good, and every place searched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.backups import list_backups, make, put_back
from app.config import Config, find_home, replaced
from app.doctor import repair
from app.encode import turn
from app.forget import UNSETTLED, forget, preview, settle
from app.memory import Memory
from app.open import open_memory
from app.records import Record
from app.traces import places
from bench.canaries import hits
from models.fake import HashEmbedder

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
WORD = "zanzibarcanary"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = open_memory(
        replace(find_home(), path=tmp_path / "home"), replaced(Config(), "models.embed", "fake")
    )
    yield memory
    memory.close()


def said(memory: Memory) -> list[Record]:
    return memory.add(
        [turn(f"My parrot is called {WORD}.", now=NOW), turn("Tea at four.", now=NOW)], "say", NOW
    )


def found(memory: Memory, records: list[Record]) -> dict[str, tuple[str, ...]]:
    return {place.name: place.found for place in places(memory, records) if place.found}


def test_a_fresh_backup_takes_the_place_of_those_that_hold_it(memory: Memory) -> None:
    gone, kept = said(memory)
    make(memory, NOW - timedelta(days=2))
    make(memory, NOW - timedelta(days=1))
    forget(memory, preview(memory, [gone]), NOW)
    [backup] = list_backups(memory.home.backups)
    assert backup.at == NOW
    assert list(hits(memory.home.path, [WORD])) == []
    put_back(memory.home, backup.path, NOW)
    with open_memory(memory.home, memory.config).store as again:
        assert [r.id for r in again.records()] == [kept.id]


def test_a_home_without_backups_gets_none(memory: Memory) -> None:
    gone, _ = said(memory)
    forget(memory, preview(memory, [gone]), NOW)
    assert list_backups(memory.home.backups) == []


def test_a_store_kept_by_a_restore_goes_too(memory: Memory) -> None:
    said(memory)
    put_back(memory.home, make(memory, NOW).path, NOW)
    memory.store.close()
    with open_memory(memory.home, memory.config).store as store:
        again = Memory(
            memory.home, memory.config, store, load_embedder=HashEmbedder, load_chat=lambda: memory.chat
        )
        forget(again, preview(again, [r for r in store.records() if WORD in r.text]), NOW)
    assert list(hits(memory.home.path, [WORD])) == []


@pytest.mark.parametrize("by_doctor", [True, False])
def test_what_a_crash_left_is_removed_later(memory: Memory, by_doctor: bool) -> None:
    gone, _ = said(memory)
    make(memory, NOW)
    with memory.store.atomic("forget", NOW):
        memory.store.erase([gone.id])
        memory.store.set_meta(UNSETTLED, True)
    assert found(memory, [gone])["backups"]
    if by_doctor:
        assert "copies of what was forgotten were removed" in repair(memory, NOW)
    else:
        settle(memory, NOW)
    assert found(memory, [gone]) == {}
    assert not memory.store.meta(UNSETTLED)


def test_every_place_is_searched(memory: Memory) -> None:
    home = memory.home.path
    [gone, _] = said(memory)
    forget(memory, preview(memory, [gone]), NOW)
    assert found(memory, [gone]) == {}
    for folder in ("index", "prefix", "logs", "backups"):
        (home / folder).mkdir(exist_ok=True)
    for path in ("index/1.hnsw", "prefix/1.state", "logs/mem.log", "mem.db.before-restore-x", "note.txt"):
        (home / path).write_bytes(b"x" * (1 << 20) + f"..{WORD.upper()}..".encode())
    (home / "backups" / "broken.db.gz").write_bytes(b"no archive")
    (home / "link").symlink_to(home / "note.txt")
    with memory.store.atomic("x", NOW):
        memory.store.set_meta("x", [WORD])
    assert found(memory, [gone]) == {
        "tables and journal": ("meta.value",),
        "store and its log": ("mem.db",),
        "index files": ("1.hnsw",),
        "prompt states": ("1.state",),
        "logs": ("mem.log",),
        "backups": ("mem.db.before-restore-x",),
        "other files": ("note.txt",),
    }


def test_what_others_still_say_is_no_trace(memory: Memory) -> None:
    gone, _ = said(memory)
    memory.add([turn(f"The vet asked for {WORD}.", now=NOW)], "say", NOW)
    forget(memory, preview(memory, [gone]), NOW)
    assert found(memory, [gone]) == {}


def test_what_was_undone_before_is_emptied_too(memory: Memory) -> None:
    words = f"My parrot {WORD} speaks five languages."
    with memory.store.atomic("say", NOW) as run:
        memory.store.insert([turn(words, now=NOW)])
    with memory.store.atomic("undo", NOW):
        memory.store.undo(run=run)
    gone = memory.add([turn(words, now=NOW)], "say", NOW)
    forget(memory, preview(memory, gone), NOW)
    assert found(memory, gone) == {}
