"""The embedders against sentence-transformers: how close their vectors are, and how fast they come.

    python -m bench.embed [SENTENCES]

Sentences are real: from ../shared/bench/data (MEM_BENCH names another folder), spread over its conversations.
"""

from __future__ import annotations

import gzip
import json
import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from app.config import find_home
from models.catalog import find
from models.embed import Embedder, Vectors
from models.errors import ModelError
from models.open import open_embedder

DATA = Path(os.environ.get("MEM_BENCH", Path(__file__).parents[2] / "shared" / "bench" / "data"))
BOUNDS = {"minilm-int8": 0.98, "minilm-fp32": 0.9999}
REFERENCE = "minilm-st"
QUERIES = 40


@dataclass(frozen=True, slots=True)
class Speed:
    """`first_ms` opens the model and embeds one text; the rest is for a warm one."""

    first_ms: float
    query_ms: float
    texts_a_second: float


def sentences(count: int) -> list[str]:
    """Distinct sentences, the same number from each conversation that has enough."""
    files = sorted(DATA.glob("*.turns.jsonl.gz"))
    share = -(-count // max(1, len(files)))
    return list(dict.fromkeys(text for file in files for text in islice(_turns(file), share)))[:count]


def _turns(file: Path) -> Iterator[str]:
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            first = json.loads(line).get("text", "").partition("\n")[0].strip()
            if first:
                yield first[:500]


def measure(name: str, texts: Sequence[str], folder: Path) -> tuple[Vectors, Speed]:
    """Vectors of all texts, and how long they took."""
    started = time.perf_counter()
    embedder = open_embedder(name, folder)
    embedder.embed(texts[:1])
    first = time.perf_counter() - started
    query = statistics.median(_seconds(embedder, [text]) for text in texts[:QUERIES])
    started = time.perf_counter()
    vectors = embedder.embed(texts)
    batch = time.perf_counter() - started
    embedder.close()
    return vectors, Speed(first * 1000, query * 1000, len(texts) / batch)


def _seconds(embedder: Embedder, texts: Sequence[str]) -> float:
    started = time.perf_counter()
    embedder.embed(texts)
    return time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    texts = sentences(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
    folder = find_home().models
    if not texts:
        print(f"No sentences in {DATA}: nothing measured.")
        return
    missing = [name for name in (*BOUNDS, REFERENCE) if not find(name).installed(folder)]
    if missing:
        print(f"Not on this machine: {', '.join(missing)}. Fetch with `mem model pull`; nothing measured.")
        return
    try:
        reference, reference_speed = measure(REFERENCE, texts, folder)
    except ModelError as problem:
        print(f"{problem} Nothing measured. {problem.hint}")
        return
    print(
        f"| {len(texts):,} sentences | least cosine | mean | bound | first text, ms | query, ms | texts/s |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, bound in BOUNDS.items():
        vectors, speed = measure(name, texts, folder)
        cosines = (vectors * reference).sum(axis=1)
        print(f"| {name} | {cosines.min():.6f} | {cosines.mean():.6f} | {bound} | {_row(speed)} |")
    print(f"| sentence-transformers | 1 | 1 | | {_row(reference_speed)} |")


def _row(speed: Speed) -> str:
    return f"{speed.first_ms:,.0f} | {speed.query_ms:.1f} | {speed.texts_a_second:.0f}"


if __name__ == "__main__":
    main()
