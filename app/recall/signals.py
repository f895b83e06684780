"""What speaks for and against each candidate, as arrays over the candidates. Pure arithmetic; reads no store."""

from __future__ import annotations

import calendar
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from app.forgetting import DAY, FLOOR, Curve
from app.recall.candidates import Array, Candidates
from app.recall.traits import READ, told
from app.recall.words import stem

if TYPE_CHECKING:
    from app.recall.analysis import Analysis
    from storage.search import Brief

_MONTHS = [name.lower() for name in calendar.month_name if name]
_DAYS = "|".join(name.lower() for name in calendar.day_name)
_TIME = re.compile(
    rf"\b(?:yesterday|today|tomorrow|tonight|last|next|ago|weeks?|weekend|months?|years?|{_DAYS}|since|recently"
    rf"|morning|{'|'.join(_MONTHS)}|(?:19|20)\d\d)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\b(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|couple|few|several|first|second|third|once|twice)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"\b(?:in|at|to|from|near|around|visit\w*) (?:the )?[A-Z]\w+")
_STANDING = re.compile(
    r"\b(?:always|never|from now on|i(?:'d)? (?:prefer|like|want|need|love|hate|dislike|enjoy)|i would (?:prefer|like)"
    r"|i'm (?:not )?(?:interested|looking|trying)|make sure|please (?:use|include|keep|avoid|don't)|"
    r"remember (?:to|that)|whenever)\b",
    re.IGNORECASE,
)
_ANSWERS: Mapping[str, re.Pattern[str]] = {
    "time": _TIME,
    "number": _NUMBER,
    "place": _PLACE,
}


def signals(
    analysis: Analysis, found: Candidates, now: datetime, as_of: datetime | None = None
) -> dict[str, Array]:
    """All signals by name; most lie between 0 and 1. `as_of` asks for another time than now."""
    table = dict(found.channels)
    base = found.base
    before, after = found.neighbour(base, -1), found.neighbour(base, 1)
    asks = np.array([each.asks for each in found.traits], float)
    table |= {
        "cosine": found.cosine,
        "base": base,
        "before": before,
        "after": after,
        "around": np.maximum(before, after),
        "answers_before": before * found.neighbour(asks, -1),
        "session": _session(found, base),
        "only_asks": np.array([each.only_asks for each in found.traits], float),
        "asks": asks,
        "date": np.maximum(_dated(analysis.text, found), _in_times(analysis, found)),
        "over": found.each(_is_over(as_of or now)),
    }
    return table | _speakers(analysis, found) | _words(analysis, found) | _manner(analysis, found)


def _is_over(moment: datetime) -> Callable[[Brief], bool]:
    """Whether what a record says had stopped being true by then."""
    at = to_utc(moment)
    return lambda b: b.valid_to <= at if b.valid_to is not None else b.superseded_by is not None


def strength(found: Candidates, now: datetime, curve: Curve) -> Array:
    """Retrievability of each candidate at `now`; what is protected never falls below the floor."""
    out = np.empty(len(found))
    for i, brief in enumerate(found.briefs):
        touched = max(brief.last_used or brief.event_time, brief.event_time)
        days = (now - datetime.fromisoformat(touched)).total_seconds() / DAY
        value = curve.value(brief.stability, days)
        out[i] = max(value, FLOOR) if brief.pinned or brief.protected else value
    return out


def _speakers(analysis: Analysis, found: Candidates) -> dict[str, Array]:
    """Who said it, against whom the question is about."""
    teller = (analysis.teller or "").lower()
    said = found.each(lambda b: bool(teller) and (b.speaker or b.subject or "").lower() == teller)
    user, assistant = found.each(lambda b: b.role == "user"), found.each(lambda b: b.role == "assistant")
    return {
        "speaker": said,
        "user": user,
        "wish": found.channels["wish"] * user,
        "user_self": user * analysis.of_self,
        "user_asked": user * analysis.of_asker,
        "assistant_asked": assistant * analysis.of_assistant,
    }


def _words(analysis: Analysis, found: Candidates) -> dict[str, Array]:
    """How much of the question's wording stands in the turn, rare words counting more."""
    asked = [stem(word) for word in analysis.terms]
    distinct = set(asked)
    own = [distinct.intersection(each.stems) for each in found.traits]
    wide = [a.union(distinct.intersection(told(b.context))) for a, b in zip(own, found.briefs, strict=True)]
    spread = Counter(word for each in own for word in each)
    weight = {word: math.log((len(found) + 1) / (spread[word] + 0.5)) for word in asked}
    total = sum(weight.values()) or 1.0
    pairs = set(pairwise(asked))
    return {
        "cover": np.array([sum(weight[word] for word in each) for each in own]) / total,
        "cover_context": np.array([sum(weight[word] for word in each) for each in wide]) / total,
        "pairs": np.array(
            [min(len(pairs.intersection(pairwise(each.stems))), 2) for each in found.traits], float
        ),
    }


def _manner(analysis: Analysis, found: Candidates) -> dict[str, Array]:
    """How the turn is worded, and whether that suits the kind of answer that is sought."""
    size = np.array([each.size for each in found.traits], float)
    nothing = np.zeros(len(found))
    answers = {
        f"answers_{kind}": found.each(_matches(pattern)) if kind in analysis.seeks else nothing
        for kind, pattern in _ANSWERS.items()
    }
    return answers | {
        "first_person": np.array([each.first for each in found.traits]),
        # what one said to another who is named is said to a "you"
        "second_person": np.array([each.second for each in found.traits]) * (len(analysis.named) < 2),
        "length": np.log(size) / 5,
        "long": np.clip(size / 400, 0, 2),
        "standing": found.each(lambda b: b.role == "user" and _STANDING.search(b.text[:READ]) is not None),
    }


def _matches(pattern: re.Pattern[str]) -> Callable[[Brief], bool]:
    return lambda brief: pattern.search(brief.text[:READ]) is not None


def _session(found: Candidates, base: Array) -> Array:
    """How well the best three turns of the same session do."""
    members: dict[str | None, list[float]] = {}
    for brief, value in zip(found.briefs, base, strict=True):
        members.setdefault(brief.session, []).append(float(value))
    means = {session: sum(sorted(values)[-3:]) / 3 for session, values in members.items()}
    best = max(means.values()) or 1.0
    return np.array([0.0 if b.session is None else means[b.session] / best for b in found.briefs])


def _in_times(analysis: Analysis, found: Candidates) -> Array:
    """1 for what was said in an interval that the question names."""
    spans = [(to_utc(span.start), to_utc(span.end)) for span in analysis.times]
    return found.each(lambda b: any(start <= b.event_time < end for start, end in spans))


def to_utc(moment: datetime) -> str:
    """The time as the store writes it, so that text compares as time does."""
    return moment.astimezone(UTC).isoformat()


def _dated(question: str, found: Candidates) -> Array:
    lower = question.lower()
    months = {
        number
        for number, name in enumerate(_MONTHS, 1)
        if re.search(rf"\b(?:{name}|{name[:3]})\b", lower)
        and (name != "may" or re.search(r"\bMay\b", question))
    }
    if not months:
        return np.zeros(len(found))
    years = {int(year) for year in re.findall(r"\b(?:19|20)\d\d\b", lower)}
    days = {int(day) for day in re.findall(r"\b(\d{1,2})(?:st|nd|rd|th)?\b", lower)}
    out = np.zeros(len(found))
    for i, brief in enumerate(found.briefs):
        moment = datetime.fromisoformat(brief.event_time)
        if moment.month in months and (not years or moment.year in years):
            out[i] = 1.0 if not days or moment.day in days else 0.3
    return out
