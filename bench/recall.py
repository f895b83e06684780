"""How well recall finds labelled turns, beside its own dense and its own full-text channel alone.

    python -m bench.recall [FOLDER] [--set PREFIX] [--per-category]

FOLDER holds NAME.turns.jsonl.gz and NAME.questions.jsonl.gz; without it, conversations are generated.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from app.config import find_home
from app.memory import Memory
from app.open import open_memory
from app.recall.recall import Query, Recall
from bench.make_conversations import between_people, with_assistant, write

KEYS = ("recall@1", "recall@10", "all@10", "mrr", "w1000")
Turn = tuple[str, str]  # external id, text


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--set", default="", help="only files whose names start so")
    parser.add_argument("--per-category", action="store_true")
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = a.folder or Path(made)
        if a.folder is None:
            write(between_people("people", random.Random("bench people"), sessions=9), folder)
            write(with_assistant("assistant", random.Random("bench assistant"), projects=2), folder)
        for name, found in sorted(measured(folder, a.set).items()):
            report(name, found, a.per_category)


def measured(folder: Path, prefix: str) -> dict[str, dict[str, dict[str, list[dict[str, float]]]]]:
    """Scores by set (the first part of a file's name), way of finding, and category of question."""
    out: dict[str, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for path in sorted(folder.glob(f"{prefix}*.turns.jsonl.gz")):
        questions = rows(path.with_name(path.name.replace(".turns.", ".questions.")))
        with stored(path) as memory:
            for way, ask in ways(memory).items():
                for question in questions:
                    if question["evidence"]:
                        scores = score(set(question["evidence"]), ask(question))
                        for category in ("all", question["category"]):
                            out[path.name.split(".")[0]][way][category].append(scores)
    return out


@contextmanager
def stored(path: Path) -> Iterator[Memory]:
    """The turns of a file in a memory of their own."""
    from app.exchange.importer import import_items
    from app.exchange.jsonl import read_jsonl

    with tempfile.TemporaryDirectory() as home:
        turns = Path(home, "turns.jsonl")
        turns.write_bytes(gzip.decompress(path.read_bytes()))
        memory = open_memory(find_home(Path(home, "home")))
        import_items(memory, read_jsonl(turns), datetime.fromisoformat(rows(path)[-1]["time"]))
        yield memory
        memory.close()


def ways(memory: Memory) -> dict[str, Callable[[dict[str, Any]], Sequence[Turn]]]:
    """Recall, and each of its two plain channels alone, as functions from a question to turns, best first."""
    engine = Recall(memory.store, memory.embedder)

    def recall(question: dict[str, Any]) -> list[Turn]:
        found = engine.recall(Query(question["query"], datetime.fromisoformat(question["now"]), k=50))
        return [(hit.record.external_id or "", hit.record.text) for hit in found.hits]

    def alone(channel: str) -> Callable[[dict[str, Any]], list[Turn]]:
        def ask(question: dict[str, Any]) -> list[Turn]:
            query = Query(question["query"], datetime.fromisoformat(question["now"]))
            found = engine.candidates(engine.analyse(query), query)
            order = sorted(range(len(found)), key=lambda i: (-found.channels[channel][i], found.seqs[i]))[:50]
            records = memory.store.by_seq([int(found.seqs[i]) for i in order])
            kept = [records[int(found.seqs[i])] for i in order]
            return [(record.external_id or "", record.text) for record in kept]

        return ask

    return {"recall": recall, "dense": alone("dense"), "text": alone("text")}


def score(evidence: set[str], hits: Sequence[Turn]) -> dict[str, float]:
    """Share of the evidence among the first 1 and 10 and inside 1,000 words; all of it in 10; 1 / first rank."""
    ids = [id for id, _ in hits]
    left, inside = 1000, set[str]()
    for id, text in hits:
        left -= len(text.split())
        if left < 0:
            break
        inside.add(id)
    return {
        "recall@1": len(evidence.intersection(ids[:1])) / len(evidence),
        "recall@10": len(evidence.intersection(ids[:10])) / len(evidence),
        "all@10": float(evidence <= set(ids[:10])),
        "mrr": next((1 / rank for rank, id in enumerate(ids, 1) if id in evidence), 0.0),
        "w1000": len(evidence & inside) / len(evidence),
    }


def report(name: str, found: dict[str, dict[str, list[dict[str, float]]]], per_category: bool) -> None:
    print(f"\n| {name} | questions | {' | '.join(KEYS)} |\n{'|---' * (len(KEYS) + 2)}|")
    for way, categories in found.items():
        for category in sorted(categories) if per_category and way == "recall" else ["all"]:
            scores = categories[category]
            cells = " | ".join(f"{statistics.mean(s[key] for s in scores):.3f}" for key in KEYS)
            print(f"| {way if category == 'all' else category} | {len(scores)} | {cells} |")


def rows(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    main()
