"""The order of the hits: best first, and for lists spread over the conversation rather than from one place of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from app.recall.analysis import Analysis
    from app.recall.candidates import Array, Candidates
    from app.recall.router import Route

NEAR = 4.0  # rows within which turns of one session tell of the same thing
LENT = 0.05  # of its fit to the question that a note lends to the turn that it came from
LENT_BY_GIST = 0.1  # that a gist lends to each turn that it covers, where a list is sought
JUST_BELOW = 1e-6
FIRST = 10  # hits that are read together: these are spread, and shared between two who are asked about
EACH = 3  # of them at least from each
LOSS = 0.15  # of score that a hit costs a turn right beside it
BY_ONE = 0.5  # of score for what one channel alone has first, beyond the first hits
HALF = 20.0  # ranks in that channel after which it is half
CHANNELS = ("dense", "dense_context", "text", "text_context")


def with_origins(found: Candidates, scores: Array, *, broad: bool = False) -> Array:
    """The scores, notes leading to what was said rather than past it.

    What was derived from a turn is one more way to find it, and stands below the turn that bears it out; a gist of
    many turns stands no higher than each of them. To a `broad` question gists lead as well, coarse to fine.
    """
    fit = 0.5 * (found.channels["dense"] + found.channels["text"])
    derived = {
        found.place[row]: [found.place[origin] for origin in origins if origin in found.place]
        for row, origins in found.origins.items()
        if row in found.place
    }
    lent = np.zeros(len(found))
    for place, turns in derived.items():
        share = (LENT_BY_GIST * broad) if found.briefs[place].kind == "gist" else LENT
        lent[turns] = np.maximum(lent[turns], share * fit[place])
    out: Array = scores + lent
    for place, turns in derived.items():
        if turns:
            bound = out[turns].min() if found.briefs[place].kind == "gist" else out[turns].max()
            out[place] = min(scores[place], bound - JUST_BELOW)
    return out


def ordered(found: Candidates, scores: Array, analysis: Analysis, route: Route) -> NDArray[np.int64]:
    """Places of all candidates in the order in which they are told."""
    order = ranking(found, scores, spread=route.broad)
    order = with_each(found, order, analysis.together)
    order = widened(found, scores, order, analysis.teller)
    return with_reply(found, order) if route.deep else order


def ranking(found: Candidates, scores: Array, *, spread: bool) -> NDArray[np.int64]:
    """Places of the candidates, best first; equal scores in the order of rows.

    With `spread`, each of the first hits costs the turns near it: score_j -= LOSS e^(-distance / NEAR) (after maximal
    marginal relevance, Carbonell and Goldstein 1998); the others follow by their scores.
    """
    best = np.lexsort((found.seqs, -scores))
    if not spread:
        return best
    left = scores.astype(float).copy()
    sessions = np.unique([b.session or "" for b in found.briefs], return_inverse=True)[1]
    first: list[int] = []
    for _ in range(min(FIRST, len(found))):
        place = int(np.argmax(left))
        first.append(place)
        near = np.exp(-np.abs(found.seqs - found.seqs[place]) / NEAR)
        left -= LOSS * (sessions == sessions[place]) * near
        left[place] = -np.inf
    return np.array([*first, *(place for place in best.tolist() if place not in first)], np.int64)


def with_each(found: Candidates, order: NDArray[np.int64], names: Sequence[str]) -> NDArray[np.int64]:
    """The order with at least EACH of the first hits told by each of `names`, where there are so many: what is asked
    of two is two questions, and the answers to one must not crowd out those to the other."""
    first, rest = order[:FIRST].tolist(), order[FIRST:].tolist()
    teller = [(brief.speaker or brief.subject or "") for brief in found.briefs]
    for name in names:
        missing = EACH - sum(teller[place] == name for place in first)
        for place in [place for place in rest if teller[place] == name][: max(missing, 0)]:
            last = next(other for other in reversed(first) if teller[other] != name)
            rest[rest.index(place)] = last
            first.remove(last)
            first.append(place)
    return np.array([*first, *rest], np.int64)


def widened(
    found: Candidates, scores: Array, order: NDArray[np.int64], teller: str | None
) -> NDArray[np.int64]:
    """The order, beyond the first hits, with what stands high in any one channel, of the teller's own words.

    What all channels agree on has come first by then; evidence in words of its own is near in one of them only. Adds
    BY_ONE / (1 + rank / HALF), the rank being the best of any channel (after reciprocal rank fusion, Cormack et al.
    2009). Between people only: an assistant's long turns are near to everything.
    """
    own = (
        found.each(lambda b: b.kind == "episodic" and teller in (None, b.speaker)) * found.between_people > 0
    )
    ranks = np.full(len(found), np.inf)
    for name in CHANNELS:
        values = np.where(own, found.channels[name], 0.0)
        nearest = np.lexsort((found.seqs, -values))[: np.count_nonzero(values)]
        ranks[nearest] = np.minimum(ranks[nearest], np.arange(len(nearest)))
    first, rest = order[:FIRST], order[FIRST:]
    wide = scores + BY_ONE / (1 + ranks / HALF)
    return np.concatenate([first, rest[np.argsort(-wide[rest], kind="stable")]])


def with_reply(found: Candidates, order: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order with the reply to the first hit among the first ones, where that is a user's turn: half an exchange."""
    if not len(order):
        return order
    asked = found.briefs[order[0]]
    reply = found.place.get(asked.seq + 1)
    if asked.role != "user" or reply is None or reply in order[:FIRST]:
        return order
    told = found.briefs[reply]
    if told.role != "assistant" or told.session != asked.session:
        return order
    rest = order[order != reply]
    return np.insert(rest, min(FIRST - 1, len(rest)), reply)
