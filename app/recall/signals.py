"""What speaks for and against each candidate, as arrays over the candidates. Pure arithmetic; reads no store."""

from __future__ import annotations

import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from app.forgetting import DAY, FLOOR, STANDARD
from app.recall.words import stem, stems

if TYPE_CHECKING:
    from app.recall.analysis import Analysis
    from storage.search import Brief

Array = NDArray[np.float64]

_MONTHS = [name.lower() for name in calendar.month_name if name]


@dataclass(frozen=True)
class Candidates:
    """Candidates in the order of their rows, and the channels' scores of them, each between 0 and 1."""

    briefs: Sequence[Brief]
    channels: Mapping[str, Array]
    cosine: Array  # of the plain view, not normalised

    @classmethod
    def of(cls, briefs: Sequence[Brief], scores: Mapping[str, Mapping[int, float]]) -> Self:
        """Bring each channel's scores into the order of `briefs` and divide them by the channel's best."""
        raw = {name: np.array([values.get(b.seq, 0.0) for b in briefs]) for name, values in scores.items()}
        for view, plain in (("dense_context", "dense"),):
            own = np.array([b.seq in scores[view] for b in briefs], bool)
            raw[view] = np.where(own, raw[view], raw[plain])  # a turn that opens a session has one view
        return cls(briefs, {name: normalised(values) for name, values in raw.items()}, raw["dense"])

    def __len__(self) -> int:
        return len(self.briefs)

    @cached_property
    def seqs(self) -> NDArray[np.int64]:
        """Row numbers."""
        return np.array([b.seq for b in self.briefs], np.int64)

    @cached_property
    def between_people(self) -> NDArray[np.bool_]:
        """Which turns belong to a talk between people rather than with an assistant."""
        return np.array([b.role == "other" or bool(b.context) for b in self.briefs], bool)

    def neighbour(self, values: Array, step: int) -> Array:
        """The value of the turn `step` rows further in the same session; 0 where it is no candidate."""
        place = {b.seq: i for i, b in enumerate(self.briefs)}
        out = np.zeros(len(values))
        for i, brief in enumerate(self.briefs):
            j = place.get(brief.seq + step)
            if j is not None and brief.session is not None and self.briefs[j].session == brief.session:
                out[i] = values[j]
        return out


def normalised(values: Array) -> Array:
    """Divided by the highest; negative scores count as none."""
    top = values.max(initial=0.0)
    positive: Array = np.clip(values, 0, None)
    return positive / top if top > 1e-9 else np.zeros_like(values)


def signals(analysis: Analysis, found: Candidates, now: datetime) -> dict[str, Array]:
    """All signals by name; most lie between 0 and 1."""
    table = dict(found.channels)
    table["cosine"] = found.cosine
    base = 0.5 * (table["dense"] + table["dense_context"] + table["text"] + table["text_context"])
    table["around"] = np.maximum(found.neighbour(base, -1), found.neighbour(base, 1))
    table["speaker"] = _said_by(found, analysis.named)
    table["only_asks"] = np.array([b.text.rstrip().endswith("?") for b in found.briefs], float)
    table["date"] = _dated(analysis.text, found)
    table["role"] = _role(analysis, found)
    table["cover"] = _cover(analysis, found)
    table["strength"] = strength(found, now)
    return table


def strength(found: Candidates, now: datetime) -> Array:
    """Retrievability of each candidate at `now`; what is protected never falls below the floor."""
    out = np.empty(len(found))
    for i, brief in enumerate(found.briefs):
        touched = max(brief.last_used or brief.event_time, brief.event_time)
        days = (now - datetime.fromisoformat(touched)).total_seconds() / DAY
        value = STANDARD.value(brief.stability, days)
        out[i] = max(value, FLOOR) if brief.pinned or brief.protected else value
    return out


def _said_by(found: Candidates, named: tuple[str, ...]) -> Array:
    wanted = {name.lower() for name in named}
    if len(wanted) != 1:
        return np.zeros(len(found))
    return np.array([(b.speaker or b.subject or "").lower() in wanted for b in found.briefs], float)


def _role(analysis: Analysis, found: Candidates) -> Array:
    wanted = "assistant" if analysis.of_assistant else "user" if analysis.of_self else ""
    return np.array([b.role == wanted for b in found.briefs], float)


def _cover(analysis: Analysis, found: Candidates) -> Array:
    wanted = {stem(word) for word in analysis.terms}
    if not wanted:
        return np.zeros(len(found))
    return np.array([len(wanted.intersection(stems(b.text))) / len(wanted) for b in found.briefs])


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
