"""The vectors that the night reads: of given records, and what is near to a vector. Nothing without an embedder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from app.memory import Memory
from storage.records import EVERYTHING, Filter, Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "Mapping[int, NDArray[np.float32]]"


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


def drop_vectors(memory: Memory, records: Sequence[Record]) -> None:
    """Forget the vectors of records whose words changed; `embed_backlog` makes them again."""
    if memory.embedder is not None:
        index = memory.store.vectors(memory.embedder.name, memory.embedder.dim)
        for record in records:
            index.drop(record.seq)
