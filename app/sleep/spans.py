"""Which words of a message fill a slot: each word is told by what it means in its place (token classification).

A head (app/meaning.py) in spans.json gives each word the chance that it is part of the value of a slot; the value is
the run of words that speaks most for it, as far as a name reaches. Knows no rules, and not whether the value is true.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app.meaning import Head, head_of
from app.slots import NONE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.embed import Embedder, Tokens

SPANS = Path(__file__).with_name("spans.json")
SHAPES = 6  # what is told of a word's shape
LENIENT = 2.0  # log-odds that each word is lent: a value is better a word too long than one too short
_WORD = re.compile(r"\w(?:[\w'’&+/:.-]*\w)?|[^\w\s]")
_NAME = re.compile(r"(?!I\b)[A-ZÀ-Þ0-9]")
_SMALL = re.compile(
    r"(?:an?|the|my|our|at|in|on|to|of|and|or|i|it|is|was|so|for|with|now|he|she|they|we|you)\Z|\W",
    re.IGNORECASE,
)
"""What neither begins nor ends a value."""
_BREAK = re.compile(
    r"(?:i|we|it|that|those|this|what|which|is|are|was|were|am|my|our|because|since)\Z|[,;:!?()\"“”…]",
    re.IGNORECASE,
)
"""What stands in no value."""


@dataclass(frozen=True, slots=True)
class Words:
    """A text's words: where each stands, and for each slot the log-odds that it is part of its value."""

    text: str
    spans: Sequence[tuple[int, int]]
    odds: Mapping[str, Sequence[float]]

    def belonging(self, slot: str) -> float:
        """The chance, 0..1, that the word which most belongs to the slot's value does."""
        odds = self.odds.get(slot, ())
        return 1 / (1 + math.exp(-max(odds))) if len(odds) else 0.0

    def value(self, slot: str, known: Collection[str] = ()) -> str:
        """What most likely fills the slot, but for `known` values in lower case; empty where nothing does."""
        hidden = _covered(self.text.lower(), known)
        odds = [
            -math.inf if start in hidden or _BREAK.match(self.text[start:end]) else odd + LENIENT
            for odd, (start, end) in zip(self.odds.get(slot, ()), self.spans, strict=False)
        ]
        if max(odds, default=-math.inf) <= (0 if hidden else -math.inf):  # only what is known spoke for it
            return ""
        first, last = _best_run(odds)
        while first > 0 and self._one_name(first - 1):
            first -= 1
        while last + 1 < len(self.spans) and self._one_name(last):
            last += 1
        while first < last and _SMALL.match(self._word(first)):
            first += 1
        while first < last and _SMALL.match(self._word(last)):
            last -= 1
        return self.text[self.spans[first][0] : self.spans[last][1]]

    def _word(self, place: int) -> str:
        start, end = self.spans[place]
        return self.text[start:end]

    def _one_name(self, place: int) -> bool:
        """Whether this word and the next are parts of one name ("Dr. Adeyemi", "Pixel 8a")."""
        between = self.text[self.spans[place][1] : self.spans[place + 1][0]]
        return between in ("", " ") and all(_NAME.match(self._word(at)) for at in (place, place + 1))


def _covered(text: str, known: Collection[str]) -> set[int]:
    """Where letters of known values stand in a text, both in lower case."""
    found = (match.span() for value in known for match in re.finditer(rf"\b{re.escape(value)}\b", text))
    return {at for start, end in found for at in range(start, end)}


def words_of(text: str, embedder: Embedder) -> Words | None:
    """The words of a text as the head sees them; None where none reads this embedder's vectors."""
    head = head_of(SPANS, embedder.name)
    if head is None:
        return None
    spans, rows = rows_of(text, embedder.tokens(text))
    return Words(text, spans, odds_of(head, rows))


def odds_of(head: Head, rows: NDArray[np.float32]) -> Mapping[str, Sequence[float]]:
    """For each slot the log-odds of each word that it is part of its value."""
    import numpy as np

    shares = np.log(head.shares(rows) + 1e-9)
    none = shares[:, head.labels.index(NONE)]
    return {label: (shares[:, i] - none).tolist() for i, label in enumerate(head.labels) if label != NONE}


def rows_of(text: str, tokens: Tokens) -> tuple[list[tuple[int, int]], NDArray[np.float32]]:
    """The words of a text and what a head sees of each: its vector, the text's, and its shape; (words, 2 dim + 6)."""
    import numpy as np

    starts = np.array([start for start, _ in tokens.spans])
    whole = _unit(tokens.vectors.sum(axis=0))
    spans, rows = [], []
    for start, end in (found.span() for found in _WORD.finditer(text)):
        inside = (starts >= start) & (starts < end)
        if inside.any():  # what stands beyond the model's limit is not read
            own = _unit(tokens.vectors[inside].sum(axis=0))
            rows.append(np.concatenate([own, whole, _shape(text, start, end)]))
            spans.append((start, end))
    width = 2 * tokens.vectors.shape[1] + SHAPES
    return spans, np.array(rows, np.float32).reshape(len(spans), width)


def _shape(text: str, start: int, end: int) -> Sequence[float]:
    word, before = text[start:end], text[:start].rstrip()
    upper = word[0].isupper()
    return (
        upper,
        upper and before != "" and before[-1] not in ".!?",
        any(letter.isdigit() for letter in word),
        before == "",
        not word[0].isalnum(),
        len(word) > 1 and word.isupper(),
    )


def _unit(vector: NDArray[np.float32]) -> NDArray[np.float32]:
    import numpy as np

    unit: NDArray[np.float32] = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit


def _best_run(odds: Sequence[float]) -> tuple[int, int]:
    """First and last place of the run with the largest sum (Kadane's algorithm)."""
    best, at = float("-inf"), (0, 0)
    total, start = 0.0, 0
    for place, odd in enumerate(odds):
        if total <= 0:
            total, start = 0.0, place
        total += odd
        if total > best:
            best, at = total, (start, place)
    return at
