"""How likely it is that the store holds an answer at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from app.recall.weights import Signals


def probability(signals: Signals, scores: NDArray[np.float64]) -> float:
    """0..1, from how near the best candidates come to the question."""
    del scores
    cosine = float(signals["cosine"].max())
    cover = float(signals["cover"].max())
    return 1 / (1 + math.exp(-(8 * cosine + 3 * cover - 3.2)))
