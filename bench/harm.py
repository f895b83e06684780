"""Whether the night does harm: recall on the raw turns beside recall after many nights over the same memory.

    python -m bench.harm FOLDER [--set PREFIX] [--files N] [--nights 30]

FOLDER holds NAME.turns.jsonl.gz and NAME.questions.jsonl.gz. A derived memory counts as the turns that it rests on.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from app.memory import Memory
from app.recall.recall import Query, Recall
from app.sleep.night import sleep
from bench.recall import KEYS, Turn, rows, score, stored
from storage.records import LinkKind, Record

Scores = dict[str, list[dict[str, float]]]


def main() -> None:
    """Measure and print, category by category."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", default="", help="only files whose names start so")
    parser.add_argument("--files", type=int, default=None, help="at most so many of them")
    parser.add_argument("--nights", type=int, default=30)
    wanted = parser.parse_args()
    raw: Scores = defaultdict(list)
    slept: Scores = defaultdict(list)
    for path in sorted(wanted.folder.glob(f"{wanted.set}*.turns.jsonl.gz"))[: wanted.files]:
        questions = rows(path.with_name(path.name.replace(".turns.", ".questions.")))
        last = datetime.fromisoformat(rows(path)[-1]["time"])
        with stored(path) as memory:
            measure(memory, questions, raw)
            for night in range(1, wanted.nights + 1):
                sleep(memory, None, last + timedelta(days=night), budget_seconds=1e9)
            measure(memory, questions, slept)
    print(f"| category | questions | {' | '.join(KEYS)} | after {wanted.nights} nights: {' | '.join(KEYS)} |")
    print("|---" * (2 + 2 * len(KEYS)) + "|")
    for category in sorted(raw):
        cells = [
            f"{statistics.mean(s[key] for s in found[category]):.3f}"
            for found in (raw, slept)
            for key in KEYS
        ]
        print(f"| {category} | {len(raw[category])} | {' | '.join(cells)} |")


def measure(memory: Memory, questions: Sequence[dict[str, Any]], into: Scores) -> None:
    """Ask every question whose evidence is known."""
    engine = Recall(memory.store, memory.embedder)
    for question in questions:
        if question["evidence"]:
            found = engine.recall(Query(question["query"], datetime.fromisoformat(question["now"]), k=50))
            turns: dict[str, str] = {}
            for id, text in (turn for hit in found.hits for turn in turns_of(memory, hit.record)):
                turns.setdefault(id, text)
            values = score(set(question["evidence"]), list(turns.items()))
            for category in ("all", question["category"]):
                into[category].append(values)


def turns_of(memory: Memory, record: Record) -> list[Turn]:
    """The turns that a hit stands for; its words count once."""
    if record.external_id:
        return [(record.external_id, record.text)]
    links = memory.store.links(record.id, LinkKind.DERIVED_FROM, back=False)
    sources = memory.store.get_many([link.dst for link in links]).values()
    ids = [source.external_id or source.id for source in sources] or [record.id]
    return [(ids[0], record.text), *((id, "") for id in ids[1:])]


if __name__ == "__main__":
    main()
