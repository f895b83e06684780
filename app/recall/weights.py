"""The weights of the signals, one readable table a kind of conversation, in weights.json. `bench/tune.py` fits them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Signals = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights by signal: between people, and beside an assistant; `known`: of the signs that the
    store has an answer, `known_by_text` where nothing could be embedded.

    `lists` is added to `people` where a list is sought, `inferences` where a conclusion is: their evidence stands in
    many places, each in words of its own.

    Below the probability `abstain_below` recall abstains.
    """

    people: Mapping[str, float]
    assistant: Mapping[str, float]
    known: Mapping[str, float]
    known_by_text: Mapping[str, float]
    abstain_below: float
    lists: Mapping[str, float] = field(default_factory=dict)
    inferences: Mapping[str, float] = field(default_factory=dict)

    def score(
        self, signals: Signals, between_people: NDArray[np.bool_], seeks: Collection[str] = ()
    ) -> NDArray[np.float64]:
        """One score per candidate: the weighted sum by the table of its kind of conversation."""
        broad = self.lists if "list" in seeks else self.inferences if "inference" in seeks else {}
        people = _sum(self.people, signals) + _sum(broad, signals)
        return np.where(between_people, people, _sum(self.assistant, signals))


def _sum(weights: Mapping[str, float], signals: Signals) -> NDArray[np.float64]:
    total = np.zeros(len(next(iter(signals.values()))))
    for name, weight in weights.items():
        total = total + weight * signals[name]
    return total


@cache  # read-only, and recall is made anew for each question
def load_weights() -> Weights:
    """The weights that ship."""
    values = json.loads((Path(__file__).with_name("weights.json")).read_text(encoding="utf-8"))
    return Weights(
        values["people"],
        values["assistant"],
        values["known"],
        values["known_by_text"],
        values["abstain_below"],
        values["lists"],
        values["inferences"],
    )
