"""What a text is about, told by its meaning: a linear head on an embedder's vectors. bench/heads.py fits the heads.

Words vary without end, what they mean does not: some hundred labelled lines teach a head to know "they have me in
induction all week" for news of an employer. A head reads the vectors of the models that it was fitted for; with any
other, whoever asks goes by words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from models.embed import Embedder

SCALE = 100  # weights stand as integers in the file, so many to one


@dataclass(frozen=True, slots=True)
class Head:
    """A label for each row of `weights`, (labels, dim + 1), whose last column is the constant."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]

    def chances(self, vector: NDArray[np.float32]) -> Mapping[str, float]:
        """The probability of each label for one vector; they sum to one."""
        return dict(zip(self.labels, self.shares(vector[None])[0].tolist(), strict=True))

    def shares(self, vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        """The probability of each label for each row, by softmax: (rows, labels)."""
        import numpy as np

        scores = vectors.astype(float) @ self.weights[:, :-1].T.astype(float) + self.weights[:, -1]
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return shares


def heard(file: Path, text: str, embedder: Embedder, longest: int) -> Mapping[str, float]:
    """What the head in `file` hears in a text; nothing in a blank or longer one, or where it reads other vectors."""
    head = head_of(file, embedder.name) if text.strip() and len(text) <= longest else None
    return head.chances(embedder.embed([text])[0]) if head else {}


@cache  # files that ship with the program
def head_of(file: Path, model: str) -> Head | None:
    """The head in `file`; None where it was not fitted for this embedding model."""
    import numpy as np

    saved = json.loads(file.read_text(encoding="utf-8"))
    if model not in saved["models"]:
        return None
    return Head(tuple(saved["labels"]), (np.array(saved["weights"]) / SCALE).astype(np.float32))
