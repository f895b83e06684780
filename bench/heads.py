"""Fits the heads of app/meaning.py on labelled lines, and says how well lines are told that took no part.

    python -m bench.heads [--write]

Softmax regression by gradient descent from nothing, so that each run gives the same weights. The lines: needs.jsonl and
tests/data/gate.jsonl (does a message need memory?), told.jsonl and lives*.toml (which slot of its user does it fill?).
Lines of *_held_out and *_blind take no part; the figures are of those, and of ten-fold cross-validation.
"""

from __future__ import annotations

import argparse
import json
import random
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from app.config import find_home
from app.gate import NEEDED, NEEDS
from app.meaning import SCALE
from app.sleep.meant import KIN, NONE, SLOTS
from models.open import open_embedder

HERE = Path(__file__).parent
LABELLED = HERE.parent / "tests" / "data"
MODELS = ["minilm-int8", "minilm-fp32", "minilm-st"]  # one space of vectors, at several precisions
STEPS, RATE, FOLDS = 500, 0.05, 10
LEAST = 20  # lines of a label that a head is fitted on; what has fewer is left to the rules
Line = tuple[str, str]  # text, label


def main() -> None:
    """Fit both heads, print what they are worth, and write them where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true")
    a = parser.parse_args()
    embedder = open_embedder(MODELS[0], find_home().models)

    def embed(lines: Sequence[Line]) -> np.ndarray:
        return np.vstack(
            [embedder.embed([text for text, _ in lines[i : i + 32]]) for i in range(0, len(lines), 32)]
        )

    for file, lines, unseen, decay, report in (
        (NEEDS, list(needs()), list(needs(held_out=True)), 2e-4, report_gate),
        (SLOTS, list(slots()), list(slots(held_out=True)), 1e-4, report_slots),
    ):
        labels = sorted({label for _, label in lines})
        vectors = embed(lines)
        report("cross-validated", lines, crossed(vectors, lines, labels, decay), labels)
        weights = fitted(vectors, [labels.index(label) for _, label in lines], len(labels), decay)
        report("held out", unseen, shares(weights, embed(unseen)), labels)
        if a.write:
            rows = np.rint(weights * SCALE).astype(int).tolist()
            told = json.dumps({"models": MODELS, "labels": labels, "weights": rows}, separators=(",", ":"))
            file.write_text(told + "\n", encoding="utf-8")


# -- the lines ---------------------------------------------------------------------------------------


def needs(*, held_out: bool = False) -> Iterator[Line]:
    """Messages and whether their answer needs memory."""
    files = [LABELLED / "gate_held_out.jsonl", LABELLED / "gate_blind.jsonl"]
    for file in files if held_out else [LABELLED / "gate.jsonl", HERE / "needs.jsonl"]:
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row["text"], NEEDED if row["need"] else NONE


def slots(*, held_out: bool = False) -> Iterator[Line]:
    """Messages and the slot that they fill: of their user, or where a relative lives."""
    lines = [(text, KIN if label.endswith("'s city") else label) for text, label in _slots(held_out=held_out)]
    many = Counter(label for _, label in lines)
    yield from ((text, label) for text, label in lines if held_out or many[label] >= LEAST)


def _slots(*, held_out: bool) -> Iterator[Line]:
    for file in sorted(HERE.glob("lives*.toml")):
        if file.stem.endswith(("_held_out", "_blind")) == held_out:
            yield from _lives(file)
    if not held_out:
        for line in (HERE / "told.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            yield row["text"], row["slot"]
        yield from ((text, NONE) for text, label in needs() if label == NONE)


def _lives(file: Path) -> Iterator[Line]:
    words = tomllib.loads(file.read_text(encoding="utf-8"))
    choose = random.Random(file.stem)
    for slot in words["slots"]:
        for text in (*slot.get("told", ()), *slot.get("changed", ())):
            yield text.replace("{v}", choose.choice(slot["values"])), slot["name"]
        yield slot["asked"], NONE
    yield from ((text, NONE) for text in (*words.get("between", ()), *words.get("never_told", ())))


# -- the fit -----------------------------------------------------------------------------------------


def fitted(vectors: np.ndarray, wanted: Sequence[int], count: int, decay: float) -> np.ndarray:
    """Weights (labels, dim + 1) of softmax regression with a penalty on their squares; by Adam (Kingma and Ba 2015)."""
    inputs = np.hstack([vectors, np.ones((len(vectors), 1))]).astype(float)
    truth = np.eye(count)[list(wanted)]
    weights = np.zeros((count, inputs.shape[1]))
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, STEPS + 1):
        slope = (softmax(inputs @ weights.T) - truth).T @ inputs / len(inputs)
        slope[:, :-1] += decay * weights[:, :-1]
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        weights -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return weights


def shares(weights: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """The probability of each label for each vector."""
    return softmax(vectors @ weights[:, :-1].T + weights[:, -1])


def softmax(scores: np.ndarray) -> np.ndarray:
    """Rows that sum to one."""
    powers: np.ndarray = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def crossed(vectors: np.ndarray, lines: Sequence[Line], labels: Sequence[str], decay: float) -> np.ndarray:
    """What each line gets from a head that has not seen it."""
    wanted = np.array([labels.index(label) for _, label in lines])
    fold = np.random.default_rng(1).permutation(len(lines)) % FOLDS
    found = np.empty((len(lines), len(labels)))
    for k in range(FOLDS):
        weights = fitted(vectors[fold != k], wanted[fold != k].tolist(), len(labels), decay)
        found[fold == k] = shares(weights, vectors[fold == k])
    return found


# -- what they are worth -----------------------------------------------------------------------------


def report_gate(name: str, lines: Sequence[Line], found: np.ndarray, labels: Sequence[str]) -> None:
    """Both errors of the gate at several thresholds."""
    need = np.array([label == NEEDED for _, label in lines])
    chance = found[:, labels.index(NEEDED)]
    for least in (0.1, 0.2, 0.25, 0.3, 0.4):
        missed, needless = (chance[need] < least).mean(), (chance[~need] >= least).mean()
        print(f"gate, {name}, from {least}: missed need {missed:.3f}, needless recall {needless:.3f}")


def report_slots(name: str, lines: Sequence[Line], found: np.ndarray, labels: Sequence[str]) -> None:
    """How often the slot is told, and how often one is seen where there is none."""
    none = labels.index(NONE)
    tells = np.array([label != NONE for _, label in lines])
    right = np.array([labels.index(label) if label in labels else -1 for _, label in lines])
    slots_only = found.copy()
    slots_only[:, none] = -1
    best = slots_only.argmax(axis=1) == right
    for most in (0.3, 0.5, 0.8):
        seen = found[:, none] < most
        print(
            f"slots, {name}, none below {most}: told and right {(seen & best)[tells].mean():.3f}, "
            f"told {seen[tells].mean():.3f}, seen where none is {seen[~tells].mean():.3f}"
        )


if __name__ == "__main__":
    main()
