"""Index generations: an HNSW graph over shortened vectors, in files that are loaded only if their hash matches.

hnswlib crashes on damaged bytes and holds float32 alone, so a generation keeps the first principal components
(a third of the memory) and proposes; the exact vectors in the table decide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.exact import Scope, decode
from storage.files import fault, make_private, replacing, sha256
from storage.rows import to_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from storage.exact import Ints, Matrix, Vector

SHORT = 128  # components kept; with 200 proposals rescored, recall@10 is 0.997 of exact search
SAMPLE = 20_000  # vectors that the components are computed from
LINKS, BUILD_WIDTH = 16, 200  # hnswlib's M and ef_construction
SEED = 100
KEPT = 2  # generations that stay on disk


@dataclass(frozen=True, slots=True)
class Generation:
    """One row of `generations`. `watermark` is the last op inside."""

    id: int
    file: str
    count: int
    watermark: int
    sha256: str


def installed() -> bool:
    """Whether hnswlib is there; exact search stands in for it otherwise."""
    from importlib.util import find_spec

    return find_spec("hnswlib") is not None


def generations(db: Any, scope: Scope) -> list[Generation]:
    """The known generations of a scope, newest first."""
    sql = (
        "SELECT id, file, count, watermark, sha256 FROM generations WHERE model = ? AND view = ? AND dim = ?"
        " ORDER BY id DESC"
    )
    return [Generation(*row) for row in db.execute(sql, (scope.model, scope.view, scope.dim))]


class Graph:
    """A loaded generation."""

    def __init__(self, generation: Generation, index: Any, basis: Matrix) -> None:
        self.generation = generation
        self._index = index
        self._basis = basis  # (dim, SHORT)

    def propose(self, query: Vector, many: int) -> Ints:
        """Ops of about the `many` nearest vectors, nearest first."""
        import numpy as np

        many = min(many, self._index.get_current_count())
        self._index.set_ef(max(many * 2, 64))  # load_index resets it to 10
        labels, _ = self._index.knn_query(query[None, :] @ self._basis, k=many, num_threads=1)
        ops: Ints = labels[0].astype(np.int64)
        return ops


def load(folder: Path, generation: Generation) -> Graph | None:
    """The generation's graph, or None where a file is missing, is not what was written, or hnswlib is not there."""
    files = _files(folder, generation.file)
    if not installed():
        return None
    try:
        if sha256(*files) != generation.sha256:
            return None
    except OSError:
        return None
    import hnswlib
    import numpy as np

    basis = np.load(files[1], allow_pickle=False)
    index = hnswlib.Index(space="l2", dim=basis.shape[1])
    index.load_index(str(files[0]))
    return Graph(generation, index, basis)


def build(db: Any, folder: Path, scope: Scope, last: int, now: datetime) -> tuple[str, int, str]:
    """Write a generation of every vector with op <= `last`; returns (file, count, sha256). No transaction is open.

    Raises StoreReadOnly where the disk does not take it; the generations before stay as they are.
    """
    import hnswlib
    import numpy as np

    make_private(folder)
    name = f"{scope.view}-{last}-{to_text(now).translate({ord(c): None for c in '-:.+'})}.hnsw"
    count = scope.count(db, last)
    basis = principal(sample(db, scope, last, count))
    index = hnswlib.Index(space="l2", dim=basis.shape[1])
    index.init_index(max_elements=max(count, 1), ef_construction=BUILD_WIDTH, M=LINKS, random_seed=SEED)
    for ops, matrix in _decoded(db, scope, last):
        fault("index.add")
        index.add_items(matrix @ basis, ops)
    graph_file, basis_file = _files(folder, name)
    with replacing(basis_file) as path, path.open("wb") as file:
        np.save(file, basis, allow_pickle=False)
    with replacing(graph_file) as path:
        index.save_index(str(path))
    return name, index.get_current_count(), sha256(graph_file, basis_file)


def remember(db: Any, scope: Scope, written: tuple[str, int, str], last: int, now: datetime) -> None:
    """The row that makes a written generation known, in the caller's transaction."""
    fault("index.row")
    db.execute(
        "INSERT INTO generations (file, model, view, dim, count, watermark, sha256, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (written[0], scope.model, scope.view, scope.dim, written[1], last, written[2], to_text(now)),
    )


def sweep(db: Any, folder: Path, scope: Scope) -> None:
    """Remove all but the newest generations, rows and files, in the caller's transaction."""
    fault("index.sweep")
    for old in generations(db, scope)[KEPT:]:
        db.execute("DELETE FROM generations WHERE id = ?", (old.id,))
        for path in _files(folder, old.file):
            path.unlink(missing_ok=True)


def sample(db: Any, scope: Scope, last: int, count: int) -> Matrix:
    """About SAMPLE vectors, evenly spaced over the ops, so that the same table gives the same sample."""
    import numpy as np

    step = max(1, count // SAMPLE)
    picked = [m[ops % step == 0] for ops, m in _decoded(db, scope, last)]
    return np.concatenate(picked) if picked else np.empty((0, scope.dim), np.float32)


def principal(matrix: Matrix) -> Matrix:
    """The directions of most variance as columns, shape (dim, SHORT) or (dim, dim) where dim is smaller."""
    import numpy as np

    dim = matrix.shape[1]
    if dim <= SHORT or not len(matrix):
        return np.eye(dim, dtype=np.float32)
    _, directions = np.linalg.eigh(matrix.T.astype(np.float64) @ matrix.astype(np.float64))
    largest: NDArray[np.float64] = directions[:, ::-1][:, :SHORT]
    return np.ascontiguousarray(largest, dtype=np.float32)


def _decoded(db: Any, scope: Scope, last: int) -> Iterator[tuple[Ints, Matrix]]:
    for rows in scope.between(db, 0, last):
        ops, _, matrix = decode(rows, scope.dim)
        yield ops, matrix


def _files(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / name, folder / f"{name}.basis.npy"
