"""How likely it is that the store holds an answer at all: does it know the question's names and words, does anything
come near its meaning?"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from app import slots
from app.recall.traits import told
from app.recall.words import STOP, stem, words
from app.sleep.attributes import RELATIONS

if TYPE_CHECKING:
    from app.recall.analysis import Analysis
    from app.recall.candidates import Candidates

BY_HAND = {"filled": 6.0, "untold": -4.0}
"""Log-odds of what no conversation between others can teach: code knows whether a slot of its user was ever told."""

READ = 12  # of the nearest messages, for the slots that they fill
_MINE = re.compile(r"\bmy ((?:[a-z]+ )?[a-z]+)\b", re.IGNORECASE)
_KIN = re.compile(
    rf"(?:{RELATIONS}|lawyer|accountant|teacher|grandson|granddaughter|children|kids)", re.IGNORECASE
)
_NAME = re.compile(r"(?<![.?!:]\s)(?<!^)\b[A-Z][\w’'-]+")


def signs(analysis: Analysis, found: Candidates) -> dict[str, float]:
    """What speaks for an answer.

    `cosine`, `cosines`: of the nearest turn, and the mean of the five nearest. `held`: share of the question's words
    that one turn has. `strangers`: 1 when a name is asked for that no candidate has. `named`: 1 for a known speaker's.
    `filled`: 1 where a fact or a message fills the slot that is asked for ("my diet", "where do I live"). `untold`: 1
    where nobody ever spoke of the relative or pet that is asked for.
    """
    nearest = np.sort(found.cosine)[::-1][:5]
    heard = {word for each in found.traits for word in each.stems}
    heard = heard.union(*(told(b.context) for b in found.briefs))
    heard |= {stem(word) for name in {b.speaker or "" for b in found.briefs} for word in words(name)}
    asked = {stem(word) for word in analysis.terms}
    names = {stem(word) for name in _NAME.findall(analysis.bare) for word in words(name) if word not in STOP}
    most = max((len(asked.intersection(each.stems)) for each in found.traits), default=0)
    return {
        "cosine": float(nearest[0]) if len(nearest) else 0.0,
        "cosines": float(nearest.mean()) if len(nearest) else 0.0,
        "held": most / len(asked) if asked else 0.5,
        "strangers": float(len(names - heard) > 0),
        "named": float(bool(analysis.named)),
        **_slots(analysis, found),
    }


def _slots(analysis: Analysis, found: Candidates) -> dict[str, float]:
    question, told = analysis.bare.lower(), [f"{b.context}\n{b.text}".lower() for b in found.briefs]
    asked = [noun for phrase in _MINE.findall(question) for noun in (phrase, *phrase.split())]
    filled = any(text.startswith(f"{noun}:") for noun in asked for text in told) or _is_told(analysis, found)
    kin = [noun for noun in asked if _KIN.fullmatch(noun)]
    spoken = re.compile(
        rf"\b(?:my|our|your|'s|the|(?:have|has|had|got|with) (?:an?|two|three)) (?:\w+ ){{0,2}}(?:{'|'.join(kin)})s?\b"
    )
    untold = bool(kin) and not filled and not any(spoken.search(text) for text in told)
    return {"filled": float(filled), "untold": float(untold)}


def _is_told(analysis: Analysis, found: Candidates) -> bool:
    """Whether one of the nearest messages of the user fills the slot that is asked for."""
    if analysis.slot is None:
        return False
    nearest = [found.briefs[i] for i in np.argsort(-found.cosine, kind="stable")[:READ]]
    own = (b for b in nearest if b.role == "user")
    return any(analysis.slot in slots.filled(b.text, datetime.fromisoformat(b.event_time)) for b in own)


def probability(signs: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """0..1 by logistic regression; `weights` by sign, and "constant"."""
    total = weights["constant"] + sum(
        {**BY_HAND, **weights}.get(name, 0.0) * value for name, value in signs.items()
    )
    return 1 / (1 + math.exp(-max(min(total, 50.0), -50.0)))
