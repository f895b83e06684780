"""Recall as the store grows: each part beside the bare library, on the same data, in the same run.

    python -m bench.scale [SIZES] [--queries 200] [--folder KEEP]        SIZES: 1k,10k,100k (default), 1m

Memories are made up (bench/made.py says how); half of them are talk between people and have a second view. Recall runs
with an embedder that gives prepared vectors at once.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from app.recall.context import views_of
from bench.made import DIM, MODEL, NOW, Prepared, Words, add, batches, low_rank, mixed, seeds
from storage.records import EVERYTHING, Filter
from storage.search import Among, any_of
from storage.store import Store

K, MANY = 10, 100  # recall is told at both; a channel is asked for MANY


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
        steps = {"write": write, "index": index, "first": first, "ours": ours, "raw": raw}
        steps[step](given.folder, int(size), given.queries)
        return
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        for size in map(parse, given.sizes.split(",")):
            print(f"\n### {size:,} memories", flush=True)
            (folder / str(size)).mkdir(parents=True, exist_ok=True)
            for step in ("write", "index", "first", "ours", "raw"):
                command = [sys.executable, "-m", "bench.scale", "--one", f"{step}:{size}"]
                command += ["--folder", str(folder / str(size)), "--queries", str(given.queries)]
                began = time.perf_counter()
                subprocess.run(command, check=True)
                if step == "first":
                    report("start of a process to its first answer", f"{time.perf_counter() - began:.2f} s")
        importing()


def parse(word: str) -> int:
    """10k, 1m or a plain number."""
    scale = {"k": 1_000, "m": 1_000_000}.get(word[-1].lower(), 1)
    return int(float(word.rstrip("kKmM")) * scale)


def report(name: str, value: str) -> None:
    """One line of the table."""
    print(f"{name:<52} {value}", flush=True)


# -- the steps, each in its own process ---------------------------------------------------------


def write(folder: Path, size: int, queries: int) -> None:
    """Write the store, the questions, and what is right for them."""
    if (folder / "truth.npy").exists():
        return
    base = seeds()
    asked = mixed(base, queries, 10**9)
    np.savez(folder / "questions.npz", base=base, asked=asked)
    words = Words()
    best = np.full((queries, 0), 0.0), np.zeros((queries, 0), np.int64)
    spent = 0.0
    with Store(folder / "mem.db") as store:
        for start, vectors in batches(base, size):
            texts = words.sentences(start, len(vectors))
            began = time.perf_counter()
            add(store, start, texts, vectors)
            spent += time.perf_counter() - began
            best = better(*best, asked @ vectors.T, np.arange(start, start + len(vectors)) + 1)
        report("write: text, full text, vectors, journal", f"{size / spent:,.0f} memories/s")
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    np.save(folder / "truth.npy", best[1])


def index(folder: Path, size: int, queries: int) -> None:  # noqa: ARG001  the steps are called alike
    """Build the generations of both views, as a night does."""
    with Store(folder / "mem.db") as store:
        for view in ("text", "context"):
            began = time.perf_counter()
            if store.vectors(MODEL, DIM).build(NOW, view):
                report(f"build a generation of view {view}", f"{time.perf_counter() - began:.1f} s")
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    ours_only = [path for path in folder.rglob("*") if path.is_file() and path.suffix not in (".npy", ".npz")]
    on_disk = sum(path.stat().st_size for path in ours_only if path.name != "bare.hnsw")
    report("on disk, index included", f"{on_disk / size:,.0f} bytes a memory")


def better(
    scores: np.ndarray, seqs: np.ndarray, more: np.ndarray, more_seqs: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The MANY best of what was found so far and of one batch more, best first."""
    scores = np.hstack([scores, more])
    seqs = np.hstack([seqs, np.broadcast_to(more_seqs, more.shape)])
    order = np.argsort(-scores, axis=1, kind="stable")[:, :MANY]
    return np.take_along_axis(scores, order, 1), np.take_along_axis(seqs, order, 1)


def first(folder: Path, size: int, queries: int) -> None:  # noqa: ARG001  the steps are called alike
    """Open the store as a command does and answer one question, the model of meaning left out."""
    from app.recall.recall import Query, Recall

    asked = np.load(folder / "questions.npz")["asked"][:1]
    with Store(folder / "mem.db") as store:
        Recall(store, Prepared(asked)).recall(Query(question(0), NOW))


def question(number: int) -> str:
    """Eight words as somebody says them; those that carry meaning are looked for."""
    return " ".join(Words(seed=10**6 + number).sentences(number, 1)[0].split()[:8])


def ours(folder: Path, size: int, queries: int) -> None:  # noqa: ARG001  the steps are called alike
    """Whole recall first, as a process meets it; then its channels, each beside the bare library."""
    from app.recall import channels
    from app.recall.recall import Query, Recall

    asked = np.load(folder / "questions.npz")["asked"][:queries]
    store = Store(folder / "mem.db")
    recall = Recall(store, Prepared(asked))
    texts = [question(number) for number in range(len(asked))]
    report_times("whole recall, without embedding", [lambda t=t: recall.recall(Query(t, NOW)) for t in texts])
    report("resident memory, after whole recall", f"{resident():,.0f} MB")
    analyses = [recall.analyse(Query(text, NOW)) for text in texts]
    everything = Among(store.connection, EVERYTHING)
    report_times(
        "full-text channels, both",
        [lambda a=a: channels.full_text(store, a, MANY, everything) for a in analyses],
    )
    bare = "SELECT rowid FROM records_fts WHERE records_fts MATCH ? ORDER BY rank LIMIT ?"
    matches = [match for a in analyses if (match := any_of(a.terms))]
    report_times(
        "bare FTS5, any of the words, once",
        [lambda m=m: store.connection.execute(bare, (m, MANY)).fetchall() for m in matches],
    )
    dense(store, folder, asked)
    filtered(store, asked)
    store.close()


def dense(store: Store, folder: Path, asked: np.ndarray) -> None:
    """The dense channel of one view, against exact search."""
    truth = np.load(folder / "truth.npy")
    index = store.vectors(MODEL, DIM)
    report("search: exact or hnsw", index.status().mode)
    reached = []
    for k in (K, MANY):
        found = [[seq for seq, _ in index.search(vector, k)] for vector in asked]
        reached.append(share(found, truth, k))
        report(f"dense channel: recall@{k} against exact search", f"{reached[-1]:.4f}")
        report_times(f"dense channel: search for {k}", [lambda v=v, k=k: index.search(v, k) for v in asked])
    np.save(folder / "found.npy", reached)


def filtered(store: Store, asked: np.ndarray) -> None:
    """The dense channel among what a filter lets through: the listing of the rows is part of it."""
    from app.recall import channels

    index = store.vectors(MODEL, DIM)
    size = store.last_seq()
    for part in (0.001, 0.01, 0.1, 0.5):
        filter = Filter(after=NOW - timedelta(minutes=2 * 10**6 - size * (1 - part)))
        report_times(
            f"dense channel, {part:.1%} of the rows let through",
            [
                lambda v=v, f=filter: channels.dense([(index, v)], MANY, ["text"], Among(store.connection, f))
                for v in asked[:30]
            ],
        )


def importing(turns: int = 2_000) -> None:
    """What an import costs beside the embedder's own work, whose raw batches are timed on the same texts."""
    from app.config import Config, Home, find_home
    from app.exchange.importer import import_items
    from app.exchange.items import Turn
    from app.memory import Memory
    from bench.embed import sentences
    from models.errors import ModelError
    from models.open import open_embedder

    texts = sentences(turns) or Words().sentences(0, turns)
    items = [
        Turn(text, speaker=("Ada", "Ben")[n % 2], role="other", session=f"s{n // 20}", external_id=str(n))
        for n, text in enumerate(texts)
    ]
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), Path(folder))
        prepared = Prepared(low_rank(turns))
        memory = Memory(
            home, Config(), Store(home.database), load_embedder=lambda: prepared, load_chat=NotImplemented
        )
        began = time.perf_counter()
        import_items(memory, items, NOW)
        spent = time.perf_counter() - began
        records = memory.store.records()
        memory.close()
    report("import without embedding", f"{turns / spent:,.0f} turns/s")
    try:
        embedder = open_embedder("minilm-int8", find_home().models)
    except ModelError:
        return
    views = [text for record in records[:400] for text in views_of(record).values()]
    began = time.perf_counter()
    embedder.embed(views)
    raw_seconds = (time.perf_counter() - began) * turns / 400
    report(
        "import against the embedder's raw batches", f"{raw_seconds / (raw_seconds + spent):.2f} of its rate"
    )


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
        if size <= 100_000:  # a million would take two gigabytes more
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
