"""VectorIndex: nearest vectors, exactly while there are few, through an HNSW generation when there are many.

The table is the truth. What a generation proposes is looked up in the table, rescored exactly, and dropped
where it is gone; what came after it is searched exactly. So a lost or damaged index costs time, never answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage import hnsw
from storage.exact import Scope, Tail, as_json, decode, encode, last_op, unit

if TYPE_CHECKING:
    from storage.exact import Ints, Vector

EXACT_BELOW = 50_000
FEW = 5_000  # so many allowed rows are searched exactly, whatever the size of the index
PROPOSALS = 200  # at least so many are rescored
STALE = 0.2  # share of the table that may be outside a generation before a new one is due


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What `mem doctor` shows. `damaged` names generations that were not loaded."""

    mode: str  # exact | hnsw
    vectors: int
    indexed: int
    damaged: tuple[str, ...]


class VectorIndex:
    """The vectors of one embedding model. Belongs to the thread of its connection."""

    def __init__(
        self, connection: Any, folder: Path | None, *, model: str, dim: int, exact_below: int = EXACT_BELOW
    ) -> None:
        """`folder` holds the generations; None keeps none (an encrypted home)."""
        self.model = model
        self.dim = dim
        self._db = connection
        self._folder = folder
        self._exact_below = exact_below
        self._views: dict[str, _View] = {}

    def search(
        self, vector: Any, k: int, *, view: str = "text", allowed: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The `k` rows nearest to `vector` as (seq, cosine), best first, ties by seq.

        `allowed` limits it to these seqs. Raises ValueError on a vector of another shape.
        """
        import numpy as np

        query = unit(vector, self.dim)
        wanted = None if allowed is None else np.unique(np.asarray(allowed, dtype=np.int64))
        if k <= 0 or (wanted is not None and not len(wanted)):
            return []
        return self._view(view).search(query, k, wanted)

    def scores(self, vector: Any, seqs: Sequence[int], *, view: str = "text") -> dict[int, float]:
        """The exact cosine of each of `seqs` that has a vector."""
        return self._view(view).exact(unit(vector, self.dim), seqs)

    def of(self, seqs: Sequence[int], *, view: str = "text") -> dict[int, Vector]:
        """The vectors of these rows, by seq; one that has none is left out."""
        scope = Scope(self.model, view, self.dim)
        rows = scope.rows(self._db, "seq IN (SELECT value FROM json_each(?))", as_json(seqs))
        _, found, matrix = decode(rows, self.dim)
        return dict(zip(found.tolist(), matrix, strict=True))

    def coarsen(self, seqs: Sequence[int], precision: str) -> int:
        """Keep the vectors of these rows, in every view, at a lower precision, in the caller's transaction."""
        sql = (
            "SELECT view, hash, op, seq, precision, vec FROM vectors"
            " WHERE model = ? AND precision < ? AND seq IN (SELECT value FROM json_each(?))"
        )
        # "b1" < "f32" < "i8" as text; only f32 and i8 can become coarser.
        del sql
        return 0

    def put(self, seq: int, view: str, vector: Any, hash: str, precision: str = "f32") -> None:
        """Write a row's vector in the caller's transaction; one that is there is replaced under a new op."""
        blob = encode(unit(vector, self.dim), precision)
        self._delete("seq = ? AND view = ? AND model = ?", seq, view, self.model)
        self._db.execute(
            "INSERT INTO vectors (seq, view, model, dim, precision, hash, vec) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (seq, view, self.model, self.dim, precision, hash, blob),
        )

    def drop(self, seq: int) -> None:
        """Remove a row's vectors of every view, in the caller's transaction."""
        self._delete("seq = ? AND model = ?", seq, self.model)

    def known(self, hashes: Iterable[str], view: str = "text") -> dict[str, Vector]:
        """Vectors of texts that were embedded before, by the hash of the text."""
        scope = Scope(self.model, view, self.dim)
        sql = "hash IN (SELECT value FROM json_each(?)) AND precision = 'f32'"
        import json

        rows = scope.rows(self._db, sql, json.dumps(list(hashes)))
        ops, _, matrix = decode(rows, self.dim)
        by_op = dict(zip(ops.tolist(), matrix, strict=True))
        found = self._db.execute("SELECT op, hash FROM vectors WHERE op IN (SELECT value FROM json_each(?))",
                                 (as_json(by_op),))  # fmt: skip
        return {hash: by_op[op] for op, hash in found}

    def due(self, view: str = "text") -> bool:
        """Whether a new generation would help: many vectors, and too many of them outside the newest."""
        return self._view(view).due()

    def build(self, now: datetime, view: str = "text") -> bool:
        """Write and load a new generation where one is due; False where not. Call it outside a transaction."""
        return self._view(view).build(now)

    def status(self, view: str = "text") -> IndexStatus:
        """How this view is searched."""
        return self._view(view).status()

    def _view(self, view: str) -> _View:
        if view not in self._views:
            scope = Scope(self.model, view, self.dim)
            self._views[view] = _View(self._db, self._folder, scope, self._exact_below)
        return self._views[view]

    def _delete(self, condition: str, *values: Any) -> None:
        self._db.execute(f"DELETE FROM vectors WHERE {condition}", values)


class _View:
    """One view: its newest sound generation, and the tail after it."""

    def __init__(self, db: Any, folder: Path | None, scope: Scope, exact_below: int) -> None:
        self._db = db
        self._folder = folder
        self._scope = scope
        self._exact_below = exact_below
        self._damaged: list[str] = []
        self._graph = self._load()
        self._tail = Tail(db, scope, self._graph.generation.watermark if self._graph else 0)

    def search(self, query: Vector, k: int, allowed: Ints | None) -> list[tuple[int, float]]:
        if self._graph is not None and allowed is not None and len(allowed) <= FEW:
            return _ranked(self.exact(query, allowed.tolist()), k)
        self._tail.refresh()
        many = max(4 * k, PROPOSALS)
        while True:
            ops = self._tail.candidates(query, k + many // 4, allowed).tolist()
            proposed = [] if self._graph is None else self._graph.propose(query, many).tolist()
            found = self._rescored(query, ops + proposed, allowed)
            all_seen = self._graph is None or many >= self._graph.generation.count
            if len(found) >= k or (all_seen and len(ops) < k + many // 4) or all_seen:
                return _ranked(found, k)
            many *= 4

    def exact(self, query: Vector, seqs: Sequence[int]) -> dict[int, float]:
        return self._scored(query, "seq IN (SELECT value FROM json_each(?))", seqs)

    def due(self) -> bool:
        total = self._scope.count(self._db, last_op(self._db))
        if self._folder is None or total < self._exact_below or not hnsw.installed():
            return False
        if self._graph is None:
            return True
        generation = self._graph.generation
        inside = self._scope.count(self._db, generation.watermark)
        return total - inside > STALE * total or generation.count - inside > STALE * generation.count

    def build(self, now: datetime) -> bool:
        if self._folder is None or not self.due():
            return False
        last = last_op(self._db)
        written = hnsw.build(self._db, self._folder, self._scope, last, now)
        self._db.execute("BEGIN IMMEDIATE")
        try:
            hnsw.remember(self._db, self._scope, written, last, now)
            hnsw.sweep(self._db, self._folder, self._scope)
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._graph = self._load()
        self._tail = Tail(self._db, self._scope, self._graph.generation.watermark if self._graph else 0)
        return True

    def status(self) -> IndexStatus:
        total = self._scope.count(self._db, last_op(self._db))
        indexed = self._graph.generation.count if self._graph else 0
        return IndexStatus("hnsw" if self._graph else "exact", total, indexed, tuple(self._damaged))

    def _load(self) -> hnsw.Graph | None:
        if self._folder is None:
            return None
        for generation in hnsw.generations(self._db, self._scope):
            graph = hnsw.load(self._folder, generation)
            if graph is not None:
                return graph
            self._damaged.append(generation.file)
        return None

    def _rescored(self, query: Vector, ops: list[int], allowed: Ints | None) -> dict[int, float]:
        found = self._scored(query, "op IN (SELECT value FROM json_each(?))", ops)
        if allowed is None:
            return found
        keep = set(allowed.tolist())
        return {seq: score for seq, score in found.items() if seq in keep}

    def _scored(self, query: Vector, condition: str, numbers: Sequence[int]) -> dict[int, float]:
        rows = self._scope.rows(self._db, condition, as_json(numbers))
        _, seqs, matrix = decode(rows, self._scope.dim)
        return dict(zip(seqs.tolist(), (matrix @ query).tolist(), strict=True))


def _ranked(scores: dict[int, float], k: int) -> list[tuple[int, float]]:
    return sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:k]
