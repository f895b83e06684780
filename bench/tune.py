"""Fit the weights of recall on generated conversations, starting from those that ship. Prints; changes no file.

    python -m bench.make_conversations FOLDER && python -m bench.tune FOLDER

Ranking: the evidence of each question against the other candidates (softmax), each weight held to the one that ships by
a Gaussian prior (the templates know less of language than the hand that set the weights). How tightly is chosen by
cross-validation: conversations are dealt into folds, and each is ranked by weights that never saw it.
Abstention: logistic regression, own questions against questions of conversations of the other kind.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.recall.abstain import signs
from app.recall.recall import RANKED, Query, Recall
from app.recall.signals import signals
from app.recall.weights import load_weights
from bench.recall import rows, stored

SCALE = 5.0  # a score of 1 as log odds
HOLDS = (1.0, 3.0, 10.0, 30.0)  # strengths of the prior, the loosest first
FOLDS = 3
FIXED = ("over",)  # what is no longer true, not what is less relevant
Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question: the signals of its candidates, and which of them answer it."""

    kind: str
    talk: str
    table: Mapping[str, Array]
    right: NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    asked, known = gathered(a.folder, random.Random(a.seed))
    weights = load_weights()
    fitted: dict[str, Any] = {}
    for kind, start in (("people", weights.people), ("assistant", weights.assistant)):
        own = [each for each in asked if each.kind == kind]
        held = {hold: unseen(own, start, hold) for hold in HOLDS}
        hold = max(held, key=held.__getitem__)
        fitted[kind] = ranked(own, start, hold)
        tried = ", ".join(f"{value:.3f} held by {strength:g}" for strength, value in held.items())
        print(f"{kind}: {len(own)} questions, mrr {mrr(own, start):.3f}; on conversations unseen {tried}")
    fitted["known"] = judged(known, list(weights.known))
    fitted["known_by_text"] = judged(known, list(weights.known_by_text))
    print(json.dumps(fitted, indent=2))


def gathered(folder: Path, rng: random.Random) -> tuple[list[Asked], list[tuple[Mapping[str, float], bool]]]:
    """Every question with its candidates' signals; and the signs of questions that can, and cannot, be answered."""
    asked: list[Asked] = []
    known: list[tuple[Mapping[str, float], bool]] = []
    paths = sorted(folder.glob("*.turns.jsonl.gz"))
    for path in paths:
        kind = path.name.split(".")[0]
        foreign = [q for p in paths if p.name.split(".")[0] != kind for q in _questions(p)]
        with stored(path) as memory:
            engine = Recall(memory.store, memory.embedder)
            told = (_asked(engine, kind, path.name, q) for q in _questions(path))
            asked += [each for each in told if each.right.any()]
            own = rng.sample(_questions(path), min(40, len(_questions(path))))
            known += [(_signs(engine, q), True) for q in own]
            known += [(_signs(engine, q), False) for q in rng.sample(foreign, min(40, len(foreign)))]
    return asked, known


def unseen(asked: Sequence[Asked], start: Mapping[str, float], hold: float) -> float:
    """`mrr` over all questions, each ranked by weights fitted on the other folds' conversations."""
    talks = sorted({each.talk for each in asked})
    total = 0.0
    for fold in range(FOLDS):
        out = set(talks[fold::FOLDS])
        own = [each for each in asked if each.talk in out]
        if own:
            weights = ranked([each for each in asked if each.talk not in out], start, hold)
            total += len(own) * mrr(own, weights)
    return total / len(asked)


def ranked(
    asked: Sequence[Asked], start: Mapping[str, float], hold: float, steps: int = 300
) -> dict[str, float]:
    """Weights under which the evidence stands above the other candidates of its question; near `start`. Adam."""
    names = [name for name in start if name not in FIXED]
    x = np.concatenate([np.stack([each.table[name] for name in names], 1) for each in asked])
    deviation = x.std(0) + 1e-6
    x = x / deviation
    right = np.concatenate([each.right for each in asked]).astype(float)
    sizes = np.array([len(each.right) for each in asked])
    question, first = np.repeat(np.arange(len(asked)), sizes), np.concatenate([[0], np.cumsum(sizes)[:-1]])
    share = right / np.add.reduceat(right, first)[question]
    centre = np.array([start[name] for name in names]) * SCALE * deviation
    w, mean, square = centre.copy(), np.zeros_like(centre), np.zeros_like(centre)
    for step in range(1, steps + 1):
        score = x @ w
        e = np.exp(score - np.maximum.reduceat(score, first)[question])
        wrong = np.add.reduceat(e * (1 - right), first)[question]
        pull = np.add.reduceat(share / (e + wrong), first)[question]
        slope = x.T @ ((1 - right) * e * pull - share * wrong / (e + wrong)) / len(asked) + hold * (
            w - centre
        )
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        w = w - 0.015 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    values = (w / deviation / SCALE).round(3).tolist()
    return dict(zip(names, values, strict=True)) | {name: start[name] for name in start if name in FIXED}


def judged(known: Sequence[tuple[Mapping[str, float], bool]], names: list[str]) -> dict[str, float]:
    """Logistic regression of "it can be answered" on the signs, both answers counting alike (Newton's method)."""
    x = np.array([[1.0 if name == "constant" else found[name] for name in names] for found, _ in known])
    y = np.array([float(answerable) for _, answerable in known])
    each = np.where(y > 0, 0.5 / y.mean(), 0.5 / (1 - y).mean())
    ridge = np.diag([1e-6 if name == "constant" else 1.0 for name in names])
    w = np.zeros(len(names))
    for _ in range(100):
        p = 1 / (1 + np.exp(-x @ w))
        hessian = (x * (each * p * (1 - p))[:, None]).T @ x + ridge
        w = w - np.linalg.solve(hessian, x.T @ ((p - y) * each) + ridge @ w)
    return dict(zip(names, w.round(2).tolist(), strict=True))


def mrr(asked: Sequence[Asked], weights: Mapping[str, float]) -> float:
    """Mean of 1 / rank of the first turn that answers."""
    ranks = []
    for each in asked:
        score = np.sum([weight * each.table[name] for name, weight in weights.items()], axis=0)
        ranks.append(1 + int((score > score[each.right].max()).sum()))
    return float(np.mean([1 / rank for rank in ranks]))


def _asked(engine: Recall, kind: str, talk: str, question: dict[str, Any]) -> Asked:
    query = Query(question["query"], datetime.fromisoformat(question["now"]))
    analysis = engine.analyse(query)
    found = engine.candidates(analysis, query).best(RANKED)
    records = engine.store.by_seq(found.seqs.tolist())
    right = [records[seq].external_id in question["evidence"] for seq in found.seqs.tolist()]
    return Asked(kind, talk, signals(analysis, found, query.now), np.array(right))


def _signs(engine: Recall, question: dict[str, Any]) -> Mapping[str, float]:
    query = Query(question["query"], datetime.fromisoformat(question["now"]))
    analysis = engine.analyse(query)
    return signs(analysis, engine.candidates(analysis, query).best(RANKED))


def _questions(path: Path) -> list[dict[str, Any]]:
    return rows(path.with_name(path.name.replace(".turns.", ".questions.")))


if __name__ == "__main__":
    main()
