"""The memories that a question is decided among, with what each channel says of them. Reads no store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from app.recall.traits import Traits, traits

if TYPE_CHECKING:
    from storage.search import Brief

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Candidates:
    """Candidates in the order of their rows; each channel's scores of them lie between 0 and 1."""

    briefs: Sequence[Brief]
    channels: Mapping[str, Array]
    cosine: Array  # of the plain view, not normalised
    base: Array  # the channels' plain sum, with a share of the neighbours'

    @classmethod
    def of(cls, briefs: Sequence[Brief], scores: Mapping[str, Mapping[int, float]]) -> Self:
        """Bring each channel's scores into the order of `briefs` and divide them by the channel's best."""
        raw = {name: np.array([values.get(b.seq, 0.0) for b in briefs]) for name, values in scores.items()}
        own = np.array([b.seq in scores["dense_context"] for b in briefs], bool)
        raw["dense_context"] = np.where(
            own, raw["dense_context"], raw["dense"]
        )  # a session's first turn has one view
        channels = {name: normalised(values) for name, values in raw.items()}
        base: Array = 0.5 * np.sum(list(channels.values()), axis=0)
        return cls(briefs, channels, raw["dense"], base)

    def __len__(self) -> int:
        return len(self.briefs)

    def best(self, many: int) -> Self:
        """The `many` best by the channels alone, with their neighbours' support, in the order of their rows."""
        if len(self) <= many:
            return self
        around = np.maximum(self.neighbour(self.base, -1), self.neighbour(self.base, 1))
        order = np.lexsort((self.seqs, -(self.base + 0.3 * around * self.between_people)))
        keep = np.sort(order[:many])
        return type(self)(
            [self.briefs[i] for i in keep],
            {name: values[keep] for name, values in self.channels.items()},
            self.cosine[keep],
            self.base[keep],
        )

    @cached_property
    def seqs(self) -> NDArray[np.int64]:
        """Row numbers."""
        return np.array([b.seq for b in self.briefs], np.int64)

    @cached_property
    def between_people(self) -> NDArray[np.bool_]:
        """Which turns belong to a talk between people rather than with an assistant."""
        return np.array([b.role == "other" or bool(b.context) for b in self.briefs], bool)

    @cached_property
    def traits(self) -> list[Traits]:
        """What the words of each turn say of it."""
        return [traits(b.text) for b in self.briefs]

    def each(self, value: Callable[[Brief], float | bool]) -> Array:
        """A number for each candidate."""
        return np.array([value(brief) for brief in self.briefs], float)

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
