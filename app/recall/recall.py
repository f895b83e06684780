"""Recall: from a question to the memories that bear on it, best first. Calls no language model, writes nothing.

Candidates come from channels (dense views, full text), are joined by the turns around the best of them, and are
ranked by signals whose weights stand in weights.json. Equal scores are ordered by row number, so the same store
and question give the same answer in every process.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Self

import numpy as np

from app.forgetting import PRIOR, PRIOR_MOST, STANDARD, Curve
from app.recall import channels
from app.recall.abstain import probability, signs
from app.recall.analysis import Analysis, analyse
from app.recall.candidates import Candidates
from app.recall.hop import second_hop
from app.recall.order import ordered, with_origins
from app.recall.router import Route, route
from app.recall.signals import signals, strength
from app.recall.weights import Weights, load_weights
from app.slots import asked, asked_by_meaning
from app.uses import DECAY, curve_of
from storage.records import Filter, Record
from storage.search import Among, briefs, distinct, sources

if TYPE_CHECKING:
    from app.memory import Memory
    from models.embed import Embedder
    from storage.store import Store

MANY = 80  # rows that each channel offers
AROUND = 12  # of the best of these, the turns before and after are candidates too
VIEWS = {"text": "dense", "context": "dense_context"}  # view to channel
RANKED = 80  # candidates that are looked at closely
MOST_SPEAKERS = 1000


@dataclass(frozen=True, slots=True)
class Query:
    """A question as of `now` (aware); at most `k` hits among those that `filter` lets through."""

    text: str
    now: datetime
    k: int = 10
    filter: Filter = Filter()  # noqa: RUF009  frozen


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that was found. `channels` holds the scores of the ways that led to it, each 0..1."""

    record: Record
    score: float
    channels: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Recalled:
    """Hits, best first. `probability`: that the store holds an answer; `abstain` where it is too low. `enough`: as many
    hits as the question calls for, few where one stands out. `ms` in all."""

    hits: tuple[Hit, ...]
    abstain: bool
    probability: float
    analysis: Analysis
    enough: int
    ms: float


class Recall:
    """Recall over one store; without an embedder by full text alone. Cheap to make.

    `older`: models whose vectors stand for what `embedder` has not reached yet. `curve` is how memories fade,
    `prior` the most that this costs a memory in ranking.
    """

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None,
        weights: Weights | None = None,
        *,
        older: Sequence[Embedder] = (),
        curve: Curve = STANDARD,
        prior: float = PRIOR,
    ) -> None:
        self.store = store
        self.models = (*older, *([] if embedder is None else [embedder]))
        self.weights = weights or load_weights()
        self.curve = curve
        self.prior = min(prior, PRIOR_MOST)

    @classmethod
    def of(cls, memory: Memory) -> Self:
        """Recall as the user's settings, and the uses so far, want it."""
        curve = curve_of(memory.config, memory.store.meta(DECAY))
        prior = memory.config.forgetting.prior
        return cls(memory.store, memory.embedder, older=memory.older_embedders, curve=curve, prior=prior)

    def recall(self, query: Query) -> Recalled:
        """The memories that bear on a question. An empty store or question gives no hits."""
        started = time.perf_counter()
        analysis = self.analyse(query)
        found = self.candidates(analysis, query).best(RANKED)
        if further := second_hop(analysis, found):
            analysis, found = further, self.candidates(further, query).best(RANKED)
        hits: tuple[Hit, ...] = ()
        chance, enough = 0.0, 0
        if len(found):
            scores, chosen = self._scores(analysis, found, query)
            order = ordered(found, scores, analysis, chosen)[: max(query.k, 0)]
            hits, enough = self._hits(found, scores, order), chosen.enough
            chance = probability(
                signs(analysis, found),
                self.weights.known if found.cosine.any() else self.weights.known_by_text,
            )
        ms = 1000 * (time.perf_counter() - started)
        return Recalled(hits, chance < self.weights.abstain_below, chance, analysis, enough, ms)

    def _scores(self, analysis: Analysis, found: Candidates, query: Query) -> tuple[np.ndarray, Route]:
        """How well each candidate answers, and how broadly the question is to be answered."""
        table = signals(analysis, found, query.now, query.filter.as_of)
        scores = self.weights.score(table, found.between_people, analysis.seeks)
        fresh = strength(found, query.now, self.curve)
        exact = table["date"] >= 1  # needs no favour of being fresh
        scores = scores + self.prior * np.maximum(fresh, exact)
        chosen = route(analysis, scores)
        return with_origins(found, scores, broad=chosen.broad), chosen

    def analyse(self, query: Query) -> Analysis:
        """The question taken apart, with the names that the store has heard and the slot that it asks for."""
        analysis = analyse(query.text, distinct(self.store.connection, "speaker", MOST_SPEAKERS), query.now)
        slot = asked(analysis.text)
        if slot is None and self.models and not analysis.named:
            slot = asked_by_meaning(analysis.bare, self.models[-1])
        return replace(analysis, slot=slot)

    def candidates(self, analysis: Analysis, query: Query) -> Candidates:
        """What the channels offer, and the turns around the best of it, with each channel's scores."""
        store, filter = self.store, query.filter
        among = Among(store.connection, filter)
        found = channels.full_text(store, analysis, MANY, among)
        vectors = self._vectors(analysis.bare)
        near, met = channels.dense(vectors, MANY, list(VIEWS), among)
        found |= {name: near[view] for view, name in VIEWS.items()}
        found["wish"] = channels.wishes(store, analysis, filter)
        found["slot"] = channels.slot(store, analysis, among, filter.as_of or query.now)
        wanted = self._with_neighbours(found, among) | channels.in_times(store, analysis.times, MANY, filter)
        told = briefs(store.connection, wanted)
        origins = sources(store.connection, [row for row, brief in told.items() if brief.kind != "episodic"])
        behind = {row for rows in origins.values() for row in rows} - wanted
        told |= briefs(store.connection, among.of(behind))
        rows = sorted(told)
        known = set[int]().union(*met.values())
        more = channels.cosines(vectors, [row for row in rows if row not in known], list(VIEWS))
        found |= {name: met[view] | more[view] for view, name in VIEWS.items()}
        found["wish"] = channels.nearest(found["wish"], found["dense"])
        return Candidates.of([told[row] for row in rows], found, origins)

    def _vectors(self, text: str) -> list[channels.Asked]:
        """The question as each model embeds it, the newest last; none where nothing can be embedded."""
        models = self.models if text else ()
        return [(self.store.vectors(model.name, model.dim), model.embed([text])[0]) for model in models]

    def _with_neighbours(self, found: Mapping[str, channels.Scores], among: Among) -> set[int]:
        rows = {row for scores in found.values() for row in scores}
        near = {
            row + step
            for scores in found.values()
            for row in sorted(scores, key=scores.__getitem__, reverse=True)[:AROUND]
            for step in (-1, 1)
        }
        return rows | among.of(near)

    def _hits(self, found: Candidates, scores: np.ndarray, order: np.ndarray) -> tuple[Hit, ...]:
        records = self.store.by_seq([int(found.seqs[i]) for i in order])
        return tuple(
            Hit(
                records[int(found.seqs[i])],
                float(scores[i]),
                {name: float(values[i]) for name, values in found.channels.items() if values[i] > 0},
            )
            for i in order
            if int(found.seqs[i]) in records
        )
