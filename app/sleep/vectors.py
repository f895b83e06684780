"""The vectors that the night reads: of given records, and what is near to a vector. Nothing without an embedder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias

from app.memory import Memory
from storage.records import EVERYTHING, Filter, Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "Mapping[int, NDArray[np.float32]]"
Near: TypeAlias = list[tuple[int, float]]  # (row number, cosine), best first

BLOCK = 2_048  # vectors that are compared with all those asked for in one product
DIGITS = 5  # of a cosine in float32 that do not depend on what stands beside it


def vectors_of(memory: Memory, records: Sequence[Record]) -> Vectors:
    """The stored vectors of these records by row number; one without a vector is left out."""
    embedder = memory.embedder
    if embedder is None or not records:
        return {}
    return memory.store.vectors(embedder.name, embedder.dim).of([r.seq for r in records])


def nearest(memory: Memory, vector: Any, many: int, filter: Filter = EVERYTHING) -> list[tuple[int, float]]:
    """The `many` records nearest to a vector that `filter` lets through, as (row number, cosine), best first."""
    if memory.embedder is None:
        return []
    allowed = None if filter == EVERYTHING else memory.store.matching(filter)
    index = memory.store.vectors(memory.embedder.name, memory.embedder.dim)
    return index.search(vector, many, allowed=allowed)


def grow_index(memory: Memory, now: datetime, stop: Callable[[], bool]) -> None:
    """Let the index take in what is new where that is due, so that a large import is compared through its graph."""
    if memory.embedder is not None:
        memory.store.vectors(memory.embedder.name, memory.embedder.dim).build(now, "text", stop)


def nearest_before(
    memory: Memory, records: Sequence[Record], many: int, least: float, filter: Filter
) -> dict[int, Near]:
    """For each record, by row number, the `many` nearest before it that `filter` lets through, from `least` up.

    One product for each block of vectors while the index has no graph: the whole of a large import costs little more
    than reading it. Through the graph, one by one, where there is one.
    """
    if memory.embedder is None or not records:
        return {}
    index = memory.store.vectors(memory.embedder.name, memory.embedder.dim)
    own = index.of([r.seq for r in records])
    if index.status().mode == "hnsw":
        found = {seq: index.search(vector, many) for seq, vector in own.items()}
    else:
        earlier = [seq for seq in memory.store.matching(filter) if seq < records[-1].seq]
        found = {seq: [] for seq in own}
        for start in range(0, len(earlier), BLOCK):
            _compare(own, index.of(earlier[start : start + BLOCK]), many, least, found)
    return {
        seq: sorted(
            [(o, c) for o, c in near if o < seq and c >= least], key=lambda pair: (-pair[1], pair[0])
        )[:many]
        for seq, near in found.items()
    }


def _compare(own: Vectors, others: Vectors, many: int, least: float, found: dict[int, Near]) -> None:
    """Put to `found` what of `others` comes nearest to each of `own`, and before it."""
    import numpy as np  # the night alone pays for it

    if not own or not others:
        return
    rows, columns = np.array(list(own)), np.array(list(others))
    scores = (np.stack(list(own.values())) @ np.stack(list(others.values())).T).round(DIGITS)
    scores[rows[:, None] <= columns] = -1
    near = np.flatnonzero(scores.max(axis=1) >= least - 10**-DIGITS)
    best = np.argsort(-scores[near], axis=1, kind="stable")[:, :many]
    for row, places in zip(near, best, strict=True):
        seq, vector = int(rows[row]), own[int(rows[row])].astype(np.float64)
        cosines = ((int(o), float(vector @ others[int(o)].astype(np.float64))) for o in columns[places])
        found[seq] += [(o, min(1.0, round(cosine, 7))) for o, cosine in cosines]


def drop_vectors(memory: Memory, records: Sequence[Record]) -> None:
    """Forget the vectors of records whose words changed; `embed_backlog` makes them again."""
    if memory.embedder is not None:
        index = memory.store.vectors(memory.embedder.name, memory.embedder.dim)
        for record in records:
            index.drop(record.seq)
