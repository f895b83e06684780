"""The ways to a memory: each channel is a small function that returns row numbers with scores, best first.

Scores of one channel are comparable with each other only; ranking normalises them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.recall.words import match_any
from storage.records import EVERYTHING, Filter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.recall.analysis import Analysis
    from storage.exact import Vector
    from storage.store import Store
    from storage.vectors import VectorIndex

Scores = dict[int, float]


def full_text(
    store: Store, analysis: Analysis, many: int, filter: Filter, column: str | None = None
) -> Scores:
    """BM25 over the words of the question, any of which may match; over `column` alone where it is given."""
    match = match_any(analysis.terms, column)
    return dict(store.search_text(match, many, filter)) if match else {}


def dense(index: VectorIndex, vector: Vector, many: int, view: str, allowed: Sequence[int] | None) -> Scores:
    """Cosines of the nearest texts of a view; with `allowed`, among those rows only."""
    return dict(index.search(vector, many, view=view, allowed=allowed))


def allowed_rows(store: Store, filter: Filter) -> list[int] | None:
    """The rows that a filter lets through, ascending; None when it lets all through."""
    return None if filter == EVERYTHING else store.matching(filter)
