"""How broadly a question is answered: from one exchange or from many places, and by how many hits. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from app.recall.analysis import Analysis
    from app.recall.candidates import Array

LOG_ODDS = 5.0  # that a score of 1 stands for
COMPARED = 50  # best scores
SURE = 5.0  # rivals up to which the first hit stands out
FEWEST, MOST = 3, 50  # hits
PER_RIVAL = 4.0  # hits beyond the fewest; for a list twice as many


@dataclass(frozen=True, slots=True)
class Route:
    """`broad`: a list is sought, whose parts stand in many places. `deep`: one hit stands out for a question about one
    thing, so that the exchange around it answers. `enough`: as many hits as the question calls for."""

    broad: bool
    deep: bool
    enough: int


def route(analysis: Analysis, scores: Array) -> Route:
    """What the question asks for, and how far its first hits stand out, decide."""
    many = rivals(scores)
    broad = "list" in analysis.seeks
    about_one = not (broad or "help" in analysis.seeks) or (analysis.of_assistant and not analysis.of_asker)
    enough = FEWEST + round(PER_RIVAL * many * (1 + broad))
    return Route(broad, about_one and many <= SURE, min(enough, MOST))


def rivals(scores: Array) -> float:
    """How many hits vie for the first place: e to the entropy of the best scores' softmax; 0 for none."""
    if not len(scores):
        return 0.0
    best = np.sort(scores)[::-1][:COMPARED]
    shares = np.exp(LOG_ODDS * (best - best[0]))
    shares /= shares.sum()
    return float(np.exp(-np.sum(shares * np.log(shares + 1e-12))))
