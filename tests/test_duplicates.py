"""What is nearest to each memory among those before it: the same in blocks, through the graph and by brute force."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from nights import NOW, live, opened

from app.memory import Memory
from app.sleep import vectors
from app.sleep.duplicates import MATERIAL
from app.sleep.night import sleep
from app.sleep.vectors import nearest_before
from storage.records import LinkKind, Record

WORDS = [f"The {n % 5}th box stands in row {n % 3} of the cellar." for n in range(40)]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    memory = opened(tmp_path)
    yield memory
    memory.close()


def brute(memory: Memory, turns: list[Record], many: int, least: float) -> dict[int, list[int]]:
    assert memory.embedder is not None
    own = vectors.vectors_of(memory, turns)
    scores = {(a, b): round(float(own[a] @ own[b]), 5) for a in own for b in own if b < a}
    near = {
        a: sorted((b for b in own if b < a and scores[a, b] >= least), key=lambda b: (-scores[a, b], b))
        for a in own
    }
    return {a: found[:many] for a, found in near.items()}


def test_blocks_find_what_brute_force_finds(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = live(memory, [("s", 3, words) for words in WORDS])
    expected = brute(memory, turns, 4, 0.95)
    assert sum(map(len, expected.values())) > 30
    for block in (3, 2_048):
        monkeypatch.setattr(vectors, "BLOCK", block)
        found = nearest_before(memory, turns, 4, 0.95, MATERIAL)
        assert {seq: [other for other, _ in near] for seq, near in found.items()} == expected
        assert all(0.95 <= cosine <= 1 for near in found.values() for _, cosine in near)


def test_of_nothing_and_without_an_embedder(memory: Memory) -> None:
    [turn] = live(memory, [("s", 3, WORDS[0])])
    assert nearest_before(memory, [], 4, 0.95, MATERIAL) == {}
    assert nearest_before(memory, [turn], 4, 0.95, MATERIAL) == {turn.seq: []}


def test_one_line_a_hundred_times_is_linked_and_bounded(memory: Memory) -> None:
    turns = live(memory, [("s", 3, WORDS[0])] * 100)
    sleep(memory, None, NOW, only="duplicates")
    links = [memory.store.links(turn.id, LinkKind.SIMILAR, back=False) for turn in turns]
    assert [len(found) for found in links] == [min(n, 4) for n in range(100)]
