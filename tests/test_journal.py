"""Whatever is done to a store, its journal replays to the same state, and an undo is exact (Hypothesis)."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from storage.backup import restore
from storage.database import memory
from storage.journal import replay, state_hash
from storage.records import Kind, Link, LinkKind, Record, Source, Use
from storage.rekey import SALT_BYTES, raw_key, rekey
from storage.store import Store

NOW = datetime(2024, 5, 1, tzinfo=UTC)
WORDS = st.text(max_size=40)


class StoreMachine(RuleBasedStateMachine):
    """The real store beside a plain dictionary of what it should hold."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "mem.db"
        self.key: str | None = None
        self.store = Store(self.path)
        self.model: dict[str, str] = {}
        self.clock = NOW

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    def pick(self, number: int) -> str:
        return sorted(self.model)[number % len(self.model)]

    @rule(text=WORDS, days=st.integers(-4000, 4000))
    def remember(self, text: str, days: int) -> None:
        self.clock += timedelta(days=days) / 100
        record = Record(Kind.SEMANTIC, text, Source.USER_SAID, Source.USER_SAID, self.clock, self.clock)
        with self.store.atomic("remember", self.clock):
            [added] = self.store.insert([record])
        self.model[added.id] = text

    @precondition(lambda self: self.model)
    @rule(number=st.integers(0, 99), text=WORDS)
    def edit(self, number: int, text: str) -> None:
        id = self.pick(number)
        with self.store.atomic("edit", self.clock):
            self.store.update(replace(self.store.get(id), text=text))
        self.model[id] = text

    @precondition(lambda self: self.model)
    @rule(number=st.integers(0, 99), other=st.integers(0, 99), gain=st.floats(0, 1.87))
    def use_and_link(self, number: int, other: int, gain: float) -> None:
        a, b = self.pick(number), self.pick(other)
        with self.store.atomic("use", self.clock):
            self.store.add_use(Use(a, self.clock, f"s{other}", gain))
            self.store.link([Link(a, b, LinkKind.SIMILAR, gain)])

    @precondition(lambda self: self.model)
    @rule(number=st.integers(0, 99), erase=st.booleans())
    def remove(self, number: int, erase: bool) -> None:
        id = self.pick(number)
        with self.store.atomic("forget", self.clock):
            (self.store.erase if erase else self.store.delete)([id])
        del self.model[id]

    @rule(text=WORDS)
    def fail_in_the_middle(self, text: str) -> None:
        try:
            with self.store.atomic("remember", self.clock):
                self.store.insert(
                    [Record(Kind.SEMANTIC, text, Source.TOOL, Source.TOOL, self.clock, self.clock)] * 2
                )
                raise InterruptedError
        except InterruptedError:
            pass

    @rule(text=WORDS)
    def do_and_undo(self, text: str) -> None:
        before = state_hash(self.store.connection)
        record = Record(Kind.GIST, text, Source.MODEL_INFERRED, Source.TOOL, self.clock, self.clock)
        with self.store.atomic("sleep", self.clock) as run:
            [added] = self.store.insert([record])
            for id in sorted(self.model)[:3]:
                self.store.link([Link(added.id, id, LinkKind.DERIVED_FROM, 1.0, 0, 1)])
                self.store.update(replace(self.store.get(id), importance=9.0, valid_to=self.clock))
            if self.model:
                self.store.delete([self.pick(0)])
        with self.store.atomic("undo", self.clock):
            self.store.undo(run=run)
        assert state_hash(self.store.connection) == before

    @rule()
    def close_and_open_again(self) -> None:
        self.store.close()
        self.store = Store(self.path, key=self.key)

    @rule(number=st.integers(0, 2))
    def change_the_key(self, number: int) -> None:
        self.store.close()
        new = None if number == 0 else raw_key(bytes([number] * 32), os.urandom(SALT_BYTES))
        rekey(self.path, self.key, new)
        self.key = new
        self.store = Store(self.path, key=new)

    @rule(text=WORDS)
    def back_up_and_restore(self, text: str) -> None:
        backup = self.store.backup(self.path.parent / "backups", self.clock)
        kept = dict(self.model)
        self.remember(text, 0)
        self.store.close()
        restore(backup, self.path, self.clock, self.key)
        self.store = Store(self.path, key=self.key)
        self.model = kept

    @invariant()
    def holds_what_was_acknowledged(self) -> None:
        assert {r.id: r.text for r in self.store.records()} == self.model

    @invariant()
    def journal_replays_to_the_same_state(self) -> None:
        copy = memory()
        replay(self.store.connection, copy)
        assert state_hash(copy) == state_hash(self.store.connection)
        copy.close()

    @invariant()
    def full_text_agrees_with_the_rows(self) -> None:
        self.store.connection.execute(
            "INSERT INTO records_fts (records_fts, rank) VALUES ('integrity-check', 1)"
        )


StoreMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestStore = StoreMachine.TestCase
