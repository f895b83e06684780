"""The ways to a memory: each channel is a small function that returns row numbers with scores, best first.

Scores of one channel are comparable with each other only; ranking normalises them.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from storage.search import by_words, earliest, sources

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.recall.analysis import Analysis
    from app.when import TimeSpan
    from storage.exact import Vector
    from storage.records import Filter
    from storage.search import Among
    from storage.store import Store
    from storage.vectors import VectorIndex

LONGEST_SPAN = timedelta(days=45)
WIDEST = 2_000  # rows of which those that a filter lets through are picked

MOST_WISHES, MOST_BOUND = 20, 5  # standing wishes that are looked at, and that bear on one question
_WISHES = '{text} : (^"always" OR ^"never" OR "please always" OR "please never")'

Scores = dict[int, float]
Asked: TypeAlias = (
    "tuple[VectorIndex, Vector]"  # the question as one model embeds it, and that model's vectors
)


def full_text(store: Store, analysis: Analysis, many: int, among: Among) -> dict[str, Scores]:
    """BM25 over the words of the question, any of which may match: in the text alone, and in text and context."""
    text, wide = by_words(store.connection, analysis.terms, many, among)
    return {"text": dict(text), "text_context": dict(wide)}


def dense(
    asked: Sequence[Asked], many: int, views: Sequence[str], among: Among
) -> tuple[dict[str, Scores], dict[str, Scores]]:
    """Cosines of the nearest texts of each view, among the rows that are let through; and all that were met on the way.

    `asked`: the question by each model that has vectors of them, the newest last, whose word goes where two have one.
    """
    if len(asked) == 1:
        return _nearest(*asked[0], many, views, among)
    found: dict[str, set[int]] = {view: set() for view in views}
    for index, vector in asked:
        for view, scores in _nearest(index, vector, many, views, among)[0].items():
            found[view].update(scores)
    newest = cosines(asked, sorted(set().union(*found.values())), views)
    return {view: {row: newest[view][row] for row in sorted(rows)} for view, rows in found.items()}, newest


def cosines(asked: Sequence[Asked], rows: Sequence[int], views: Sequence[str]) -> dict[str, Scores]:
    """How near each of these rows comes in each view; by the newest model that has embedded it."""
    found: dict[str, Scores] = {view: {} for view in views}
    for index, vector in asked:
        for view, scores in index.scores(vector, rows, views).items():
            found[view] |= scores
    return found


def _nearest(
    index: VectorIndex, vector: Vector, many: int, views: Sequence[str], among: Among
) -> tuple[dict[str, Scores], dict[str, Scores]]:
    wide, allowed = many, among.rows
    while True:
        found, met = index.nearest(vector, wide, views, allowed)
        kept = among.of({row for each in found.values() for row in each})
        let = {view: [row for row in each if row in kept] for view, each in found.items()}
        if allowed is not None or all(len(let[v]) >= many or len(found[v]) < wide for v in views):
            return {view: {row: found[view][row] for row in rows[:many]} for view, rows in let.items()}, met
        wide *= 4
        if wide > WIDEST:  # what is let through lies far from the question
            wide, allowed = many, among.listed()


def wishes(store: Store, analysis: Analysis, filter: Filter) -> Scores:
    """What begins as a standing wish does ("Always ..."): for one who asks for help, whatever the words of both."""
    if "help" not in analysis.seeks:
        return {}
    return {row: 1.0 for row, _ in store.search_text(_WISHES, MOST_WISHES, filter)}


def nearest(scores: Scores, cosines: Scores, many: int = MOST_BOUND) -> Scores:
    """Those of `scores` that come nearest in meaning; many wishes must not crowd out what was said."""
    return {row: scores[row] for row in sorted(scores, key=lambda row: (-cosines.get(row, 0.0), row))[:many]}


def slot(store: Store, analysis: Analysis, among: Among, moment: datetime) -> Scores:
    """The fact that fills the slot which is asked for ("where do I live") at that moment, and what it was drawn from.

    Whatever the words of both: what changed was often told in other words than it is asked for.
    """
    facts = store.slot(*analysis.slot, live_only=False) if analysis.slot else []
    held = [
        f.seq
        for f in facts
        if (f.valid_from or f.event_time) <= moment
        and (f.valid_to > moment if f.valid_to else f.superseded_by is None)
    ]
    behind = {row for rows in sources(store.connection, held).values() for row in rows}
    return dict.fromkeys(sorted(among.of({*held, *behind})), 1.0)


def in_times(store: Store, times: Iterable[TimeSpan], many: int, filter: Filter) -> set[int]:
    """Rows of what happened in the intervals that a question names; not of long ones such as a year."""
    rows: set[int] = set()
    for span in times:
        if span.end - span.start <= LONGEST_SPAN:
            after = max(filter.after or span.start, span.start)
            before = min(filter.before or span.end, span.end)
            rows.update(earliest(store.connection, replace(filter, after=after, before=before), many))
    return rows
