"""Whatever a memory holds, its export leads another home to the same state, and its book can be written."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.config import Config, Home, replaced
from app.exchange.exporters import book, jsonl_lines, write_private
from app.exchange.importer import import_items
from app.exchange.own import read_own
from app.memory import Memory
from app.open import open_memory
from app.records import Entity, Kind, Link, LinkKind, Record, Source, State, Use
from storage.journal import state_hash
from storage.transfer import all_rows, checked

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
CONFIG = replaced(replaced(Config(), "models.embed", "fake"), "models.chat", "fake")

words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
LOCAL = NOW.replace(tzinfo=None)
moments = st.datetimes(LOCAL.replace(year=1970), LOCAL.replace(year=2100), timezones=st.just(UTC))
records = st.builds(
    Record,
    kind=st.sampled_from(Kind),
    text=words,
    source=st.sampled_from(Source),
    trust=st.sampled_from(Source),
    event_time=moments,
    recorded_at=moments,
    speaker=st.none() | words,
    session=st.none() | words,
    external_id=st.none() | words,
    valid_to=st.none() | moments,
    importance=st.floats(1, 10),
    stability=st.floats(0.8, 3650),
    pinned=st.booleans(),
    state=st.sampled_from(State),
    extra=st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers() | words, max_size=2),
)


def opened(folder: Path) -> Memory:
    return open_memory(Home(folder, folder / "models"), CONFIG)


@settings(max_examples=20, deadline=None)
@given(st.lists(records, min_size=1, max_size=6))
def test_any_memory_comes_back_as_it_was(kept: list[Record]) -> None:
    with tempfile.TemporaryDirectory() as place:
        here, there = opened(Path(place, "a")), opened(Path(place, "b"))
        with here.store.atomic("test", NOW):
            added = here.store.insert(kept)
            here.store.upsert_entity(Entity("e1", "Anna", "person", ("anna",)))
            here.store.link([Link(r.id, "e1", LinkKind.MENTIONS, 0.5, 0, 1) for r in added])
            here.store.add_use(Use(added[0].id, NOW, "s", 0.6))
            here.store.delete([added[-1].id])
        write_private(Path(place, "x.jsonl"), jsonl_lines(here))
        report = import_items(there, read_own(Path(place, "x.jsonl")), NOW)

        assert report.problems == []
        assert state_hash(there.store.connection) == state_hash(here.store.connection)
        assert book(here, NOW)["README.md"].startswith("# What me remembers")
        here.close()
        there.close()


def test_rows_are_checked_to_be_our_own(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.add([Record(Kind.EPISODIC, "hello", Source.USER_SAID, Source.USER_SAID, NOW, NOW)], "test", NOW)
    ((table, row),) = all_rows(memory.store.connection)
    memory.close()

    assert checked(table, row) == row
    for change in (
        {"kind": "dream"},
        {"event_time": "yesterday"},
        {"event_time": "2024-05-01T12:00:00"},
        {"seq": 5},
        {"surprise": 1},
        {"pinned": 7},
        {"extra": "[1"},
    ):
        with pytest.raises(ValueError, match=r"."):
            checked(table, {**row, **change})
    with pytest.raises(ValueError, match="not a row"):
        checked(table, {name: value for name, value in row.items() if name != "text"})


def test_a_chapter_a_month_in_the_zone_where_it_was_said(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    late = datetime(2024, 4, 30, 23, 30, tzinfo=UTC)
    turn = Record(Kind.EPISODIC, "midnight", Source.USER_SAID, Source.USER_SAID, late, NOW, tz="+02:00")
    over = Record(
        Kind.SEMANTIC,
        "Lived in Oslo",
        Source.USER_SAID,
        Source.USER_SAID,
        NOW,
        NOW,
        valid_to=NOW - timedelta(9),
    )
    memory.add([turn, over], "test", NOW)
    chapters = book(memory, NOW)
    memory.close()

    assert set(chapters) == {"README.md", "2024-05.md"}
    assert "## 2024-05-01" in chapters["2024-05.md"]
    assert "01:30" in chapters["2024-05.md"]
    assert "- Lived in Oslo (until 2024-04-22)" in chapters["README.md"]


def test_each_line_is_json_and_the_header_names_the_state(tmp_path: Path) -> None:
    memory = opened(tmp_path)
    memory.add(
        [Record(Kind.EPISODIC, "a\u2028b\nc", Source.USER_SAID, Source.USER_SAID, NOW, NOW)], "test", NOW
    )
    lines = list(jsonl_lines(memory))

    assert json.loads(lines[0]) == {"mem_export": 1, "state_hash": state_hash(memory.store.connection)}
    assert json.loads(lines[1])["text"] == "a\u2028b\nc"
    assert all(line.count("\n") == 1 for line in lines)
    memory.close()
