"""VectorIndex: nearest vectors, exactly while there are few, through an HNSW generation when there are many.

The table is the truth. What a generation proposes is looked up in the table, rescored exactly, and dropped
where it is gone; what came after it is searched exactly. So a lost or damaged index costs time, never answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from storage import hnsw
from storage.database import transaction, translated
from storage.exact import PRECISIONS, Scope, Tail, as_json, cosines, decode, encode, last_op, unit

if TYPE_CHECKING:
    from storage.exact import Ints, Vector

EXACT_BELOW = 20_000  # some 2 ms a view
SLACK = 16  # candidates beyond those wanted: some are gone from the table, some change places when rescored
STALE = 0.2  # share of a generation that may be gone from the table before a new one is due
GROWN = 0.1  # vectors after a generation, as a share of EXACT_BELOW, before it is due to grow


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What `mem doctor` shows. `damaged` names generations that were not loaded."""

    mode: str  # exact | hnsw
    vectors: int  # in the table
    indexed: int  # of them in the graph
    tail: int  # of them searched exactly
    gone: int  # in the graph, and no longer in the table
    damaged: tuple[str, ...]


Scores = dict[str, dict[int, float]]  # view to row number to cosine
_Scored = dict[int, tuple[int, float]]  # row number to op and cosine


class _Offer(NamedTuple):
    """What a view proposes: the ops of the tail among it, and the row numbers of all, some of them twice."""

    after: list[int]
    seqs: list[int]


class VectorIndex:
    """The vectors of one embedding model. Belongs to the thread of its connection."""

    def __init__(
        self,
        connection: Any,
        folder: Path | None,
        *,
        model: str,
        dim: int,
        exact_below: int = EXACT_BELOW,
        graphs: hnsw.Graphs | None = None,
    ) -> None:
        """`folder` holds the generations; None keeps none (an encrypted home). `graphs`: those loaded already."""
        self.model = model
        self.dim = dim
        self._db = connection
        self._folder = folder
        self._exact_below = exact_below
        self._graphs = graphs or hnsw.Graphs()
        self._views: dict[str, _View] = {}

    def search(
        self, vector: Any, k: int, *, view: str = "text", allowed: Sequence[int] | None = None
    ) -> list[tuple[int, float]]:
        """The `k` rows nearest to `vector` as (seq, cosine), best first, ties by seq.

        `allowed` limits it to these seqs. Raises ValueError on a vector of another shape.
        """
        return list(self.nearest(vector, k, (view,), allowed)[0][view].items())

    def nearest(
        self, vector: Any, k: int, views: Sequence[str], allowed: Sequence[int] | None = None
    ) -> tuple[Scores, Scores]:
        """As `search`, in several views with one look at the table; and all that this look has found on the way."""
        import numpy as np

        query = unit(vector, self.dim)
        wanted = None if allowed is None else np.asarray(allowed, dtype=np.int64)
        if wanted is not None and (wanted[1:] <= wanted[:-1]).any():
            wanted = np.unique(wanted)
        if k <= 0 or (wanted is not None and not len(wanted)):
            return {view: {} for view in views}, {view: {} for view in views}
        many = k + SLACK
        while True:
            offered = {view: self._view(view).propose(query, many, wanted) for view in views}
            scored = self._scored(
                query, sorted({seq for each in offered.values() for seq in each.seqs}), views
            )
            for view, each in offered.items():
                self._view(view).keep(each, [op for op, _ in scored[view].values()])
            found = {view: _ranked(each.seqs, scored[view], k) for view, each in offered.items()}
            if all(len(found[view]) >= k or len(each.seqs) < many for view, each in offered.items()):
                return found, _plain(scored)
            many *= 4

    def scores(self, vector: Any, seqs: Sequence[int], views: Sequence[str]) -> Scores:
        """The exact cosine of each of `seqs` that has a vector."""
        return _plain(self._scored(unit(vector, self.dim), seqs, views))

    def of(self, seqs: Sequence[int], *, view: str = "text") -> dict[int, Vector]:
        """The vectors of these rows, by seq; one that has none is left out."""
        scope = Scope(self.model, view, self.dim)
        rows = scope.rows(self._db, "seq IN (SELECT value FROM json_each(?))", as_json(seqs))
        _, found, matrix = decode(rows, self.dim)
        return dict(zip(found.tolist(), matrix, strict=True))

    def coarsen(self, seqs: Sequence[int], precision: str) -> int:
        """Keep the vectors of these rows, in every view, at a lower precision, in the caller's transaction."""
        finer = PRECISIONS[: PRECISIONS.index(precision)]
        sql = (
            "SELECT view, hash, op, seq, precision, vec FROM vectors WHERE model = ?"
            " AND precision IN (SELECT value FROM json_each(?)) AND seq IN (SELECT value FROM json_each(?))"
        )
        rows = self._db.execute(sql, (self.model, json.dumps(finer), as_json(seqs))).fetchall()
        for view, hash, *row in rows:
            _, [seq], [vector] = decode([tuple(row)], self.dim)
            self.put(int(seq), view, vector, hash, precision)
        return len(rows)

    def put(self, seq: int, view: str, vector: Any, hash: str, precision: str = "f32") -> None:
        """Write a row's vector in the caller's transaction; one that is there is replaced under a new op."""
        blob = encode(unit(vector, self.dim), precision)
        row = (seq, view, self.model)
        self._db.execute("DELETE FROM vectors WHERE seq = ? AND view = ? AND model = ?", row)
        self._db.execute(
            "INSERT INTO vectors (seq, view, model, dim, precision, hash, vec) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (*row, self.dim, precision, hash, blob),
        )

    def drop(self, seq: int) -> None:
        """Remove a row's vectors of every view and model, in the caller's transaction."""
        self._db.execute("DELETE FROM vectors WHERE seq = ?", (seq,))

    def due(self, view: str = "text") -> bool:
        """Whether a new generation would help: many vectors, and too many of them outside the newest."""
        return self._view(view).due()

    def build(self, now: datetime, view: str = "text", stop: Callable[[], bool] = lambda: False) -> bool:
        """Write and load a new generation where one is due; False where not. Call it outside a transaction.

        `stop` is asked several times a second; when it says so, what was reached by then becomes the generation.
        Raises StoreReadOnly where the disk does not take it; search goes on as before.
        """
        return self._view(view).build(now, stop)

    def status(self, view: str = "text") -> IndexStatus:
        """How this view is searched."""
        return self._view(view).status()

    def _scored(self, query: Vector, seqs: Sequence[int], views: Sequence[str]) -> dict[str, _Scored]:
        """What the table has of these rows now; vectors that are held in memory are not read again."""
        if not seqs:
            return {view: {} for view in views}
        sql = "SELECT view, op, seq FROM vectors WHERE seq IN (SELECT value FROM json_each(?)) AND model = ?"
        ops: dict[str, dict[int, int]] = {view: {} for view in views}
        for view, op, seq in self._db.execute(sql, (as_json(seqs), self.model)):
            if view in ops:
                ops[view][op] = seq
        return {
            view: {of[op]: (op, score) for op, score in self._view(view).scores(query, list(of)).items()}
            for view, of in ops.items()
        }

    def _view(self, view: str) -> _View:
        if view not in self._views:
            scope = Scope(self.model, view, self.dim)
            self._views[view] = _View(self._db, self._folder, scope, self._exact_below, self._graphs)
        return self._views[view]


class _View:
    """One view: its newest sound generation, and the tail after it."""

    def __init__(
        self, db: Any, folder: Path | None, scope: Scope, exact_below: int, graphs: hnsw.Graphs
    ) -> None:
        self._db = db
        self._folder = folder
        self._scope = scope
        self._exact_below = exact_below
        self._graphs = graphs
        self._load()

    def propose(self, query: Vector, many: int, allowed: Ints | None) -> _Offer:
        """Some `many` rows that come nearest, by the tail and by the graph, whether the table still has them or not."""
        self._tail.refresh()
        if len(self._tail) > self._exact_below * GROWN and self._is_old():
            self._load()
            self._tail.refresh()
        ops, seqs = self._tail.candidates(query, many, allowed)
        inside = self._graph.propose(query, many, allowed).tolist() if self._graph else []
        return _Offer(ops.tolist(), seqs.tolist() + inside)

    def keep(self, offer: _Offer, ops: Sequence[int]) -> None:
        """Of what the tail offered, forget what is not among `ops`, those that the table has."""
        self._tail.drop(sorted(set(offer.after).difference(ops)))

    def scores(self, query: Vector, ops: Sequence[int]) -> dict[int, float]:
        """op -> cosine, from memory where held, else from the table."""
        import numpy as np

        wanted = np.array(ops, np.int64)
        held, matrix = self._tail.held(wanted)
        found = dict(zip(wanted[held].tolist(), cosines(matrix, query).tolist(), strict=True))
        if not held.all():
            rows = self._scope.rows(
                self._db, "op IN (SELECT value FROM json_each(?))", as_json(wanted[~held].tolist())
            )
            read, _, matrix = decode(rows, self._scope.dim)
            found |= zip(read.tolist(), cosines(matrix, query).tolist(), strict=True)
        return found

    def due(self) -> bool:
        if self._folder is None or not hnsw.installed():
            return False
        total, inside_it, dead = self._counts()
        outside = total - inside_it
        if self._graph is None or self._damaged:
            return total >= self._exact_below
        return outside > self._exact_below * GROWN or self._is_stale(total, inside_it, dead)

    def build(self, now: datetime, stop: Callable[[], bool]) -> bool:
        if self._folder is None or not self.due():
            return False
        base = None
        if self._graph is not None and not self._is_stale(*self._counts()):
            # A copy of its own to grow: others go on searching the one that is loaded.
            base = hnsw.load(self._folder, self._graph.generation, self._scope)
        new = hnsw.build(self._db, self._folder, self._scope, base, last_op(self._db), stop)
        with translated(self._folder), transaction(self._db):
            hnsw.remember(self._db, self._scope, new, now)
            hnsw.sweep(self._db, self._folder, self._scope)
        self._load()
        return True

    def status(self) -> IndexStatus:
        total, inside_it, dead = self._counts()
        mode = "hnsw" if self._graph else "exact"
        return IndexStatus(mode, total, inside_it, total - inside_it, dead, tuple(self._damaged))

    def _load(self) -> None:
        """Take the newest generation that is whole, and everything after it as the tail."""
        self._damaged: list[str] = []
        self._graph: hnsw.Graph | None = None
        self._usable = self._folder is not None and hnsw.installed()
        if self._folder is not None and self._usable:
            for generation in hnsw.generations(self._db, self._scope):
                self._graph = self._graphs.load(self._folder, generation, self._scope)
                if self._graph is not None:
                    break
                self._damaged.append(generation.file)
        self._tail = Tail(self._db, self._scope, self._graph.generation.watermark if self._graph else 0)

    def _is_old(self) -> bool:
        """Whether another thread or process has built a newer generation than the one that is searched."""
        if not self._usable:
            return False
        newest = hnsw.generations(self._db, self._scope)[:1]
        loaded = {self._graph.generation.id} if self._graph else set()
        return any(g.id not in loaded and g.file not in self._damaged for g in newest)

    def _counts(self) -> tuple[int, int, int]:
        """How many vectors there are, how many of them are in the graph, and how many in the graph are gone."""
        total = self._scope.count(self._db, last_op(self._db))
        if self._graph is None:
            return total, 0, 0
        generation = self._graph.generation
        inside_it = self._scope.count(self._db, generation.watermark)
        return total, inside_it, max(0, generation.count - inside_it)

    def _is_stale(self, total: int, inside_it: int, dead: int) -> bool:
        """Whether a whole new graph is better than a grown one: too much is gone, or most of it is new."""
        return self._graph is None or dead > STALE * (inside_it + dead) or total > 2 * inside_it


def _plain(scored: dict[str, _Scored]) -> Scores:
    return {view: {seq: score for seq, (_, score) in each.items()} for view, each in scored.items()}


def _ranked(seqs: Iterable[int], scored: _Scored, k: int) -> dict[int, float]:
    """The best `k` of those `seqs` that were scored, best first, ties by seq."""
    found = [(-scored[seq][1], seq) for seq in set(seqs) if seq in scored]
    return {seq: -score for score, seq in sorted(found)[:k]}


def drop_model(db: Any, folder: Path, model: str, most: int) -> int:
    """Drop the oldest vectors of a model, at most `most`, in the caller's transaction; returns how many.

    Once none is left its generations go too, rows and files in `folder`.
    """
    sql = "DELETE FROM vectors WHERE op IN (SELECT op FROM vectors WHERE model = ? ORDER BY op LIMIT ?)"
    count = int(db.execute(sql, (model, most)).rowcount)
    if count < most:
        hnsw.remove(db, folder, model)
    return count
