"""The store against a real file: verbs, transactions, filters, ids, forgetting, and what bad use gets."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storage.check import drop_orphan_vectors, full_text_problem, vector_problems
from storage.errors import RecordNotFound, StorageError
from storage.ids import short_id
from storage.journal import replay, state_hash
from storage.records import Entity, Filter, Kind, Link, LinkKind, Record, Source, State, Use, least_trust
from storage.store import Store

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def said(text: str, *, at: datetime = NOW, **more: object) -> Record:
    base = Record(Kind.EPISODIC, text, Source.USER_SAID, Source.USER_SAID, event_time=at, recorded_at=at)
    return replace(base, **more)  # type: ignore[arg-type]


def fact(text: str, attribute: str, **more: object) -> Record:
    return said(text, kind=Kind.SEMANTIC, subject="user", attribute=attribute, **more)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "mem.db") as store:
        yield store


def add(store: Store, *records: Record, action: str = "remember") -> list[Record]:
    with store.atomic(action, NOW):
        return store.insert(records)


def test_a_record_comes_back_as_it_was_given(store: Store) -> None:
    given = said(
        "Grüße 👋 שלום\n\x00line",
        speaker="Ana",
        session="s",
        external_id="D1:1",
        tz="+02:00",
        valid_from=NOW - timedelta(days=2),
        last_used=NOW,
        extra={"tags": ["a"], "n": 1.5},
        pinned=True,
        protected="health",
    )
    [added] = add(store, given)
    assert replace(added, seq=0, id="") == given
    assert store.get(added.id) == added
    assert store.get("D1:1") == added


def test_ids_are_short_unique_and_never_reused(store: Store) -> None:
    [first] = add(store, said("one"))
    with store.atomic("forget", NOW):
        store.erase([first.id])
    [second] = add(store, said("two"))
    assert second.id != first.id
    ids = [short_id(n) for n in range(40_000)]
    assert len(set(ids)) == len(ids)
    assert max(map(len, ids)) <= 5


def test_naive_times_are_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="naive"):
        add(store, said("x", at=datetime(2024, 1, 1)))  # noqa: DTZ001
    assert store.records() == []


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError), store.atomic("remember", NOW):
        store.insert([said("half")])
        raise RuntimeError
    assert store.records() == []
    assert list(store.journal.changes()) == []
    assert store.search_text('"half"', 5) == []


def test_writes_need_a_transaction(store: Store) -> None:
    with pytest.raises(StorageError, match="outside a transaction"):
        store.insert([said("x")])


def test_an_episode_cannot_be_reworded_and_a_fact_can(store: Store) -> None:
    turn, home = add(store, said("I live in Rome"), fact("The user lives in Rome.", "home city"))
    with store.atomic("edit", NOW):
        with pytest.raises(StorageError, match="never changed"):
            store.update(replace(turn, text="I live in Paris"))
        store.update(replace(home, text="The user lives in Paris."))
    assert store.get(turn.id).text == "I live in Rome"
    assert store.get(home.id).text == "The user lives in Paris."
    assert [c.action for c in store.journal.changes(record=home.id)] == ["remember", "edit"]


def test_full_text_follows_every_change(store: Store) -> None:
    note, _ = add(store, fact("Likes climbing", "hobby"), said("Went climbing with Ana"))
    assert len(store.search_text("climb", 10)) == 2
    with store.atomic("edit", NOW):
        store.update(replace(note, text="Likes chess"))
    assert len(store.search_text("climb", 10)) == 1
    assert store.search_text("chess", 10, Filter(kinds=frozenset({Kind.EPISODIC}))) == []
    assert [s for s, _ in store.search_text("chess", 10)] == [note.seq]


def test_filters(store: Store) -> None:
    old, new, closed = add(
        store,
        said("a", at=NOW - timedelta(days=9), session="x", speaker="Ana"),
        said("b", session="y", speaker="Bo", state=State.ARCHIVED),
        fact("c", "city", valid_from=NOW - timedelta(days=30), valid_to=NOW - timedelta(days=10)),
    )

    def ids(**wanted: object) -> set[str]:
        return {r.id for r in store.records(Filter(**wanted))}  # type: ignore[arg-type]

    assert ids(session="x") == {old.id} == ids(speaker="Ana") == ids(before=NOW - timedelta(days=1))
    assert ids(after=NOW, states=frozenset({State.ARCHIVED})) == {new.id}
    assert ids(kinds=frozenset({Kind.SEMANTIC}), as_of=NOW - timedelta(days=20)) == {closed.id}
    assert ids(kinds=frozenset({Kind.SEMANTIC}), as_of=NOW) == set()
    assert closed.id not in ids(include_superseded=False)
    assert store.matching(Filter(session="nowhere")) == []


def test_neighbours_slots_links_entities_uses(store: Store) -> None:
    turns = add(store, *(said(f"turn {n}", session="s") for n in range(5)), said("else", session="t"))
    assert [r.text for r in store.neighbours(turns[2], 1, 2)] == ["turn 1", "turn 3", "turn 4"]
    old, new = add(store, fact("Rome", "home city", valid_to=NOW), fact("Porto", "home city"))
    assert [r.text for r in store.slot("user", "home city")] == ["Porto"]
    assert [r.text for r in store.slot("user", "home city", live_only=False)] == ["Rome", "Porto"]
    with store.atomic("sleep", NOW):
        store.link(
            [
                Link(new.id, old.id, LinkKind.SUPERSEDES),
                Link(new.id, turns[0].id, LinkKind.DERIVED_FROM, 1, 0, 4),
            ]
        )
        store.upsert_entity(Entity("e1", "Porto", "place", ("porto",)))
        assert store.add_use(Use(new.id, NOW, "s", 1.0)) is True
        assert store.add_use(Use(new.id, NOW, "s", 1.0)) is False
    assert store.links(new.id, LinkKind.DERIVED_FROM) == [
        Link(new.id, turns[0].id, LinkKind.DERIVED_FROM, 1, 0, 4)
    ]
    assert [link.src for link in store.links(old.id, out=False)] == [new.id]
    assert store.entities() == [Entity("e1", "Porto", "place", ("porto",))]
    assert len(store.uses(new.id)) == 1


def test_undo_takes_a_run_back_and_says_when_it_cannot(store: Store) -> None:
    before = state_hash(store.connection)
    with store.atomic("import", NOW) as run:
        [a, b] = store.insert([said("a"), fact("b", "x")])
        store.link([Link(b.id, a.id, LinkKind.DERIVED_FROM)])
    after = state_hash(store.connection)
    with store.atomic("edit", NOW) as edit:
        store.update(replace(b, text="bb"))
    with pytest.raises(StorageError, match="later"), store.atomic("undo", NOW):
        store.undo(run=run)
    with store.atomic("undo", NOW):
        assert store.undo(run=edit) == 1
    assert state_hash(store.connection) == after
    with store.atomic("undo", NOW):
        assert store.undo(run=run) == 3
    assert state_hash(store.connection) == before
    with pytest.raises(RecordNotFound), store.atomic("undo", NOW):
        store.undo(run="rnope")


def test_daily_wear_does_not_stand_in_the_way_of_an_undo(store: Store) -> None:
    with store.atomic("remember", NOW) as run:
        [record] = store.insert([said("a")])
    with store.atomic("use", NOW):
        store.update(replace(record, use_count=3, stability=9.0, last_used=NOW))
        store.add_use(Use(record.id, NOW, "s", 1.0))
    with store.atomic("undo", NOW):
        store.undo(run=run)
    assert store.records() == []
    assert store.uses(record.id) == []


def test_forgetting_leaves_no_copy_and_is_not_learnt_again(store: Store, tmp_path: Path) -> None:
    [keep, gone] = add(store, said("keep me"), said("the canary xyzzyplugh sang", external_id="ext-77"))
    with store.atomic("sleep", NOW):
        store.link([Link(keep.id, gone.id, LinkKind.SIMILAR)])
        store.add_use(Use(gone.id, NOW, "s", 1.0))
    with store.atomic("forget", NOW):
        store.erase([gone.id])
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    files = b"".join(p.read_bytes() for p in tmp_path.iterdir())
    assert b"xyzzyplugh" not in files
    assert b"ext-77" not in files
    assert store.is_forgotten("The canary  xyzzyplugh sang!")
    assert store.is_forgotten("ext-77")
    assert not store.is_forgotten("keep me")
    from storage.database import memory

    copy = memory()
    replay(store.connection, copy)
    assert state_hash(copy) == state_hash(store.connection)


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    import os

    old = os.umask(0)
    try:
        with Store(tmp_path / "home" / "mem.db") as store:
            add(store, said("private"))
            paths = [store.path.parent, *store.path.parent.iterdir()]
            assert all(stat.S_IMODE(p.stat().st_mode) & 0o077 == 0 for p in paths), paths
    finally:
        os.umask(old)


def test_trust_of_a_mixture_is_its_least() -> None:
    assert least_trust([Source.USER_SAID, Source.IMPORTED, Source.USER_FILE]) is Source.IMPORTED


def test_counts_and_meta(store: Store) -> None:
    add(store, said("a"), said("b"), fact("c", "x"))
    assert store.counts() == {"episodic": 2, "semantic": 1}
    with pytest.raises(StorageError):
        store.counts("text; DROP TABLE records")
    with store.atomic("sleep", NOW):
        store.set_meta("watermark", {"seq": 3})
    assert store.meta("watermark") == {"seq": 3}
    assert store.meta("none", 7) == 7


def test_a_turn_of_no_session_has_no_neighbours(store: Store) -> None:
    alone, _ = add(store, said("a"), said("b"))
    assert store.neighbours(alone) == []


def test_a_copy_of_a_store_without_a_log(store: Store, tmp_path: Path) -> None:
    add(store, said("a"))
    store.close()
    (tmp_path / "copy").mkdir()
    with store.copied(tmp_path / "copy") as copy:
        assert [r.text for r in copy.records()] == ["a"]


def test_vectors_that_belong_to_nothing_are_found_and_dropped(store: Store) -> None:
    [record] = add(store, said("a"))
    index = store.vectors("m", 4)
    with store.atomic("x", NOW):
        for seq, view in ((record.seq, "text"), (record.seq, "context"), (99, "text")):
            index.put(seq, view, [1, 0, 0, 0], "h")
        store.connection.execute("UPDATE vectors SET vec = x'00' WHERE view = 'context'")
    assert vector_problems(store.connection) == ["1 belong to no memory", "1 have the wrong length"]
    with store.atomic("x", NOW):
        assert drop_orphan_vectors(store.connection) == 2
    assert vector_problems(store.connection) == []
    assert full_text_problem(store.connection) == ""


def test_records_are_found_by_their_callers_ids(store: Store) -> None:
    one, two, other = add(
        store, said("one", external_id="a"), said("two", external_id="a"), said("three", external_id="b")
    )
    assert store.by_external(["a", "b", "c"]) == {"a": [one, two], "b": [other]}
