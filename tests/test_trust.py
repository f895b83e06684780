"""Trust, measured on labelled lines and hostile sets: what bench/trust.py prints, held to its bounds."""

from __future__ import annotations

from pathlib import Path

from bench.canaries import COUNT, deletion
from bench.trust import missed_and_false


def test_secrets_are_found_and_honest_lines_are_left_alone() -> None:
    found = missed_and_false()
    assert sum(count for count, _ in found.values()) == 500
    share = {group: len(wrong) / count for group, (count, wrong) in found.items()}
    assert share["structured"] <= 0.05, found["structured"][1]
    assert share["prose"] <= 0.15, found["prose"][1]
    assert share["negative"] <= 0.02, found["negative"][1]


def test_nothing_forgotten_is_left_in_any_file_nor_comes_back(tmp_path: Path) -> None:
    held, before, added_again, left = deletion(tmp_path / "home")
    assert held == before == COUNT
    assert added_again == 0
    assert left == []
