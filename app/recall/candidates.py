"""The memories that a question is decided among, with what each channel says of them. Reads no store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from app.recall.context import is_answer
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
    origins: Mapping[int, Sequence[int]] = field(default_factory=dict)  # rows that a derived row came from

    @classmethod
    def of(
        cls,
        briefs: Sequence[Brief],
        scores: Mapping[str, Mapping[int, float]],
        origins: Mapping[int, Sequence[int]] | None = None,
    ) -> Self:
        """Bring each channel's scores into the order of `briefs` and divide them by the channel's best."""
        seqs = [b.seq for b in briefs]
        raw = {name: np.array([values.get(seq, 0.0) for seq in seqs]) for name, values in scores.items()}
        own = np.array([seq in scores["dense_context"] for seq in seqs], bool)
        raw["dense_context"] = np.where(
            own, raw["dense_context"], raw["dense"]
        )  # a session's first turn has one view
        said = np.array([b.kind == "episodic" for b in briefs], bool)
        answers = np.array([is_answer(b.role, b.context) for b in briefs], bool)
        for view in ("dense", "text"):  # what is half an exchange is found by the whole
            with_question = np.maximum(raw[view], raw.get(f"{view}_context", raw[view]))
            raw[view] = np.where(answers, with_question, raw[view])
        channels = {name: normalised(values, said) for name, values in raw.items()}
        base: Array = 0.5 * np.sum(list(channels.values()), axis=0)
        return cls(briefs, channels, raw["dense"], base, origins or {})

    def __len__(self) -> int:
        return len(self.briefs)

    def best(self, many: int) -> Self:
        """The `many` best of what was said, by the channels alone with their neighbours' support, and the notes that do
        as well; in the order of their rows. Notes take nobody's place."""
        if len(self) <= many:
            return self
        around = np.maximum(self.neighbour(self.base, -1), self.neighbour(self.base, 1))
        order = np.lexsort((self.seqs, -(self.base + 0.3 * around * self.between_people)))
        said = np.array([brief.kind == "episodic" for brief in self.briefs], bool)
        order = order[: int(said[order].cumsum().searchsorted(many)) + 1]
        rows = {row for i in order for row in self.origins.get(self.briefs[i].seq, ())}
        keep = np.union1d(order, [self.place[row] for row in rows if row in self.place]).astype(np.int64)
        return type(self)(
            [self.briefs[i] for i in keep],
            {name: values[keep] for name, values in self.channels.items()},
            self.cosine[keep],
            self.base[keep],
            self.origins,
        )

    @cached_property
    def seqs(self) -> NDArray[np.int64]:
        """Row numbers."""
        return np.array([b.seq for b in self.briefs], np.int64)

    @cached_property
    def place(self) -> dict[int, int]:
        """Where each row stands among the candidates."""
        return {brief.seq: i for i, brief in enumerate(self.briefs)}

    @cached_property
    def between_people(self) -> NDArray[np.bool_]:
        """Which turns belong to a talk between people rather than with an assistant."""
        return np.array(
            [
                b.role == "other" or (bool(b.context) and not is_answer(b.role, b.context))
                for b in self.briefs
            ],
            bool,
        )

    @cached_property
    def traits(self) -> list[Traits]:
        """What the words of each turn say of it."""
        return [traits(b.text) for b in self.briefs]

    def each(self, value: Callable[[Brief], float | bool]) -> Array:
        """A number for each candidate."""
        return np.array([value(brief) for brief in self.briefs], float)

    def neighbour(self, values: Array, step: int) -> Array:
        """The value of the turn `step` rows further in the same session; 0 where it is no candidate."""
        wanted = self.seqs + step
        at = np.minimum(self.seqs.searchsorted(wanted), len(self) - 1)
        beside = (self.seqs[at] == wanted) & (self._talks[at] == self._talks)
        return np.where(beside, values[at], 0.0)

    @cached_property
    def _talks(self) -> NDArray[np.int64]:
        """A number for the session of each; one of its own for what belongs to none."""
        numbers: dict[str, int] = {}
        return np.array(
            [
                -i if b.session is None else numbers.setdefault(b.session, len(numbers) + 1)
                for i, b in enumerate(self.briefs)
            ],
            np.int64,
        )


def normalised(values: Array, said: NDArray[np.bool_]) -> Array:
    """Divided by the highest of what was said, the rest at most 1: notes leave the scores of turns as they were."""
    tops = values[said] if values[said].max(initial=0.0) > 1e-9 else values
    top = tops.max(initial=0.0)
    return np.clip(values / top, 0, 1) if top > 1e-9 else np.zeros_like(values)
