"""What screens show, without a screen: lines of search, pages, details, months, curves, walks, plots."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tui_world import NOW, empty, filled

from app import browse, curves, graph, months
from app.errors import RecordNotFound
from app.memory import Memory
from storage.records import Filter, Kind, Source, State, Use
from tui.plot import curve, histogram, short
from tui.words import bar, safe, strength, validity


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = filled(tmp_path).open()
    yield memory
    memory.close()


def found(memory: Memory, line: str) -> list[str]:
    return [f.record.text for f in browse.search(memory, browse.understand(line, NOW)).rows]


def test_a_line_is_words_and_tokens() -> None:
    asked = browse.understand("  tea kind:fact by:Ann after:2024-03 state:dorm ", NOW)
    assert asked.words == "tea"
    assert asked.filter == Filter(
        kinds=frozenset({Kind.SEMANTIC}), states=frozenset({State.DORMANT}), speaker="Ann",
        after=datetime(2024, 3, 1, tzinfo=UTC),
    )  # fmt: skip
    assert browse.understand("before:30d", NOW).filter.before == NOW - timedelta(days=30)
    assert browse.understand("from:imp", NOW).filter.sources == {Source.IMPORTED}


@pytest.mark.parametrize("line", ["kind:nonsense", "after:yesterday", "after:2024-13", "is:false"])
def test_a_token_that_makes_no_sense_is_named_and_changes_nothing(line: str) -> None:
    assert browse.understand(line, NOW) == browse.Asked("", Filter(), (line,))


@given(st.text(max_size=60))
def test_any_line_is_a_search_and_any_words_an_expression(line: str) -> None:
    asked = browse.understand(line, NOW)
    assert asked.words == asked.words.strip()
    assert browse.expression(asked.words).count('"') % 2 == 0


@pytest.mark.parametrize(
    "line", ['"', "NEAR(", "a AND", "*", "'; DROP TABLE records", "\x00", "𓀀", "-", "^x"]
)
def test_no_words_break_a_search(memory: Memory, line: str) -> None:
    page = browse.search(memory, browse.understand(line, NOW))
    assert all(memory.store.get(row.record.id) == row.record for row in page.rows)
    assert page.by == ("words" if browse.expression(line) else "time")


def test_words_are_found_while_they_are_typed(memory: Memory) -> None:
    assert found(memory, "hazel") == ["I am allergic to hazelnuts."]
    assert found(memory, "anna graz kind:fact") == ["Anna lives in Graz"]
    assert len(found(memory, "")) == 6
    assert found(memory, "kind:fact is:true") == ["Anna lives in Graz"]


def test_pages_follow_one_another(memory: Memory) -> None:
    asked = browse.understand("", NOW)
    first = browse.search(memory, asked, limit=4)
    rest = browse.search(memory, asked, limit=4, offset=4)
    assert (len(first.rows), first.more, len(rest.rows), rest.more) == (4, True, 2, False)
    assert len({f.record.id for f in first.rows + rest.rows}) == 6


def test_meaning_finds_without_an_embedder_too(memory: Memory) -> None:
    page = browse.search_by_meaning(memory, browse.understand("where does Anna live", NOW), NOW)
    assert page.by.startswith("meaning")
    assert page.rows[0].record.text.startswith(("Anna", "My sister Anna"))


def test_the_detail_holds_origin_links_and_turns_around(memory: Memory) -> None:
    (fact,) = [f.record for f in browse.search(memory, browse.understand("graz kind:fact", NOW)).rows]
    detail = browse.detail(memory, fact.id)
    (origin,) = detail.origins
    assert origin.record.text[origin.start : origin.end] == "Anna moved to Graz la"
    assert {n.name for n in detail.neighbours if n.entity} == {"Anna"}
    said = browse.detail(memory, origin.record.id)
    assert [r.text for r in said.after] == ["The bicycle is in the cellar."]
    with pytest.raises(RecordNotFound):
        browse.detail(memory, "mzzz")


def test_sessions_and_turns(memory: Memory) -> None:
    assert [(s.name, s.turns) for s in browse.sessions(memory)] == [("move", 2), ("spring", 2)]
    assert [t.text for t in browse.turns(memory, "move")][-1] == "The bicycle is in the cellar."


def test_months_hold_counts_and_turnings(memory: Memory) -> None:
    assert months.months(memory) == [("2024-04", 1), ("2024-03", 2), ("2023-10", 3)]
    span = months.span(memory, "2024-03")
    assert span.days == (("2024-03-22", 2),)
    assert {(t.record.text, t.began) for t in span.turnings} == {
        ("Anna lives in Graz", True),
        ("Anna lives in Vienna", False),
    }
    assert months.bounds("2024-02")[1] == datetime(2024, 3, 1, tzinfo=UTC)
    assert months.bounds("2024-12")[1] == datetime(2025, 1, 1, tzinfo=UTC)


def test_a_walk_begins_at_an_entity_or_a_memory(memory: Memory) -> None:
    assert graph.hubs(memory) == [("e_anna", "Anna", "person", 2)]
    anna = graph.centre(memory, "e_anna")
    assert anna.record is None
    assert len(anna.neighbours) == 2
    back = graph.centre(memory, anna.neighbours[0].id)
    assert "e_anna" in {n.id for n in back.neighbours}


def test_every_memory_stands_in_one_bucket_or_is_protected(memory: Memory) -> None:
    fading = curves.fading(memory, NOW)
    assert sum(map(sum, fading.kinds.values())) + sum(fading.protected.values()) == 6
    memory.pin(memory.store.records(limit=1)[0].id, NOW)
    assert curves.fading(memory, NOW).protected == {"episode": 1}


def test_buckets_agree_with_the_curve(memory: Memory) -> None:
    from app.forgetting import retrievability

    fading = curves.fading(memory, NOW)
    edges = curves.BUCKETS
    for kind in (Kind.EPISODIC, Kind.SEMANTIC):
        counts = [0] * (len(edges) + 1)
        for record in memory.store.records(Filter(kinds=frozenset({kind}))):
            value = retrievability(record, NOW)
            counts[next((n for n, edge in enumerate(edges) if value > edge), len(edges))] += 1
        assert list(fading.kinds[browse.KIND_NAMES[kind]]) == counts


def test_the_course_starts_awake_falls_and_rises_with_a_use(memory: Memory) -> None:
    record = memory.store.records(Filter(kinds=frozenset({Kind.SEMANTIC})), limit=1)[0]
    with memory.store.atomic("use", NOW):
        memory.store.add_use(Use(record.id, NOW - timedelta(days=10), "s", 1.0))
        memory.store.update(replace(record, last_used=NOW - timedelta(days=10), stability=60.0))
    course = curves.course(memory, record.id, NOW)
    values = [value for _, value in course.points]
    assert values[0] == 1.0
    assert all(0 < value <= 1 for value in values)
    before = max(n for n, (moment, _) in enumerate(course.points) if moment < NOW - timedelta(days=10))
    assert values[before + 1] > values[before]
    assert "▲" in "\n".join(curve(course, NOW))


def test_a_memory_of_this_moment_or_of_the_future_has_a_course(tmp_path: Path) -> None:
    from app.encode import turn

    memory = empty(tmp_path).open()
    records = memory.add(
        [turn("now", now=NOW), turn("soon", now=NOW, said_at=NOW + timedelta(days=90))], "say", NOW
    )
    for record in records:
        lines = curve(curves.course(memory, record.id, NOW), NOW)
        assert len(lines) == 10
    memory.close()


def test_plots_and_words() -> None:
    assert histogram({}, {})
    assert [short(n) for n in (0, 7, 999, 12_345, 4_500_000)] == ["·", "7", "999", "12k", "4M"]
    assert bar(0, 0, 4) == "    "
    assert bar(1, 1000, 4).startswith("▏")
    assert bar(5, 5, 4) == "████"
    assert strength(0.61) == "▮▮▮▯▯ 0.61"
    assert "still true" in validity(NOW, None, NOW)
    assert "ended" in validity(NOW - timedelta(days=9), NOW - timedelta(days=3), NOW)
    assert "ends" in validity(NOW, NOW + timedelta(days=3), NOW)
    assert not {"\x1b", "\x07", "\u202e"} & set(safe("a\x1b[31m\x07\u202eb"))
    assert "characters more" in safe("x" * 30_000)


@given(st.floats(0, 1e6), st.floats(0.1, 1e6), st.integers(1, 60))
def test_a_bar_is_as_wide_as_its_room(count: float, most: float, width: int) -> None:
    assert len(bar(min(count, most), most, width)) == width
