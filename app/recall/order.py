"""The order of the hits: best first, and for lists spread over the conversation rather than from one place of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.recall.candidates import Array, Candidates

NEAR = 4.0  # rows within which turns of one session tell of the same thing
LOSS = 0.15  # of score that a hit costs a turn right beside it


def ranking(found: Candidates, scores: Array, *, spread: bool, most: int) -> NDArray[np.int64]:
    """Places of the `most` best candidates, best first; equal scores in the order of rows.

    With `spread`, each hit costs the turns near it: score_j -= LOSS e^(-distance / NEAR) (after maximal marginal
    relevance, Carbonell and Goldstein 1998).
    """
    if not spread:
        return np.lexsort((found.seqs, -scores))[:most]
    left = scores.astype(float).copy()
    sessions = np.unique([b.session or "" for b in found.briefs], return_inverse=True)[1]
    order = []
    for _ in range(min(most, len(found))):
        best = int(np.argmax(left))
        order.append(best)
        left -= LOSS * (sessions == sessions[best]) * np.exp(-np.abs(found.seqs - found.seqs[best]) / NEAR)
        left[best] = -np.inf
    return np.array(order, np.int64)
