"""Exact questions: how often, and how much. Counted from the records by code, with each of them as evidence.

What is counted are the user's own messages that hold all telling words of the question, in the time it names:
the answer says so, and shows them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.citations import telling
from app.events import Evidence
from app.evidence import day, of_record
from app.recall.words import match_any
from app.tasks import stems
from app.when import TimeSpan, describe, find_times
from storage.records import Filter, Kind, Record, Source

if TYPE_CHECKING:
    from storage.store import Store

MOST = 2000
SHOWN = 8
_TIMES = re.compile(
    r"^\W*how (?:many times|often) (?:did|have|do|had|were|was) (?:i|we)\b(?P<what>.+?)\??\s*$", re.I
)
_SPENT = re.compile(
    r"^\W*how much (?:money )?(?:did|have) (?:i|we) (?:spen[dt]|paid|pay)\b(?P<what>.*?)\??\s*$", re.I
)
_PAID = re.compile(r"\b(?:paid|pay|spent|spend|cost|costs|bought|price|charged|bill)\b", re.I)
_AMOUNT = re.compile(
    r"(?:(?P<sign>[€$£])\s?(?P<one>\d[\d,]*(?:\.\d+)?))|(?:(?P<two>\d[\d,]*(?:\.\d+)?)\s?(?P<name>€|\$|£|euros?|eur|dollars?|usd|"
    r"pounds?|gbp|bucks?))(?!\w)",
    re.I,
)
_CURRENCY = {
    "€": "€",
    "eur": "€",
    "euro": "€",
    "$": "$",
    "usd": "$",
    "dollar": "$",
    "buck": "$",
    "£": "£",
    "gbp": "£",
    "pound": "£",
}
_IDLE = frozenset(
    stems("go went gone going been have had time times often money total altogether far now ever ago")
)


@dataclass(frozen=True, slots=True)
class Exact:
    """An answer that was counted, with the memories it was counted from, newest first."""

    text: str
    evidence: tuple[Evidence, ...]


def answer(store: Store, question: str, now: datetime) -> Exact | None:
    """The counted answer to a question of number; None for any other, and where nothing is found to count."""
    for pattern, told in ((_TIMES, _counted), (_SPENT, _summed)):
        if (asked := pattern.match(question)) is not None:
            spans = find_times(question, now)
            words = _without(question, spans) if spans else question
            wanted = pattern.match(words)
            what = {w for w in telling((wanted or asked)["what"]) if not _IDLE & set(stems(w))}
            return told(_matching(store, what, spans[:1], told is _summed), spans[:1], now)
    return None


def _matching(store: Store, what: set[str], spans: list[TimeSpan], any_words: bool) -> list[Record]:
    after, before = (spans[0].start, spans[0].end) if spans else (None, None)
    own = Filter(
        kinds=frozenset({Kind.EPISODIC}),
        sources=frozenset({Source.USER_SAID, Source.IMPORTED}),
        after=after,
        before=before,
    )
    if not what:
        return store.records(own, limit=MOST) if any_words and spans else []
    wanted = set(stems(" ".join(what)))
    rows = [seq for seq, _ in store.search_text(match_any(sorted(what)), MOST, own)]
    found = [
        r
        for r in store.by_seq(rows).values()
        if wanted <= set(stems(r.text)) and not r.text.rstrip().endswith("?")
    ]
    return sorted(found, key=lambda r: (r.event_time, r.seq), reverse=True)


def _counted(found: list[Record], spans: list[TimeSpan], now: datetime) -> Exact | None:
    if not found:
        return None
    days = {r.event_time.date() for r in found}
    number = f"{len(found)} time{'s' if len(found) != 1 else ''}"
    over = f" on {len(days)} different days" if 1 < len(days) < len(found) else ""
    return _told(f"You told me of it {number}{_in(spans)}{over}", found, now)


def _summed(found: list[Record], spans: list[TimeSpan], now: datetime) -> Exact | None:
    sums: dict[str, float] = {}
    counted = []
    for record in found:
        amounts = [
            (_currency(m), float((m["one"] or m["two"]).replace(",", "")))
            for m in _AMOUNT.finditer(record.text)
        ]
        if amounts and _PAID.search(record.text):
            counted.append(record)
            for currency, amount in amounts:
                sums[currency] = sums.get(currency, 0.0) + amount
    if not counted:
        return None
    total = " and ".join(
        f"{currency}{amount:,.2f}".replace(".00", "") for currency, amount in sorted(sums.items())
    )
    return _told(f"By what you told me{_in(spans)}, {total}", counted, now)


def _told(opening: str, found: list[Record], now: datetime) -> Exact:
    evidence = tuple(of_record(r, now, 1.0, "counted") for r in found)
    listed = ", ".join(f"{day(e.time)} [{e.id}]" for e in evidence[:SHOWN])
    more = f" and {len(evidence) - SHOWN} more" if len(evidence) > SHOWN else ""
    return Exact(f"{opening}: {listed}{more}.", evidence)


def _in(spans: list[TimeSpan]) -> str:
    return f" in {describe(spans[0])}" if spans else ""


def _currency(found: re.Match[str]) -> str:
    name = (found["sign"] or found["name"]).lower().rstrip("s")
    return _CURRENCY[name]


def _without(text: str, spans: list[TimeSpan]) -> str:
    span = spans[0]
    return f"{text[: span.begin]}{text[span.finish :]}"
