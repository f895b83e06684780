"""The order of the hits: best first, and for lists spread over the conversation rather than from one place of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from app.recall.candidates import Array, Candidates

NEAR = 4.0  # rows within which turns of one session tell of the same thing
LENT = 0.2  # of its fit to the question that a note lends to the turn that it came from
JUST_BELOW = 1e-6
LOSS = 0.15  # of score that a hit costs a turn right beside it


def with_origins(found: Candidates, scores: Array) -> Array:
    """The scores, notes leading to what was said rather than past it.

    What was derived from a turn is one more way to find it, and stands below the turn that bears it out; a gist of
    many turns stands no higher than each of them.
    """
    fit = 0.5 * (found.channels["dense"] + found.channels["text"])
    derived = {
        found.place[row]: [found.place[origin] for origin in origins if origin in found.place]
        for row, origins in found.origins.items()
        if row in found.place
    }
    lent = np.zeros(len(found))
    for place, turns in derived.items():
        if found.briefs[place].kind != "gist":
            lent[turns] = np.maximum(lent[turns], fit[place])
    out: Array = scores + LENT * lent
    for place, turns in derived.items():
        if turns:
            bound = out[turns].min() if found.briefs[place].kind == "gist" else out[turns].max()
            out[place] = min(scores[place], bound - JUST_BELOW)
    return out


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
