"""The day's hot paths against the embedder alone: storing one turn, and recalling among 10,000 memories.

    python -m bench.write [MEMORIES]

Prints medians and ratios from one run. Texts are made from a seed; the embedder is the default one.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from app.config import Config, find_home
from app.encode import turn
from app.memory import Memory
from app.open import load_embedder, open_memory
from app.recall.recall import Query, Recall

NOW = datetime(2024, 5, 1, 9, tzinfo=UTC)
WHO = ("Ana", "Ben", "my sister", "our neighbour", "the new colleague", "Dr. Ruiz")
DID = ("went climbing", "bought a bicycle", "burnt the rice", "talked about the contract", "planted tomatoes")
WHERE = ("in Porto", "by the river", "at the office", "in the old town", "on the way home", "at my parents'")
WHY = (
    "because it rained",
    "and could not stop laughing",
    "for the third time",
    "before the meeting",
    "with the dog",
)


def sentence(rng: Random) -> str:
    """One realistic turn; numbers keep them apart."""
    parts = [rng.choice(part) for part in (WHO, DID, WHERE, WHY)]
    return f"Today {' '.join(parts)}, and it took {rng.randint(2, 90)} minutes until {rng.randint(1, 12)} o'clock."


def median_ms(work: Callable[[], object], times: int) -> float:
    """Median wall time of `work`, after two calls that warm it."""
    took = []
    for number in range(times + 2):
        start = time.perf_counter()
        work()
        if number >= 2:
            took.append(1000 * (time.perf_counter() - start))
    return statistics.median(took)


def fill(memory: Memory, count: int, rng: Random) -> None:
    """Store `count` turns in one import."""
    moments = (NOW - timedelta(minutes=n) for n in range(count, 0, -1))
    records = [replace(turn(sentence(rng), now=NOW, said_at=m, speaker="me", session="s")) for m in moments]
    memory.add(records, "import", NOW)


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rng = Random(1)
    with tempfile.TemporaryDirectory() as folder:
        home = replace(find_home(Path(folder)), path=Path(folder))
        memory = open_memory(home, Config())
        if memory.embedder is None:
            sys.exit(f"no embedder: {memory.embedder_error}. Run `mem setup --yes` first.")
        fill(memory, count, rng)
        embedder = load_embedder(home, memory.config)  # its own: the memory's remembers what it embedded
        embed = median_ms(lambda: embedder.embed([f"me: {sentence(rng)}"]), 50)
        write = median_ms(
            lambda: memory.add([turn(sentence(rng), now=NOW, speaker="me")], "remember", NOW), 50
        )
        asked = [f"when did {who} {did} {where}?" for who in WHO for did in DID for where in WHERE]
        rng.shuffle(asked)
        alone, queries = iter(asked), iter(asked)  # each question once: none is remembered
        embed_query = median_ms(lambda: embedder.embed([next(alone)]), 50)
        recall = median_ms(lambda: Recall.of(memory).recall(Query(next(queries), now=NOW)), 50)
        embedder.close()
        memory.close()
    print(f"| {count:,} memories | ms | embedder alone, ms | ratio | bound |\n|---|---|---|---|---|")
    print(f"| store one turn | {write:.1f} | {embed:.1f} | {write / embed:.2f} | 1.30 |")
    print(f"| recall | {recall:.1f} | {embed_query:.1f} | {recall / embed_query:.2f} | 3.00 |")


if __name__ == "__main__":
    main()
