"""How likely it is that the store holds an answer at all: does it know the question's names and words, does anything
come near its meaning?"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from app.recall.traits import traits
from app.recall.words import STOP, stem, words

if TYPE_CHECKING:
    from app.recall.analysis import Analysis
    from app.recall.candidates import Candidates

_NAME = re.compile(r"(?<![.?!:]\s)(?<!^)\b[A-Z][\w’'-]+")


def signs(analysis: Analysis, found: Candidates) -> dict[str, float]:
    """What speaks for an answer.

    `cosine`, `cosines`: of the nearest turn, and the mean of the five nearest. `held`: share of the question's words
    that one turn has. `strangers`: 1 when a name is asked for that no candidate has. `named`: 1 for a known speaker's.
    """
    nearest = np.sort(found.cosine)[::-1][:5]
    told = [*found.traits, *(traits(b.context) for b in found.briefs)]
    heard = {word for each in told for word in each.stems}
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
    }


def probability(signs: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """0..1 by logistic regression; `weights` by sign, and "constant"."""
    total = weights["constant"] + sum(
        weights[name] * value for name, value in signs.items() if name in weights
    )
    return 1 / (1 + math.exp(-max(min(total, 50.0), -50.0)))
