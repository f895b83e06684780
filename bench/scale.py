"""Recall as the store grows: each part beside the bare library, on the same data, in the same run.

    python -m bench.scale [SIZES] [--queries 200] [--folder KEEP]        SIZES: 1k,10k,100k (default), 1m

Words are made up, with frequencies that fall as in speech. Vectors lie between pairs of embeddings of real sentences
(to embed a million takes hours and would measure the embedder); without embedder or sentences, they are directions
of a space whose variances fall as theirs do. Recall runs with an embedder that gives prepared vectors at once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from storage.records import Kind, Record, Source
from storage.store import Store

DIM = 384
MODEL = "prepared"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
K, MANY = 10, 100  # recall is told at both; a channel is asked for MANY
BATCH = 5_000
SEEDS = 3_000  # sentences that are really embedded


def main() -> None:
    """Measure every size given, each in a process of its own, and print one table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", nargs="?", default="1k,10k,100k")
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="keep the stores here and use them again")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        step, size = given.one.split(":")
        {"fill": fill, "ours": ours, "raw": raw}[step](given.folder, int(size), given.queries)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        for size in map(parse, given.sizes.split(",")):
            print(f"\n### {size:,} memories", flush=True)
            (folder / str(size)).mkdir(parents=True, exist_ok=True)
            for step in ("fill", "ours", "raw"):
                command = [sys.executable, "-m", "bench.scale", "--one", f"{step}:{size}"]
                command += ["--folder", str(folder / str(size)), "--queries", str(given.queries)]
                subprocess.run(command, check=True)


def parse(word: str) -> int:
    """10k, 1m or a plain number."""
    scale = {"k": 1_000, "m": 1_000_000}.get(word[-1].lower(), 1)
    return int(float(word.rstrip("kKmM")) * scale)


def report(name: str, value: str) -> None:
    """One line of the table."""
    print(f"{name:<52} {value}", flush=True)


# -- data ------------------------------------------------------------------------------------------


class Words:
    """Sentences such as a person says, from made-up words with Zipf frequencies around a few topics."""

    def __init__(self, seed: int = 1) -> None:
        self._random = np.random.default_rng(seed)
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]
        picked = self._random.integers(0, len(syllables), (20_000, 3))
        self._words = np.array(["".join(syllables[i] for i in row) for row in picked])
        common = "i you the a to and we it was in of my that is for on with at have had went said not but so"
        self._words[: len(common.split())] = common.split()
        weights = 1 / np.arange(1, len(self._words) + 1)
        self._share = (weights / weights.sum()).cumsum()

    def sentences(self, count: int) -> list[str]:
        """`count` sentences of 6 to 24 words."""
        lengths = self._random.integers(6, 25, count)
        flat = self._words[
            np.minimum(self._share.searchsorted(self._random.random(int(lengths.sum()))), 19_999)
        ]
        return [" ".join(part) for part in np.split(flat, lengths.cumsum()[:-1])]


def seeds() -> np.ndarray:
    """Embeddings of real sentences, (SEEDS, DIM), or what stands in for them."""
    from app.config import find_home
    from bench.embed import sentences
    from models.errors import ModelError
    from models.open import open_embedder

    texts = sentences(SEEDS)
    try:
        embedder = open_embedder("minilm-int8", find_home().models)
    except ModelError:
        return low_rank(SEEDS)
    return np.array(embedder.embed([text[:150] for text in texts])) if texts else low_rank(SEEDS)


def low_rank(count: int) -> np.ndarray:
    """Directions whose variance falls like that of sentence embeddings (64 components hold about half)."""
    random = np.random.default_rng(7)
    scale = (1 + np.arange(DIM) / 20.0) ** -0.75
    return unit(random.standard_normal((count, DIM)) * scale)


def unit(matrix: np.ndarray) -> np.ndarray:
    """Rows at length one, float32."""
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def mixed(base: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` vectors, each between two of `base` with a little noise."""
    random = np.random.default_rng(seed)
    i, j = random.integers(0, len(base), (2, count))
    share = random.uniform(0.5, 1, (count, 1)).astype(np.float32)
    noise = random.standard_normal((count, DIM)).astype(np.float32) * 0.015
    return unit(share * base[i] + (1 - share) * base[j] + noise)


def batches(base: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """(number of the first memory, vectors) of every batch, made anew each time it is asked for."""
    for start in range(0, size, BATCH):
        yield start, mixed(base, min(BATCH, size - start), start)


class Prepared:
    """An Embedder whose vectors are there already: recall's own time is what remains."""

    name = MODEL
    dim = DIM

    def __init__(self, vectors: np.ndarray) -> None:
        self._vectors = iter(vectors)

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        return np.array([next(self._vectors) for _ in texts])

    def close(self) -> None:
        """Nothing is held."""


# -- the three steps, each in its own process ---------------------------------------------------------


def fill(folder: Path, size: int, queries: int) -> None:
    """Write the store and its index, the questions, and what is right for them."""
    if (folder / "truth.npy").exists():
        return
    base = seeds()
    asked = mixed(base, queries, 10**9)
    np.savez(folder / "questions.npz", base=base, asked=asked)
    words = Words()
    started = time.perf_counter()
    best = np.full((queries, 0), 0.0), np.zeros((queries, 0), np.int64)
    truth_seconds = 0.0
    with Store(folder / "mem.db") as store:
        for start, vectors in batches(base, size):
            add(store, start, words.sentences(len(vectors)), vectors)
            began = time.perf_counter()
            best = better(*best, asked @ vectors.T, np.arange(start, start + len(vectors)) + 1)
            truth_seconds += time.perf_counter() - began
        seconds = time.perf_counter() - started - truth_seconds
        report("write: text, full text, vector, journal", f"{size / seconds:,.0f} memories/s")
        began = time.perf_counter()
        if store.vectors(MODEL, DIM).build(NOW):
            report("build a generation of the index", f"{time.perf_counter() - began:.1f} s")
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    on_disk = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    report("on disk, index included", f"{on_disk / size:,.0f} bytes a memory")
    np.save(folder / "truth.npy", best[1])


def add(store: Store, start: int, texts: list[str], vectors: np.ndarray) -> None:
    """One transaction of memories, sessions of 20 turns between two people, one turn a minute."""
    index = store.vectors(MODEL, DIM)
    with store.atomic("import", NOW):
        records = store.insert(
            Record(
                Kind.EPISODIC,
                text,
                Source.IMPORTED,
                Source.IMPORTED,
                event_time=(at := NOW - timedelta(minutes=10**6 - start - n)),
                recorded_at=at,
                speaker=("Ada", "Ben")[n % 2],
                session=f"s{(start + n) // 20}",
            )
            for n, text in enumerate(texts)
        )
        for record, vector in zip(records, vectors, strict=True):
            index.put(record.seq, "text", vector, str(record.seq))


def better(
    scores: np.ndarray, seqs: np.ndarray, more: np.ndarray, more_seqs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The MANY best of what was found so far and of one batch more, best first."""
    scores = np.hstack([scores, more])
    seqs = np.hstack([seqs, np.broadcast_to(more_seqs, more.shape)])
    order = np.argsort(-scores, axis=1, kind="stable")[:, :MANY]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(seqs, order, 1)


def ours(folder: Path, size: int, queries: int) -> None:
    """Open the store as a command does, and ask it."""
    asked = np.load(folder / "questions.npz")["asked"][:queries]
    truth = np.load(folder / "truth.npy")
    started = time.perf_counter()
    store = Store(folder / "mem.db")
    index = store.vectors(MODEL, DIM)
    index.search(asked[0], MANY)
    report("open and answer once, imports not counted", f"{time.perf_counter() - started:.2f} s")
    report("search: exact or hnsw", index.status().mode)
    reached = []
    for k in (K, MANY):
        found = [[seq for seq, _ in index.search(vector, k)] for vector in asked]
        reached.append(share(found, truth, k))
        report(f"dense channel: recall@{k} against exact search", f"{reached[-1]:.4f}")
        report_times(f"dense channel: search for {k}", [lambda v=v, k=k: index.search(v, k) for v in asked])
    np.save(folder / "found.npy", reached)
    for part in (0.001, 0.01, 0.1, 0.5):
        allowed = np.sort(np.random.default_rng(3).choice(size, max(1, int(size * part)), replace=False)) + 1
        report_times(
            f"dense channel, {part:.1%} of the rows allowed",
            [lambda v=v, a=allowed: index.search(v, MANY, allowed=a) for v in asked[:50]],
        )
    report("resident memory, dense alone", f"{resident():,.0f} MB")
    whole_recall(store, asked)
    store.close()


def whole_recall(store: Store, asked: np.ndarray) -> None:
    """Questions of five words through every channel, and full text alone on the same questions."""
    from app.recall.recall import Query, Recall
    from app.recall.words import match_any

    texts = [" ".join(text.split()[:6]) for text in Words(seed=2).sentences(len(asked))]
    recall = Recall(store, Prepared(asked))
    report_times("whole recall, without embedding", [lambda t=t: recall.recall(Query(t, NOW)) for t in texts])
    matches = [match_any(recall.analyse(Query(text, NOW)).terms, None) for text in texts]
    matches = [match for match in matches if match]
    report_times("full-text channel", [lambda m=m: store.search_text(m, MANY) for m in matches])
    bare = "SELECT rowid FROM records_fts WHERE records_fts MATCH ? ORDER BY rank LIMIT ?"
    report_times(
        "bare FTS5, the same expressions",
        [lambda m=m: store.connection.execute(bare, (m, MANY)).fetchall() for m in matches],
    )
    report("resident memory, after whole recall", f"{resident():,.0f} MB")


def raw(folder: Path, size: int, queries: int) -> None:
    """hnswlib alone on the same vectors, float32, as wide a search as equals the recall of the dense channel."""
    import hnswlib

    saved = np.load(folder / "questions.npz")
    truth = np.load(folder / "truth.npy")
    index = hnswlib.Index(space="ip", dim=DIM)
    kept = folder / "bare.hnsw"
    if kept.exists():
        index.load_index(str(kept))
    else:
        index.init_index(max_elements=size, ef_construction=200, M=16, random_seed=1)
        started = time.perf_counter()
        for start, vectors in batches(saved["base"], size):
            index.add_items(vectors, np.arange(start, start + len(vectors)) + 1)
        report("bare hnswlib: build", f"{time.perf_counter() - started:.1f} s")
        index.save_index(str(kept))
    asked = saved["asked"][:queries]
    for k, wanted in zip((K, MANY), np.load(folder / "found.npy").tolist(), strict=True):
        for width in (k, 20, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800):
            index.set_ef(max(width, k))
            found = [index.knn_query(v, k=k, num_threads=1)[0][0].tolist() for v in asked]
            if share(found, truth, k) >= wanted - 0.001:
                break
        report(f"bare hnswlib: recall@{k} at ef {width}", f"{share(found, truth, k):.4f}")
        calls = [lambda v=v, k=k: index.knn_query(v, k=k, num_threads=1) for v in asked]
        report_times(f"bare hnswlib: search for {k}", calls)
    report("bare hnswlib: resident memory", f"{resident():,.0f} MB")


# -- measuring ---------------------------------------------------------------------------------------


def share(found: list[list[int]], truth: np.ndarray, k: int) -> float:
    """recall@k: how much of what is right was found among the first k."""
    right = [
        len(set(a[:k]) & set(b[:k].tolist())) / min(k, len(b)) for a, b in zip(found, truth, strict=False)
    ]
    return float(np.mean(right))


def report_times(name: str, calls: Sequence[Callable[[], object]]) -> None:
    """p50 and p95 of the calls after one that warms up; the processor's time tells more on a busy machine."""
    calls[0]()
    wall, busy = [], []
    for call in calls[1:]:
        started, began = time.perf_counter(), time.thread_time()
        call()
        busy.append(1000 * (time.thread_time() - began))
        wall.append(1000 * (time.perf_counter() - started))
    values = (*np.percentile(wall, [50, 95]), *np.percentile(busy, [50, 95]))
    report(name, "p50 {:6.2f}, p95 {:6.2f} ms; processor {:6.2f}, {:6.2f}".format(*values))


def resident() -> float:
    """This process's memory now, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1000
    return float("nan")


if __name__ == "__main__":
    main()
