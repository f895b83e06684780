"""Vector search against plain arithmetic over the same vectors: exact, by generations, filtered, as rows change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import hnsw
from storage.database import connect, memory
from storage.errors import StoreReadOnly
from storage.exact import Scope, Tail, decode, encode, to_int8, unit
from storage.vectors import VectorIndex, drop_model

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
DIM = 24
MANY = 1_200  # enough that the graph, not its exhaustive shortcut, answers


def random_vectors(count: int, seed: int = 1, dim: int = DIM) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)


def fill(index: VectorIndex, vectors: NDArray[np.float32], first: int = 1, view: str = "text") -> None:
    """Write the vectors in one transaction."""
    index._db.execute("BEGIN")
    for seq, vector in enumerate(vectors, first):
        index.put(seq, view, vector, f"h{seq}")
    index._db.execute("COMMIT")


def by_arithmetic(
    vectors: dict[int, NDArray[np.float32]], query: NDArray[np.float32], k: int, error: float = 1e-5
) -> list[tuple[int, float]]:
    """What the search must answer, from the definition of the cosine."""
    seqs = np.array(sorted(vectors), np.int64)
    wide = np.array([vectors[seq] for seq in seqs.tolist()], np.float64).reshape(len(seqs), len(query))
    q = query.astype(np.float64)
    scores = wide @ q / np.linalg.norm(wide, axis=1) / np.linalg.norm(q) if len(seqs) else np.empty(0)
    order = np.lexsort((seqs, -scores))[:k]
    return [(int(seqs[i]), pytest.approx(float(scores[i]), abs=error)) for i in order]


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Any]:
    connection = connect(tmp_path / "mem.db")
    yield connection
    connection.close()


@pytest.fixture
def index(db: Any, tmp_path: Path) -> VectorIndex:
    return VectorIndex(db, tmp_path / "index", model="m", dim=DIM, exact_below=1_000)


def again(index: VectorIndex, db: Any, tmp_path: Path) -> VectorIndex:
    """The same index as another process opens it."""
    return VectorIndex(db, tmp_path / "index", model="m", dim=DIM, exact_below=1_000)


class TestExact:
    def test_the_nearest_come_first_with_their_cosines(self, index: VectorIndex) -> None:
        vectors = random_vectors(50)
        fill(index, vectors)
        for query in random_vectors(5, seed=2):
            assert index.search(query, 10) == by_arithmetic(dict(enumerate(vectors, 1)), query, 10)

    def test_ties_go_by_seq(self, index: VectorIndex) -> None:
        same = random_vectors(1)[0]
        for seq in (9, 3, 7, *range(10, 300)):
            index.put(seq, "text", same, "h")
        assert [seq for seq, _ in index.search(same, 5)] == [3, 7, 9, 10, 11]

    @pytest.mark.parametrize(("k", "count"), [(0, 0), (-1, 0), (3, 3), (10_000_000, 5)])
    def test_any_k(self, index: VectorIndex, k: int, count: int) -> None:
        fill(index, random_vectors(5))
        assert len(index.search(random_vectors(1)[0], k)) == count

    def test_an_empty_index_finds_nothing(self, index: VectorIndex) -> None:
        assert index.search(np.ones(DIM), 5) == []

    @pytest.mark.parametrize(
        "bad", [np.ones(DIM + 1), np.ones((1, DIM)), [float("nan")] * DIM, [float("inf")] * DIM]
    )
    def test_what_is_no_vector_is_refused(self, index: VectorIndex, bad: Any) -> None:
        with pytest.raises(ValueError, match="a vector"):
            index.put(1, "text", bad, "h")
        with pytest.raises(ValueError, match="a vector"):
            index.search(bad, 1)

    def test_a_vector_of_zeros_is_near_nothing(self, index: VectorIndex) -> None:
        index.put(1, "text", np.zeros(DIM), "h")
        assert index.search(np.ones(DIM), 1) == [(1, 0.0)]
        assert index.search(np.zeros(DIM), 1) == [(1, 0.0)]

    def test_only_allowed_rows(self, index: VectorIndex) -> None:
        vectors = random_vectors(60)
        fill(index, vectors)
        query = random_vectors(1, seed=3)[0]
        allowed = [2, 30, 31, 59, 700]
        right = by_arithmetic({seq: vectors[seq - 1] for seq in allowed if seq <= 60}, query, 3)
        assert index.search(query, 3, allowed=allowed) == right
        assert index.search(query, 3, allowed=np.array(allowed)) == right
        assert index.search(query, 3, allowed=[]) == []
        assert index.search(query, 3, allowed=[700]) == []

    def test_views_and_models_are_searched_apart(self, index: VectorIndex, db: Any) -> None:
        a, b = random_vectors(2)
        index.put(1, "text", a, "h")
        index.put(1, "context", b, "h")
        other = VectorIndex(db, None, model="other", dim=3)
        other.put(1, "text", [0, 0, 1], "h")
        assert index.search(a, 5) == [(1, 1.0)]
        assert index.search(b, 5, view="context") == [(1, 1.0)]
        assert other.search([0, 0, 2], 5) == [(1, 1.0)]


class TestRowsThatChange:
    def test_a_new_vector_replaces_the_old_one(self, index: VectorIndex) -> None:
        old, new = random_vectors(2)
        index.put(1, "text", old, "h")
        assert index.search(old, 1) == [(1, 1.0)]
        index.put(1, "text", new, "h2")
        assert index.search(new, 5) == [(1, 1.0)]

    def test_deleted_rows_are_gone_and_do_not_crowd_out_others(self, index: VectorIndex) -> None:
        vectors = random_vectors(200)
        fill(index, vectors)
        query = vectors[0]
        nearest = [seq for seq, _ in index.search(query, 150)]
        for seq in nearest[:140]:
            index.drop(seq)
        found = [seq for seq, _ in index.search(query, 20)]
        assert found[:10] == nearest[140:]
        assert not set(found) & set(nearest[:140])

    def test_what_another_connection_wrote_is_found(self, index: VectorIndex, tmp_path: Path) -> None:
        a, b = random_vectors(2)
        index.put(1, "text", a, "h")
        assert index.search(b, 1)[0][0] == 1
        other = connect(tmp_path / "mem.db")
        again(index, other, tmp_path).put(2, "text", b, "h")
        other.close()
        assert index.search(b, 1) == [(2, 1.0)]

    def test_what_was_rolled_back_is_not_found_and_its_successor_is(
        self, index: VectorIndex, db: Any
    ) -> None:
        a, b, c = random_vectors(3)
        index.put(1, "text", a, "h")
        db.execute("BEGIN IMMEDIATE")
        index.put(2, "text", b, "h")
        assert index.search(b, 1) == [(2, 1.0)]
        db.execute("ROLLBACK")
        index.put(3, "text", c, "h")  # SQLite gives it the op that was rolled back
        assert index.search(c, 1) == [(3, 1.0)]
        assert {seq for seq, _ in index.search(b, 5)} == {1, 3}

    def test_unreadable_bytes_are_passed_over(self, index: VectorIndex, db: Any) -> None:
        fill(index, random_vectors(3))
        db.execute("UPDATE vectors SET vec = x'00ff' WHERE seq = 2")
        db.execute("UPDATE vectors SET precision = 'f64' WHERE seq = 3")
        db.execute("UPDATE vectors SET vec = ? WHERE seq = 1", (b"\xff" * 4 * DIM,))  # NaN
        assert index.search(np.ones(DIM), 5) == [(1, 0.0)]
        assert index.scores(np.ones(DIM), [1, 2, 3], ["text", "context"]) == {"text": {1: 0.0}, "context": {}}


class TestPrecision:
    @pytest.mark.parametrize(
        ("precision", "size", "error"), [("f32", 4 * 384, 1e-6), ("i8", 384, 0.01), ("b1", 48, 0.2)]
    )
    def test_a_coarser_vector_is_smaller_and_still_near(
        self, precision: str, size: int, error: float
    ) -> None:
        index = VectorIndex(memory(), None, model="m", dim=384)
        vectors = random_vectors(100, dim=384)
        for seq, vector in enumerate(vectors, 1):
            index.put(seq, "text", vector, "h", precision)
        assert len(encode(unit(vectors[0], 384), precision)) == size
        for query in vectors[:10] + 0.5 * random_vectors(10, seed=9, dim=384):
            [(seq, score), *_] = index.search(query, 3)
            [(right, cosine)] = by_arithmetic(dict(enumerate(vectors, 1)), query, 1, error)
            assert (seq, score) == (right, cosine)

    def test_coarsen_never_sharpens(self, index: VectorIndex, db: Any) -> None:
        fill(index, random_vectors(3))
        assert index.coarsen([1, 2], "i8") == 2
        assert index.coarsen([1, 2], "i8") == 0
        assert index.coarsen([1], "b1") == 1
        assert index.coarsen([1], "f32") == 0
        assert dict(db.execute("SELECT seq, precision FROM vectors")) == {1: "b1", 2: "i8", 3: "f32"}

    def test_an_unknown_precision_is_refused(self, index: VectorIndex) -> None:
        with pytest.raises(ValueError, match="precision"):
            index.put(1, "text", np.ones(DIM), "h", "f16")

    @given(st.lists(st.floats(-1e6, 1e6), min_size=5, max_size=5), st.sampled_from(["f32", "i8", "b1"]))
    def test_every_vector_comes_back_close(self, numbers: list[float], precision: str) -> None:
        vector = unit(numbers, 5)
        _, _, [back] = decode([(1, 1, precision, encode(vector, precision))], 5)
        assert np.isfinite(back).all()
        if precision != "b1":
            assert np.abs(back - vector).max() < 0.01


class TestGenerations:
    @pytest.fixture
    def vectors(self) -> NDArray[np.float32]:
        return random_vectors(MANY)

    @pytest.fixture
    def built(self, index: VectorIndex, vectors: NDArray[np.float32]) -> VectorIndex:
        fill(index, vectors)
        assert index.build(NOW)
        return index

    def test_none_is_made_while_there_are_few(self, index: VectorIndex) -> None:
        fill(index, random_vectors(20))
        assert not index.due()
        assert not index.build(NOW)
        assert index.status().mode == "exact"

    def test_the_graph_answers_as_exact_search_does(
        self, built: VectorIndex, vectors: NDArray[np.float32], db: Any, tmp_path: Path
    ) -> None:
        for reader in (built, again(built, db, tmp_path)):
            assert reader.status().mode == "hnsw"
            for query in random_vectors(20, seed=5):
                assert reader.search(query, 10) == by_arithmetic(dict(enumerate(vectors, 1)), query, 10)

    def test_later_and_deleted_and_changed_rows_are_right(
        self, built: VectorIndex, vectors: NDArray[np.float32], db: Any, tmp_path: Path
    ) -> None:
        truth = dict(enumerate(vectors, 1))
        for seq, vector in enumerate(random_vectors(40, seed=7), MANY + 1):
            built.put(seq, "text", vector, "h")
            truth[seq] = vector
        db.execute("BEGIN")
        for seq in range(1, 200):
            built.drop(seq)
            del truth[seq]
        db.execute("COMMIT")
        for seq, vector in zip(range(300, 340), random_vectors(40, seed=8), strict=True):
            built.put(seq, "text", vector, "h")
            truth[seq] = vector
        for reader in (built, again(built, db, tmp_path)):
            for query in [*random_vectors(10, seed=5), vectors[4], truth[310], truth[MANY + 3]]:
                assert reader.search(query, 10) == by_arithmetic(truth, query, 10)

    @pytest.mark.parametrize("share", [1, 5, 60, 500, 1_100])
    def test_filters_of_every_size_are_right(
        self, built: VectorIndex, vectors: NDArray[np.float32], share: int
    ) -> None:
        allowed = sorted(np.random.default_rng(share).choice(MANY, share, replace=False) + 1)
        truth = {int(seq): vectors[seq - 1] for seq in allowed}
        for query in random_vectors(8, seed=6):
            assert built.search(query, 10, allowed=allowed) == by_arithmetic(truth, query, 10)

    def test_a_filter_that_points_away_from_the_question_is_right(
        self, built: VectorIndex, vectors: NDArray[np.float32]
    ) -> None:
        query = random_vectors(1, seed=6)[0]
        for count in (400, 900):  # the graph is asked first where most rows are allowed
            far = [seq for seq, _ in built.search(query, MANY)[-count:]]
            truth = {seq: vectors[seq - 1] for seq in far}
            assert built.search(query, 10, allowed=far) == by_arithmetic(truth, query, 10)

    def test_a_graph_that_reaches_too_few_is_passed_over(self, vectors: NDArray[np.float32]) -> None:
        hnswlib = pytest.importorskip("hnswlib")
        few = hnswlib.Index(space="l2", dim=DIM)
        few.init_index(max_elements=50)
        few.add_items(vectors[:50], np.arange(1, 51))
        all_ops = np.arange(1, MANY + 1)
        generation = hnsw.Generation(1, "", MANY, MANY, "")
        graph = hnsw.Graph(generation, few, np.eye(DIM, dtype=np.float32), all_ops, all_ops, to_int8(vectors))
        query = unit(random_vectors(1, seed=5)[0], DIM)
        right = by_arithmetic(dict(enumerate(vectors, 1)), query, 3)
        assert {seq for seq, _ in right} <= set(graph.propose(query, 10, None).tolist())

    def test_unreadable_vectors_are_left_out_of_a_generation(
        self, index: VectorIndex, vectors: NDArray[np.float32], db: Any
    ) -> None:
        fill(index, vectors)
        db.execute("UPDATE vectors SET vec = x'00' WHERE seq <= ?", (hnsw.SLICE,))
        assert index.build(NOW)
        query = random_vectors(1, seed=5)[0]
        rest = dict(enumerate(vectors[hnsw.SLICE :], hnsw.SLICE + 1))
        assert index.search(query, 10) == by_arithmetic(rest, query, 10)

    def test_a_generation_of_nothing(self, built: VectorIndex, db: Any, tmp_path: Path) -> None:
        db.execute("DELETE FROM vectors")
        assert built.build(NOW)
        for reader in (built, again(built, db, tmp_path)):
            assert (reader.status().mode, reader.status().gone) == ("hnsw", 0)
            assert reader.search(np.ones(DIM), 3) == []
        fill(built, random_vectors(3))
        assert [seq for seq, _ in built.search(np.ones(DIM), 3, allowed=[1, 2])] != []

    def test_a_model_goes_in_steps_and_its_index_with_the_last(
        self, built: VectorIndex, db: Any, tmp_path: Path
    ) -> None:
        assert drop_model(db, tmp_path / "index", "m", MANY - 1) == MANY - 1
        assert list((tmp_path / "index").iterdir())
        assert drop_model(db, tmp_path / "index", "m", MANY - 1) == 1
        assert not list((tmp_path / "index").iterdir())
        assert built.search(np.ones(DIM), 3) == []

    def test_k_above_the_count_gives_all(self, built: VectorIndex) -> None:
        assert len(built.search(np.ones(DIM), 10_000_000)) == MANY

    def test_threads_share_one_graph_and_see_what_another_built(
        self, vectors: NDArray[np.float32], db: Any, tmp_path: Path
    ) -> None:
        graphs = hnsw.Graphs()
        one, two = (
            VectorIndex(db, tmp_path / "index", model="m", dim=DIM, exact_below=1_000, graphs=graphs)
            for _ in range(2)
        )
        fill(one, vectors)
        assert two.status().mode == "exact"
        assert one.build(NOW)
        query = random_vectors(1, seed=5)[0]
        assert two.search(query, 10) == one.search(query, 10)
        assert two.status() == one.status()
        [generation] = hnsw.generations(db, Scope("m", "text", DIM))
        folder = tmp_path / "index"
        scope = Scope("m", "text", DIM)
        assert graphs.load(folder, generation, scope) is graphs.load(folder, generation, scope)
        fill(one, random_vectors(300, seed=9), first=MANY + 1)
        assert one.build(NOW)  # on a copy: the graph that is shared does not grow under who searches it
        assert two.search(query, 10) == one.search(query, 10)

    def test_the_same_vectors_make_the_same_graph(self, vectors: NDArray[np.float32], tmp_path: Path) -> None:
        hashes = set()
        for name in ("a", "b"):
            db = memory()
            index = VectorIndex(db, tmp_path / name, model="m", dim=DIM, exact_below=1_000)
            fill(index, vectors)
            assert index.build(NOW)
            hashes |= {g.sha256 for g in hnsw.generations(db, Scope("m", "text", DIM))}
        assert len(hashes) == 1

    def test_thousands_of_equal_vectors_hide_nothing(self, index: VectorIndex) -> None:
        fill(index, np.tile(random_vectors(1), (1_100, 1)))
        others = random_vectors(100, seed=3)
        fill(index, others, first=2_000)
        assert index.build(NOW)
        for n, other in enumerate(others[:20]):
            assert index.search(other, 3)[0] == (2_000 + n, 1.0)
        assert [score for _, score in index.search(random_vectors(1)[0], 50)] == [1.0] * 50

    def test_it_grows_by_what_is_new_and_starts_anew_when_much_is_gone(
        self, built: VectorIndex, vectors: NDArray[np.float32], db: Any, tmp_path: Path
    ) -> None:
        assert not built.due()
        later = random_vectors(150, seed=7)
        fill(built, later, first=MANY + 1)
        assert built.build(NOW)
        assert built.status() == again(built, db, tmp_path).status()
        assert (built.status().indexed, built.status().tail, built.status().gone) == (MANY + 150, 0, 0)
        truth = dict(enumerate([*vectors, *later], 1))
        for query in [*random_vectors(10, seed=5), later[3]]:
            assert built.search(query, 10) == by_arithmetic(truth, query, 10)
        db.execute("DELETE FROM vectors WHERE seq < 300")
        assert built.due()
        assert built.build(NOW)
        assert (built.status().indexed, built.status().gone) == (MANY + 150 - 299, 0)
        assert len(list((tmp_path / "index").iterdir())) == 2 * hnsw.KEPT

    def test_a_build_that_is_stopped_keeps_what_it_reached_and_goes_on_next_time(
        self, index: VectorIndex, vectors: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(hnsw, "SLICE", 300)
        fill(index, vectors)
        assert index.build(NOW, stop=lambda: True)
        assert (index.status().indexed, index.status().tail) == (300, MANY - 300)
        query = random_vectors(1, seed=5)[0]
        assert index.search(query, 10) == by_arithmetic(dict(enumerate(vectors, 1)), query, 10)
        while index.due():
            assert index.build(NOW)
        assert index.status().tail <= 100

    def test_long_vectors_are_shortened_in_the_graph_alone(self, db: Any, tmp_path: Path) -> None:
        index = VectorIndex(db, tmp_path / "index", model="m", dim=256, exact_below=1_000)
        few = random_vectors(60, dim=256)  # a space of fewer directions, as real embeddings are
        vectors = random_vectors(1_500, seed=2, dim=60) @ few
        fill(index, vectors)
        assert index.build(NOW)
        for query in random_vectors(5, seed=3, dim=60) @ few:
            assert index.search(query, 10) == by_arithmetic(dict(enumerate(vectors, 1)), query, 10)

    def test_without_a_folder_or_hnswlib_search_is_exact(
        self,
        built: VectorIndex,
        db: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        query = random_vectors(1, seed=5)[0]
        right = built.search(query, 10)
        nowhere = VectorIndex(db, None, model="m", dim=DIM, exact_below=10)
        assert not nowhere.due()
        assert not nowhere.build(NOW)
        assert nowhere.search(query, 10) == right
        monkeypatch.setattr(hnsw, "installed", lambda: False)
        without = again(built, db, tmp_path)
        assert without.search(query, 10) == right
        assert without.status().mode == "exact"

    @pytest.mark.parametrize(
        "point", ["index.add", "file.fsync", "file.rename", "file.write", "index.row", "index.sweep"]
    )
    def test_a_failing_disk_changes_no_answer(
        self,
        built: VectorIndex,
        db: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        point: str,
    ) -> None:
        fill(built, random_vectors(150, seed=7), first=MANY + 1)
        query = random_vectors(1, seed=5)[0]
        right = built.search(query, 10)
        monkeypatch.setenv("MEM_FAULT", f"{point}:ENOSPC")
        with pytest.raises((StoreReadOnly, OSError)):
            built.build(NOW)
        monkeypatch.delenv("MEM_FAULT")
        assert built.search(query, 10) == right
        assert again(built, db, tmp_path).search(query, 10) == right
        assert built.build(NOW)
        assert built.search(query, 10) == right


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "drop", "search", "roll back", "reopen"]), st.integers(1, 12)),
        max_size=40,
    )
)
def test_any_walk_of_changes_gives_the_answers_of_a_dictionary(steps: list[tuple[str, int]]) -> None:
    db = memory()
    index = VectorIndex(db, None, model="m", dim=4)
    rows: dict[int, NDArray[np.float32]] = {}
    random = np.random.default_rng(0)
    for verb, seq in steps:
        vector = random.standard_normal(4).astype(np.float32)
        if verb == "put":
            index.put(seq, "text", vector, "h")
            rows[seq] = vector
        elif verb == "drop":
            index.drop(seq)
            rows.pop(seq, None)
        elif verb == "roll back":
            db.execute("BEGIN")
            index.put(seq, "text", vector, "h")
            index.search(vector, 3)
            db.execute("ROLLBACK")
        elif verb == "reopen":
            index = VectorIndex(db, None, model="m", dim=4)
        assert index.search(vector, 5) == by_arithmetic(rows, vector, 5)
    db.close()


def test_the_tail_takes_in_only_what_is_new() -> None:
    db = memory()
    index = VectorIndex(db, None, model="m", dim=4)
    fill(index, random_vectors(5, dim=4))
    tail = Tail(db, Scope("m", "text", 4), floor=3)
    tail.refresh()
    assert len(tail) == 2
    index.put(9, "context", np.ones(4), "h")
    index.put(9, "text", np.ones(4), "h")
    tail.refresh()
    assert len(tail) == 3
    db.close()


def test_rows_that_come_in_several_batches_all_come(
    index: VectorIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.exact.BATCH", 7)
    vectors = random_vectors(20)
    fill(index, vectors)
    query = random_vectors(1, seed=2)[0]
    assert index.search(query, 20) == by_arithmetic(dict(enumerate(vectors, 1)), query, 20)


def test_pages_given_back_to_the_system_are_read_again(
    db: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hnsw, "LARGE", 0)
    index = VectorIndex(db, tmp_path / "index", model="m", dim=DIM, exact_below=100)
    vectors = random_vectors(MANY)
    fill(index, vectors)
    assert index.build(NOW)
    query = random_vectors(1, seed=2)[0]
    answers = [index.search(query, 5) for _ in range(2 * hnsw.HELD)]
    assert answers == [by_arithmetic(dict(enumerate(vectors, 1)), query, 5)] * len(answers)
