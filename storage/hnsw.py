"""Index generations: an HNSW graph over shortened vectors beside int8 copies of the whole ones.

hnswlib crashes on damaged bytes and holds float32 alone. So no file is loaded whose seal does not match, the
graph holds the first principal components (a quarter of the memory) and only proposes, the int8 copies are mapped
from their file, and the vectors in the table decide.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import struct
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from weakref import WeakValueDictionary

from storage.exact import Scope, best, decode, inside, to_int8
from storage.files import fault, make_private, replacing, sha256
from storage.files import sweep as sweep_temporary
from storage.rows import to_text

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from storage.exact import Ints, Matrix, Vector

WIDTH = 64  # components in the graph: two views of a million memories fit into a gigabyte
# The graph proposes so many times what is wanted; recall@10 is then .99 of exact search.
REACH, LEAST_REACH = 5, 200
SAMPLE = 20_000  # vectors that the components are computed from
LINKS, BUILD_WIDTH = 16, 200  # hnswlib's M and ef_construction
SEED = 100
KEPT = 2  # generations that stay on disk
SLICE = 1_000  # vectors added between two looks at the clock
BLOCK = 4_096  # int8 rows scored at a time
HELD, LARGE = 4, 1 << 27  # after so many searches the pages of a map of so many bytes are given back
HEADER = struct.Struct("<8sII")  # magic, dim, width
MAGIC = b"memrows1"


@dataclass(frozen=True, slots=True)
class Generation:
    """One row of `generations`. `watermark` is the last op inside; the seal of files and row is kept as `sha256`."""

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
    """A loaded generation, for any number of threads. Row i of its arrays belongs to op `ops[i]`; ops ascend."""

    def __init__(
        self,
        generation: Generation,
        index: Any,
        basis: Matrix,
        ops: Ints,
        seqs: Ints,
        copies: NDArray[np.int8],
        mapped: mmap.mmap | None = None,
    ) -> None:
        """`basis` is (dim, width); `copies` is (n, dim) and lies in `mapped`, the rows file."""
        self.generation = generation
        self.index = index
        self.basis = basis
        self.ops = ops
        self.seqs = seqs
        self.copies = copies
        self._mapped = mapped
        self._asked = 0
        self._lock = threading.Lock()  # the width of a search is a setting of the whole index

    @cached_property
    def _by_seq(self) -> Ints:
        return self.seqs.argsort(kind="stable")

    @cached_property
    def _in_order(self) -> Ints:
        return self.seqs[self._by_seq]

    def propose(self, query: Vector, many: int, allowed: Ints | None) -> Ints:
        """Seqs of about the `many` nearest vectors, among the seqs in `allowed` (ascending) if given; fewer only
        where there are no more.
        """
        rows = self._near(query, many) if allowed is None else self._near_among(query, many, allowed)
        found = self.seqs[rows[best(self._scores(rows, query), many)]]
        self._asked += 1
        if self._mapped is not None and len(self._mapped) > LARGE and self._asked % HELD == 0:
            self._mapped.madvise(mmap.MADV_DONTNEED)
        return found

    def _near(self, query: Vector, many: int) -> Ints:
        import numpy as np

        reach = max(LEAST_REACH, REACH * many)
        if reach >= len(self.ops):
            return np.arange(len(self.ops))
        try:
            with self._lock:
                self.index.set_ef(reach)  # load_index resets it to 10
                labels, _ = self.index.knn_query(query[None, :] @ self.basis, k=reach, num_threads=1)
        except RuntimeError:  # the graph reaches fewer than asked, as among thousands of equal vectors
            return np.arange(len(self.ops))
        return _positions(self.ops, labels[0].astype(np.int64))

    def _near_among(self, query: Vector, many: int, allowed: Ints) -> Ints:
        # Looking at every allowed row costs len(allowed); asking the graph for enough of them costs
        # many * size / len(allowed).
        size = len(self.ops)
        wanted = many
        while len(allowed) * len(allowed) > 4 * REACH * wanted * size and wanted * REACH < size // 8:
            wanted = max(wanted, wanted * size // len(allowed))
            rows = self._near(query, wanted)
            rows = rows[inside(self.seqs[rows], allowed)]
            if len(rows) >= many:
                return rows
            wanted *= 4
        # The last of equal seqs is the newest op of that row.
        at = self._in_order.searchsorted(allowed[inside(allowed, self._in_order)], "right") - 1
        return self._by_seq[at]

    def _scores(self, rows: Ints, query: Vector) -> NDArray[np.float32]:
        """Cosines of the int8 copies with `query`."""
        import numpy as np

        scores = np.empty(len(rows), np.float32)
        for start in range(0, len(rows), BLOCK):
            codes = self.copies[rows[start : start + BLOCK]].astype(np.float32)
            lengths = np.sqrt(np.einsum("ij,ij->i", codes, codes))
            scores[start : start + BLOCK] = codes @ query / np.where(lengths > 0, lengths, 1)
        return scores


class Graphs:
    """The loaded generations of a process, each once, however many stores search it; freed with its last user."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: WeakValueDictionary[tuple[Path, Generation], Graph] = WeakValueDictionary()

    def load(self, folder: Path, generation: Generation, scope: Scope) -> Graph | None:
        """As `load` does, from memory where it is there already."""
        name = folder, generation
        with self._lock:
            graph = self._loaded.get(name) or load(folder, generation, scope)
            if graph is not None:
                self._loaded[name] = graph
            return graph


def load(folder: Path, generation: Generation, scope: Scope) -> Graph | None:
    """The generation's graph, or None where it, its row or a file is not what was written. hnswlib must be there."""
    try:
        graph_file, rows_file = _files(folder, generation.file)
        if _seal(scope, generation.count, generation.watermark, graph_file, rows_file) != generation.sha256:
            return None
        with rows_file.open("rb") as file:
            parts = _read_rows(file, generation.count, scope.dim)
        import hnswlib

        index = hnswlib.Index(space="l2", dim=parts[0].shape[1])
        index.load_index(str(graph_file))
        return Graph(generation, index, *parts)
    except (OSError, ValueError, RuntimeError, struct.error):
        return None


def build(
    db: Any,
    folder: Path,
    scope: Scope,
    base: Graph | None,
    last: int,
    stop: Callable[[], bool],
) -> Generation:
    """Write a generation of every vector with op <= `last`, or of the oldest of them once `stop` says so.

    With `base`, which is used up by it, only what came after it is added. The row is not written: see `remember`.
    No transaction is open. Raises StoreReadOnly where the disk does not take it; older generations stay as they are.
    """
    import numpy as np

    make_private(folder)
    sweep_temporary(folder)
    watermark = base.generation.watermark if base else 0
    basis = base.basis if base else principal(_sample(db, scope, last))
    none = np.empty(0, np.int64)
    ops, seqs = ([base.ops], [base.seqs]) if base else ([none], [none])
    index = _index(base, basis.shape[1], scope.count(db, last))
    name = next(n for i in count(1) if not (folder / (n := f"{scope.view}-{last}-{i}.hnsw")).exists())
    graph_file, rows_file = _files(folder, name)
    with replacing(rows_file) as rows_path, replacing(graph_file) as graph_path:
        with rows_path.open("wb") as file:
            file.write(HEADER.pack(MAGIC, *basis.shape) + basis.tobytes())
            if base:
                base.copies.tofile(file)
            for new_ops, new_seqs, matrix in _slices(db, scope, watermark, last):
                fault("index.add")
                # One thread: the same vectors give the same graph, and equal ones do not shut each other off.
                index.add_items(matrix @ basis, new_ops, num_threads=1)
                file.write(to_int8(matrix).tobytes())
                ops.append(new_ops)
                seqs.append(new_seqs)
                watermark = int(new_ops[-1])
                if stop():
                    break
            else:
                watermark = last
            all_ops = np.concatenate(ops)
            file.write(all_ops.tobytes() + np.concatenate(seqs).tobytes())
        index.save_index(str(graph_path))
        seal = _seal(scope, len(all_ops), watermark, graph_path, rows_path)
    return Generation(0, name, len(all_ops), watermark, seal)


def remember(db: Any, scope: Scope, new: Generation, now: datetime) -> None:
    """The row that makes a written generation known, in the caller's transaction."""
    fault("index.row")
    db.execute(
        "INSERT INTO generations (file, model, view, dim, count, watermark, sha256, created_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (new.file, scope.model, scope.view, scope.dim, new.count, new.watermark, new.sha256, to_text(now)),
    )


def sweep(db: Any, folder: Path, scope: Scope) -> None:
    """Remove all but the newest generations, rows and files, in the caller's transaction."""
    fault("index.sweep")
    _remove(db, folder, [(old.id, old.file) for old in generations(db, scope)[KEPT:]])


def remove(db: Any, folder: Path, model: str) -> None:
    """Remove every generation of a model, rows and files, in the caller's transaction."""
    _remove(db, folder, db.execute("SELECT id, file FROM generations WHERE model = ?", (model,)).fetchall())


def _remove(db: Any, folder: Path, old: Iterable[tuple[int, str]]) -> None:
    for id, file in old:
        db.execute("DELETE FROM generations WHERE id = ?", (id,))
        with suppress(ValueError):
            for path in _files(folder, file):
                path.unlink(missing_ok=True)


def principal(matrix: Matrix) -> Matrix:
    """The directions of most variance as columns, shape (dim, WIDTH), or (dim, dim) where dim is no larger."""
    import numpy as np

    dim = matrix.shape[1]
    if dim <= WIDTH or not len(matrix):
        return np.eye(dim, dtype=np.float32)
    wide = matrix.astype(np.float64)
    _, directions = np.linalg.eigh(wide.T @ wide)
    return np.ascontiguousarray(directions[:, ::-1][:, :WIDTH], dtype=np.float32)


def _sample(db: Any, scope: Scope, last: int) -> Matrix:
    # An odd step, so that views whose ops alternate are both met.
    step = max(1, scope.count(db, last) // SAMPLE) | 1
    return decode(scope.rows(db, "op <= ? AND op % ? = 0", last, step), scope.dim)[2]


def _index(base: Graph | None, width: int, room: int) -> Any:
    import hnswlib

    if base is not None:
        base.index.resize_index(len(base.ops) + room)
        return base.index
    index = hnswlib.Index(space="l2", dim=width)
    index.init_index(max_elements=max(room, 1), ef_construction=BUILD_WIDTH, M=LINKS, random_seed=SEED)
    return index


def _slices(db: Any, scope: Scope, after: int, until: int) -> Iterator[tuple[Ints, Ints, Matrix]]:
    for rows in scope.between(db, after, until):
        for start in range(0, len(rows), SLICE):
            part = decode(rows[start : start + SLICE], scope.dim)
            if len(part[0]):
                yield part


def _read_rows(
    file: BinaryIO, count: int, dim: int
) -> tuple[Matrix, Ints, Ints, NDArray[np.int8], mmap.mmap | None]:
    """(basis, ops, seqs, copies, their map) of a rows file whose seal fits."""
    import numpy as np

    _, _, width = HEADER.unpack(file.read(HEADER.size))
    start = HEADER.size + 4 * dim * width
    basis = np.frombuffer(file.read(4 * dim * width), np.float32).reshape(dim, width)
    file.seek(start + count * dim)
    ops, seqs = np.frombuffer(file.read(16 * count), np.int64).reshape(2, count)
    if not count:
        return basis, ops, seqs, np.empty((0, dim), np.int8), None
    mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    copies = np.frombuffer(mapped, np.int8, count * dim, start).reshape(count, dim)
    return basis, ops, seqs, copies, mapped


def _positions(ops: Ints, labels: Ints) -> Ints:
    """Where each label stands in the ascending `ops`; labels that are not there are left out."""
    known = labels[inside(labels, ops)]
    return ops.searchsorted(known)


def _seal(scope: Scope, count: int, watermark: int, *paths: Path) -> str:
    """The hash of the files and of all that their row says of them.

    The files are read side by side, as this is most of what opening a large index takes.
    """
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(paths)) as pool:
        parts = [MAGIC, scope.model, scope.view, scope.dim, count, watermark, *pool.map(sha256, paths)]
    return hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()


def _files(folder: Path, name: str) -> tuple[Path, Path]:
    """The graph and its rows. Raises ValueError on a name that no generation has: a damaged row may hold any."""
    if not re.fullmatch(r"[\w-]+\.hnsw", str(name)):
        raise ValueError(f"{name!r} is no index file")
    return folder / name, folder / f"{name}.rows"
