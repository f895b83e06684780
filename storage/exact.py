"""Vectors as bytes, and exact search over those that a process holds in memory. Knows rows of `vectors` only."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]  # (dim,), length one
    Matrix = NDArray[np.float32]  # (n, dim), rows of length one
    Ints = NDArray[np.int64]

COLUMNS = "op, seq, precision, vec"
PRECISIONS = ("f32", "i8", "b1")
NOISE = 1e-6
BATCH = 10_000  # rows read at a time: 15 MB of 384 floats
ROOM = 8  # one row in so many is gone before the others move up

Row = tuple[int, int, str, bytes]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which rows of `vectors` belong together: one view of the texts, embedded by one model."""

    model: str
    view: str
    dim: int

    def rows(self, db: Any, condition: str, *values: Any) -> list[Row]:
        """The rows of this scope that meet an SQL condition."""
        sql = f"SELECT {COLUMNS} FROM vectors WHERE {condition} AND model = ? AND view = ?"
        return db.execute(sql, (*values, self.model, self.view)).fetchall()  # type: ignore[no-any-return]

    def between(self, db: Any, after: int, until: int) -> Iterator[list[Row]]:
        """Rows with after < op <= until in order of op, in batches."""
        sql = f"SELECT {COLUMNS} FROM vectors WHERE op > ? AND op <= ? AND model = ? AND view = ? ORDER BY op LIMIT ?"
        while True:
            found = db.execute(sql, (after, until, self.model, self.view, BATCH)).fetchall()
            if found:
                yield found
            if len(found) < BATCH:
                return
            after = found[-1][0]

    def count(self, db: Any, until: int) -> int:
        """How many rows have op <= until."""
        sql = "SELECT count(*) FROM vectors WHERE view = ? AND model = ? AND op <= ?"
        return int(db.execute(sql, (self.view, self.model, until)).fetchone()[0])


def last_op(db: Any) -> int:
    """The newest row of `vectors`, whatever its scope; 0 when there is none."""
    return int(db.execute("SELECT coalesce(max(op), 0) FROM vectors").fetchone()[0])


def as_json(numbers: Iterable[int]) -> str:
    """A list for `IN (SELECT value FROM json_each(?))`, which has no limit on its length."""
    return json.dumps(list(numbers), separators=(",", ":"))


def unit(vector: Any, dim: int) -> Vector:
    """The vector at length one (zeros stay zeros). Raises ValueError on a wrong shape, NaN or infinity."""
    import numpy as np

    wide = np.asarray(vector, dtype=np.float64)
    if wide.shape != (dim,):
        raise ValueError(f"a vector of shape {wide.shape} where ({dim},) is wanted")
    if not np.isfinite(wide).all():
        raise ValueError("a vector that holds NaN or infinity")
    length = math.sqrt(float(wide @ wide))
    return (wide / length if length else wide).astype(np.float32)


def encode(vector: Vector, precision: str) -> bytes:
    """A unit vector as 4 bytes, 1 byte or 1 bit a dimension, little-endian. Raises ValueError on another precision."""
    import numpy as np

    if precision == "f32":
        return vector.astype("<f4").tobytes()
    if precision == "i8":
        return to_int8(vector[None, :]).tobytes()
    if precision == "b1":
        return np.packbits(vector > 0).tobytes()
    raise ValueError(f"precision {precision!r} is none of {', '.join(PRECISIONS)}")


def to_int8(matrix: Matrix) -> NDArray[np.int8]:
    """Rows scaled so that their largest entry is 127; cosines need no scale back."""
    import numpy as np

    largest = np.abs(matrix).max(axis=1, keepdims=True)
    return np.rint(matrix * (127 / np.where(largest > 0, largest, 1))).astype(np.int8)


def decode(rows: Sequence[Row], dim: int) -> tuple[Ints, Ints, Matrix]:
    """(ops, seqs, vectors) of rows; a row whose bytes are not a vector of `dim` numbers is left out."""
    import numpy as np

    size = {"f32": 4 * dim, "i8": dim, "b1": (dim + 7) // 8}
    good = [row for row in rows if len(row[3]) == size.get(row[2])]
    matrix = np.empty((len(good), dim), np.float32)
    for precision in PRECISIONS:
        at = [i for i, row in enumerate(good) if row[2] == precision]
        if at:
            matrix[slice(None) if len(at) == len(good) else at] = _unpack(
                b"".join(good[i][3] for i in at), precision, len(at), dim
            )
    ops = np.array([row[0] for row in good], np.int64)
    seqs = np.array([row[1] for row in good], np.int64)
    return ops, seqs, matrix


def _unpack(data: bytes, precision: str, count: int, dim: int) -> Matrix:
    import numpy as np

    if precision == "f32":
        floats = np.frombuffer(data, "<f4").reshape(count, dim)
        if np.isfinite(floats).all():
            return floats
        clean: Matrix = np.nan_to_num(floats, nan=0.0, posinf=0.0, neginf=0.0)
        return clean
    if precision == "i8":
        return normalised(np.frombuffer(data, np.int8).reshape(count, dim).astype(np.float32))
    bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(count, -1), axis=1, count=dim)
    # <x, sign(y)> is smaller than <x, y> by sqrt(2 / pi) on average (Charikar 2002; RaBitQ, Gao and Long 2024).
    return (bits.astype(np.float32) * 2 - 1) * np.float32(math.sqrt(math.pi / 2 / dim))


def normalised(matrix: Matrix) -> Matrix:
    """Rows at length one; rows of zeros stay."""
    import numpy as np

    lengths = np.sqrt(np.einsum("ij,ij->i", matrix, matrix))[:, None]
    unit_rows: Matrix = (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32, copy=False)
    return unit_rows


def cosines(matrix: Matrix, query: Vector) -> NDArray[np.float64]:
    """The cosine of each row, the same to the last digit whatever rows stand beside it. Between -1 and 1."""
    import numpy as np

    # A sum along each row: a matrix product may add up in another order where it has another shape.
    scores = (matrix.astype(np.float64) * query.astype(np.float64)).sum(axis=1)
    rounded: NDArray[np.float64] = scores.round(7).clip(-1, 1)
    return rounded


def best(scores: NDArray[np.float32], many: int) -> NDArray[np.intp]:
    """Positions of the `many` highest scores, in no order; all when there are fewer. Of equals the first are taken."""
    import numpy as np

    if many >= len(scores):
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - many)[len(scores) - many]
    near = np.flatnonzero(scores >= least - NOISE)
    steps = np.rint(scores[near] / (2 * NOISE))  # equal vectors may differ by what float32 sums leave over
    kept: NDArray[np.intp] = near[(-steps).argsort(kind="stable")[:many]]
    return kept


def inside(values: Ints, wanted: Ints) -> NDArray[np.bool_]:
    """Which of `values` are in the ascending array `wanted`."""
    import numpy as np

    if not len(wanted):
        return np.zeros(len(values), bool)
    at = np.minimum(np.searchsorted(wanted, values), len(wanted) - 1)
    found: NDArray[np.bool_] = wanted[at] == values
    return found


class Tail:
    """The vectors of one scope that came after `floor` (an op), held in one matrix that follows the table.

    Rows that were deleted stay in the matrix until `drop`: whoever searches looks them up in the table.
    """

    def __init__(self, db: Any, scope: Scope, floor: int = 0) -> None:
        import numpy as np

        self._db = db
        self._scope = scope
        self._seen = floor  # everything up to this op is in the matrix
        self._kept = floor  # and up to this one it was committed when it was read
        self._count = 0
        self._gone: set[int] = set()  # ops of rows that are zeros
        self._ops: Ints = np.empty(0, np.int64)
        self._seqs: Ints = np.empty(0, np.int64)
        self._matrix: Matrix = np.empty((0, scope.dim), np.float32)

    def __len__(self) -> int:
        return self._count

    def refresh(self) -> None:
        """Take in what was written since the last call, by any process."""
        if self._kept < self._seen:  # the transaction that was open may have been rolled back
            self._count = int(self._ops[: self._count].searchsorted(self._kept, "right"))
            self._seen = self._kept
        newest = last_op(self._db)
        if newest > self._seen:
            for rows in self._scope.between(self._db, self._seen, newest):
                self._append(*decode(rows, self._scope.dim))
            self._seen = newest
        if not self._db.in_transaction:
            self._kept = self._seen

    def candidates(self, query: Vector, many: int, allowed: Ints | None) -> tuple[Ints, Ints]:
        """Ops and seqs of the `many` vectors nearest to `query`, among the seqs in `allowed` (ascending) if given."""
        import numpy as np

        n = self._count
        if allowed is None:
            rows = best(self._matrix[:n] @ query, many)
        else:
            among = np.flatnonzero(inside(self._seqs[:n], allowed))
            some = self._matrix[among] if len(among) * 4 < n else None
            scores = (self._matrix[:n] @ query)[among] if some is None else some @ query
            rows = among[best(scores, many)]
        return self._ops[rows], self._seqs[rows]

    def held(self, ops: Ints) -> tuple[NDArray[np.bool_], Matrix]:
        """Which of `ops` are in the matrix, and their vectors in the same order."""
        mine = self._ops[: self._count]
        known = inside(ops, mine)
        return known, self._matrix[mine.searchsorted(ops[known])]

    def drop(self, ops: Sequence[int]) -> None:
        """Forget rows that the table no longer has; not inside a transaction, whose end may bring them back.

        They become zeros, near to nothing, and make room once there are many: one that goes does not move all others.
        """
        import numpy as np

        if self._db.in_transaction or self._gone.issuperset(ops):
            return
        self._gone.update(ops)
        gone = inside(self._ops[: self._count], np.array(sorted(self._gone), np.int64))
        self._matrix[: self._count][gone] = 0
        if np.count_nonzero(gone) * ROOM > self._count:
            keep = np.flatnonzero(~gone)
            self._count, self._gone = len(keep), set()
            for array in (self._ops, self._seqs, self._matrix):
                array[: len(keep)] = array[keep]

    def _append(self, ops: Ints, seqs: Ints, matrix: Matrix) -> None:
        import numpy as np

        start, end = self._count, self._count + len(ops)
        if end > len(self._ops):
            # Half as much room again, so that one more memory does not copy all of them.
            room = max(end, len(self._ops) * 3 // 2)
            for name, width in (("_ops", ()), ("_seqs", ()), ("_matrix", (self._scope.dim,))):
                old = getattr(self, name)
                new = np.empty((room, *width), old.dtype)
                new[:start] = old[:start]
                setattr(self, name, new)
        self._ops[start:end] = ops
        self._seqs[start:end] = seqs
        self._matrix[start:end] = matrix
        self._count = end
