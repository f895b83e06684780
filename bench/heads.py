"""Fits the heads of app/meaning.py on labelled lines, and says how well lines are told that took no part.

    OMP_NUM_THREADS=1 python -m bench.heads [--write] [--only gate slots asked spans]

Softmax regression by gradient descent from nothing, so that each run gives the same weights. Four heads: does a message
need memory (gate), which slot of its user does it fill (slots), and which of its words (spans), and which slot does a
question ask for (asked)? Files of *_held_out and *_blind take no part; the figures are of those, and of five-fold
cross-validation.
"""

from __future__ import annotations

import argparse
import json
import random
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.config import find_home
from app.gate import NEEDED, NEEDS
from app.meaning import SCALE, Head
from app.sleep.meant import SLOTS
from app.sleep.spans import SPANS, Words, odds_of, rows_of
from app.slots import ASKED, KIN, NONE
from models.embed import Embedder
from models.open import open_embedder

HERE = Path(__file__).parent
LABELLED = HERE.parent / "tests" / "data"
MODELS = ["minilm-int8", "minilm-fp32", "minilm-st"]  # one space of vectors, at several precisions
STEPS, RATE, FOLDS, BATCH = 500, 0.05, 5, 8192
LEAST = 20  # lines of a label that a head is fitted on; what has fewer is left to the rules
Report = Callable[[str, "Sequence[Line]", np.ndarray, Sequence[str]], None]


@dataclass(frozen=True, slots=True)
class Line:
    """A text, its label, and the words in it that fill the slot of that name, where they are known."""

    text: str
    label: str
    value: str = ""


def main() -> None:
    """Fit the heads, print what they are worth, and write them where that is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", nargs="+", default=["gate", "slots", "asked", "spans"])
    a = parser.parse_args()
    embedder = open_embedder(MODELS[0], find_home().models)
    for name, file, lines, decay, report in (
        ("gate", NEEDS, needs, 2e-4, report_gate),
        ("slots", SLOTS, slots, 3e-5, report_slots),
        ("asked", ASKED, asked, 3e-5, report_slots),
    ):
        if name in a.only:
            head = fit_texts(embedder, list(lines(False)), list(lines(True)), decay, report)
            if a.write:
                write(head, file)
    if "spans" in a.only:
        head = fit_words(embedder, list(slots(False)), list(slots(True)))
        if a.write:
            write(head, SPANS)


def write(head: Head, file: Path) -> None:
    """Keep a head where the program looks for it."""
    rows = np.rint(head.weights * SCALE).astype(int).tolist()
    told = {"models": MODELS, "labels": head.labels, "weights": rows}
    file.write_text(json.dumps(told, separators=(",", ":")) + "\n", encoding="utf-8")


# -- the lines ---------------------------------------------------------------------------------------


def rows(file: Path) -> Iterator[dict[str, str]]:
    """The objects of a file, one a line."""
    for line in file.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def needs(held_out: bool) -> Iterator[Line]:
    """Messages and whether their answer needs memory."""
    files = [LABELLED / "gate_held_out.jsonl", LABELLED / "gate_blind.jsonl"]
    for file in files if held_out else [LABELLED / "gate.jsonl", HERE / "needs.jsonl"]:
        yield from (Line(row["text"], NEEDED if row["need"] else NONE) for row in rows(file))


def asked(held_out: bool) -> Iterator[Line]:
    """Questions and the slot that they ask for."""
    file = LABELLED / "asked_blind.jsonl" if held_out else HERE / "asked.jsonl"
    yield from (Line(row["text"], _label(row["slot"])) for row in rows(file))


def slots(held_out: bool) -> Iterator[Line]:
    """Messages and the slot that they fill: of their user, or where a relative lives."""
    lines = [Line(line.text, _label(line.label), line.value) for line in _slots(held_out=held_out)]
    many = Counter(line.label for line in lines)
    yield from (line for line in lines if held_out or many[line.label] >= LEAST)


def _label(slot: str) -> str:
    return KIN if slot.endswith("'s city") else slot


def _slots(*, held_out: bool) -> Iterator[Line]:
    for file in sorted(HERE.glob("lives*.toml")):
        if ("_held_out" in file.stem or "_blind" in file.stem) == held_out:
            yield from _lives(file)
    if not held_out:
        yield from (Line(row["text"], row["slot"], row["value"]) for row in rows(HERE / "told.jsonl"))
        yield from (line for line in needs(False) if line.label == NONE)
        yield from (Line(line.text, NONE) for line in asked(False))


def _lives(file: Path) -> Iterator[Line]:
    words = tomllib.loads(file.read_text(encoding="utf-8"))
    choose = random.Random(file.stem)
    for slot in words["slots"]:
        for text in (*slot.get("told", ()), *slot.get("changed", ())):
            value = choose.choice(slot["values"])
            yield Line(text.replace("{v}", value), slot["name"], value)
        yield Line(slot["asked"], NONE)
    yield from (Line(text, NONE) for text in (*words.get("between", ()), *words.get("never_told", ())))


# -- the fit -----------------------------------------------------------------------------------------


def fit_texts(
    embedder: Embedder, lines: Sequence[Line], unseen: Sequence[Line], decay: float, report: Report
) -> Head:
    """A head on the vectors of whole texts, and what it is worth."""
    labels = sorted({line.label for line in lines})

    def embed(some: Sequence[Line]) -> np.ndarray:
        texts = [line.text for line in some]
        return np.vstack([embedder.embed(texts[i : i + 32]) for i in range(0, len(texts), 32)])

    vectors, wanted = embed(lines), np.array([labels.index(line.label) for line in lines])
    found = np.empty((len(lines), len(labels)))
    for fold in folds(len(lines)):
        found[fold] = fitted(vectors[~fold], wanted[~fold], labels, decay).shares(vectors[fold])
    report("cross-validated", lines, found, labels)
    head = fitted(vectors, wanted, labels, decay)
    report("held out", unseen, head.shares(embed(unseen)), labels)
    return head


def fit_words(embedder: Embedder, lines: Sequence[Line], unseen: Sequence[Line]) -> Head:
    """A head on the words of texts in their context, and what it is worth."""
    labels = sorted({line.label for line in lines})
    read = [rows_of(line.text, embedder.tokens(line.text)) for line in lines]
    wanted = [_part_of_value(line, spans, labels) for line, (spans, _) in zip(lines, read, strict=True)]

    def fit(chosen: Sequence[int]) -> Head:
        return fitted(
            np.vstack([read[i][1] for i in chosen]), np.concatenate([wanted[i] for i in chosen]), labels, 3e-6
        )

    (first, *_) = folds(len(lines))
    report_words(
        "one fold", [lines[i] for i in np.flatnonzero(first)], fit(np.flatnonzero(~first).tolist()), embedder
    )
    head = fit(range(len(lines)))
    report_words("held out", unseen, head, embedder)
    return head


def _part_of_value(line: Line, spans: Sequence[tuple[int, int]], labels: Sequence[str]) -> np.ndarray:
    at = line.text.lower().find(line.value.lower()) if line.value else -1
    end = at + len(line.value)
    of = (line.label if at >= 0 and start < end and stop > at else NONE for start, stop in spans)
    return np.array([labels.index(label) for label in of], int)


def folds(many: int) -> Iterator[np.ndarray]:
    """FOLDS times, which of `many` lines are left out."""
    fold = np.random.default_rng(1).permutation(many) % FOLDS
    yield from (fold == k for k in range(FOLDS))


def fitted(vectors: np.ndarray, wanted: np.ndarray, labels: Sequence[str], decay: float) -> Head:
    """Softmax regression with a penalty on the squares of its weights; by Adam (Kingma and Ba 2015), in batches."""
    inputs = np.hstack([vectors, np.ones((len(vectors), 1))]).astype(np.float32)
    truth = np.eye(len(labels), dtype=np.float32)[wanted]
    weights = np.zeros((len(labels), inputs.shape[1]), np.float32)
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    choose = np.random.default_rng(2)
    for step in range(1, STEPS + 1):
        batch = choose.integers(len(inputs), size=BATCH) if len(inputs) > BATCH else slice(None)
        some = inputs[batch]
        slope = (
            (Head((), weights).shares(some[:, :-1]) - truth[batch]).T.astype(np.float32) @ some / len(some)
        )
        slope[:, :-1] += decay * weights[:, :-1]
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        weights -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return Head(tuple(labels), weights)


# -- what they are worth -----------------------------------------------------------------------------


def report_gate(name: str, lines: Sequence[Line], found: np.ndarray, labels: Sequence[str]) -> None:
    """Both errors of the gate at several thresholds."""
    need = np.array([line.label == NEEDED for line in lines])
    chance = found[:, labels.index(NEEDED)]
    for least in (0.1, 0.2, 0.25, 0.3, 0.4):
        missed, needless = (chance[need] < least).mean(), (chance[~need] >= least).mean()
        print(f"gate, {name}, from {least}: missed need {missed:.3f}, needless recall {needless:.3f}")


def report_slots(name: str, lines: Sequence[Line], found: np.ndarray, labels: Sequence[str]) -> None:
    """How often the slot is told, and how often one is seen where there is none."""
    tells = np.array([line.label != NONE for line in lines])
    right = np.array([labels.index(line.label) if line.label in labels else -1 for line in lines])
    only = found.copy()
    only[:, labels.index(NONE)] = -1
    best, chance = only.argmax(axis=1) == right, only.max(axis=1)
    print(f"slots, {name}, {len(lines)} lines: the likeliest is right {best[tells].mean():.3f}")
    for least in (0.2, 0.3, 0.5, 0.7):
        seen = chance >= least
        print(
            f"    from {least}: told and right {(seen & best)[tells].mean():.3f}, wrong "
            f"{(seen & ~best)[tells].mean():.3f}, seen where none is {seen[~tells].mean():.3f}"
        )


def report_words(name: str, lines: Sequence[Line], head: Head, embedder: Embedder) -> None:
    """How often the value is told, its slot being known."""
    told = [line for line in lines if line.value and line.label in head.labels]
    values = []
    for line in told:
        spans, words = rows_of(line.text, embedder.tokens(line.text))
        values.append(Words(line.text, spans, odds_of(head, words)).value(line.label).lower())
    same = sum(line.value.lower() == value for line, value in zip(told, values, strict=True))
    near = sum(
        line.value.lower() in v or v in line.value.lower() for line, v in zip(told, values, strict=True)
    )
    print(f"values, {name}, {len(told)} lines: exact {same / len(told):.3f}, in part {near / len(told):.3f}")


if __name__ == "__main__":
    main()
