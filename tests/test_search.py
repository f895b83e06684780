"""Filters and full text over more rows than one question may have scored; by scoring every row what is right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.recall import channels
from storage import search
from storage.records import EVERYTHING, Filter, Kind, Record, Source
from storage.search import Among, by_words, telling
from storage.store import Store

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
ROWS = 400
VIEWS = ["text", "context"]
MUSIC = 7  # every seventh row tells of the piano, every fiftieth of the oboe


def record(number: int) -> Record:
    words = ["we", "talked", "about", "day", str(number)]
    words += ["piano"] * (number % MUSIC == 0) + ["oboe"] * (number % 50 == 0)
    kind = Kind.EPISODIC if number % 2 else Kind.SEMANTIC
    at = NOW + timedelta(minutes=number)
    text = " ".join(words)
    return Record(
        kind,
        text,
        Source.USER_SAID,
        Source.USER_SAID,
        event_time=at,
        recorded_at=at,
        session=str(number // 20),
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "mem.db") as store:
        with store.atomic("import", NOW):
            store.insert(record(number) for number in range(1, ROWS + 1))
        yield store


def test_rare_words_are_looked_for_and_common_ones_are_not(store: Store) -> None:
    db = store.connection
    assert telling(db, ["talked", "piano", "oboe"], most=ROWS) == '"talked" OR "piano" OR "oboe"'
    assert telling(db, ["talked", "piano", "oboe"], most=100) == '"oboe" OR "piano"'
    assert telling(db, ["talked", "piano", "oboe"], most=20) == '"oboe"'
    assert telling(db, ["harp", "talked", "oboe"], most=20) == '"oboe"'


def test_where_all_words_are_common_they_must_stand_together(store: Store) -> None:
    db = store.connection
    assert telling(db, ["talked", "piano"], most=20) == '"piano" AND ("talked")'
    assert telling(db, ["talked"], most=20) == '"talked"'
    assert telling(db, ["harp"], most=20) == ""
    assert telling(db, [], most=20) == ""


def test_no_more_rows_are_scored_than_may_be_and_the_newest_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SCORED", 30)
    found = [seq for seq, _ in store.search_text('"talked"', 20)]
    assert len(found) == 20
    assert min(found) > ROWS - 30
    assert len(store.search_text('"talked"', 50)) == 50


def test_a_common_word_still_tells_the_rows_of_a_session_apart(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "SCORED", 30)
    among = Among(store.connection, Filter(session="3"))
    text, wide = by_words(store.connection, ["piano", "talked"], 50, among)
    assert text == wide
    assert {seq for seq, _ in text} == set(range(60, 80))
    assert {seq for seq, _ in text[:3]} == {63, 70, 77}
    assert by_words(store.connection, ["piano"], 50, Among(store.connection, Filter(session="none"))) == (
        [],
        [],
    )


@pytest.mark.parametrize("few", [10, 1_000])
def test_what_a_filter_lets_through_is_the_same_listed_or_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    among = Among(store.connection, Filter(kinds=frozenset({Kind.SEMANTIC})))
    assert (among.rows is None) == (few == 10)
    assert among.of(range(1, 9)) == {2, 4, 6, 8}
    assert among.listed() == list(range(2, ROWS + 1, 2))
    assert Among(store.connection, EVERYTHING).of([3, 1]) == {1, 3}


@pytest.mark.parametrize("widest", [5, 10_000])
def test_a_loose_filter_finds_what_is_nearest_among_its_rows(
    store: Store, monkeypatch: pytest.MonkeyPatch, widest: int
) -> None:
    import numpy as np

    index = store.vectors("m", 4)
    vectors = np.random.default_rng(1).standard_normal((ROWS, 4)).astype(np.float32)
    with store.atomic("embed", NOW):
        for seq, vector in enumerate(vectors, 1):
            index.put(seq, "text", vector, str(seq))
    query = np.random.default_rng(2).standard_normal(4).astype(np.float32)
    filter = Filter(after=NOW + timedelta(minutes=300))
    right = dict(index.search(query, 5, allowed=store.matching(filter)))
    monkeypatch.setattr(search, "FEW", 10)
    monkeypatch.setattr(channels, "WIDEST", widest)
    among = Among(store.connection, filter)
    assert channels.dense([(index, query)], 5, VIEWS, among)[0] == {"text": right, "context": {}}
    assert len(channels.dense([(index, query)], ROWS, VIEWS, among)[0]["text"]) == ROWS - 300 + 1
