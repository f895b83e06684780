"""A long conversation through a small window: time per turn, prompt within budget, early facts still found.

    python -m bench.long [--turns 300] [--window 8192] [--file turns.jsonl.gz]

The model costs nothing here (a stand-in), so what is measured is everything else. Without `--file` the turns
are made up; with it, they are those of an importable conversation, the first speaker being the user.
"""

from __future__ import annotations

import argparse
import gzip
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from app.assistant import Assistant
from app.clock import now
from app.config import Home, find_home
from app.events import Recalled
from app.open import open_memory
from models.fake import EchoChat

EARLY = 20


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--window", type=int, default=8192)
    parser.add_argument("--file", type=Path)
    given = parser.parse_args()
    lines = read(given.file, given.turns) if given.file else made_up(given.turns)
    with tempfile.TemporaryDirectory() as folder:
        memory = open_memory(Home(Path(folder), find_home().models))
        chat = EchoChat(lambda _: "I see, thank you for telling me that.", context_tokens=given.window)
        assistant = Assistant(memory, chat, "long", now=now())
        start, spent, sizes, folds = now(), [], [], 0
        for n, line in enumerate(lines):
            began = time.perf_counter()
            list(assistant.reply(line, start + timedelta(minutes=n)))
            whole, usage = (time.perf_counter() - began) * 1000, chat.last_usage
            spoke = usage is not None and assistant.last.answer.prompt_tokens > 0
            spent.append(whole - usage.total_ms if usage is not None and spoke else whole)
            sizes.append(assistant.last.answer.prompt_tokens)
            folds = sum(t.folded for t in assistant.window.turns)
        found = still_found(assistant, lines)
        memory.close()
    middle = statistics.median
    early, late = middle(spent[20:70]), middle(spent[-50:])
    print(f"turns {len(lines)}, window {given.window}: longest prompt {max(sizes)}, {folds} messages folded")
    print(f"ms per turn: turns 20-70 {early:.1f}, last 50 {late:.1f}, ratio {late / early:.2f} (goal 1.20)")
    print(f"of the first {EARLY} messages {found} are in the window or recalled by their own words")


def still_found(assistant: Assistant, lines: Sequence[str]) -> int:
    """How many of the first messages reach the prompt when they are asked about at the end."""
    count = 0
    for line in lines[:EARLY]:
        words = " ".join(sorted(line.split(), key=len)[-5:])
        recalled = [
            e for e in assistant.ask(f"What did I say about {words}?", now()) if isinstance(e, Recalled)
        ]
        shown = any(hit.text == line for e in recalled for hit in e.hits)
        count += shown or any(t.text == line and t.verbatim for t in assistant.window.turns)
    return count


def made_up(turns: int) -> list[str]:
    """Messages with a detail of their own each."""
    things = ("tulips", "violin", "boat", "roof", "garden", "visa", "marathon", "oven", "kayak", "piano")
    people = ("Ana", "Tom", "Lena", "Marco", "Petra", "Ines", "Ruth")
    return [
        f"{people[n % 7]} and I spoke of the {things[n % 10]} for {n + 3} minutes; code {n * 7919 % 9973} is for it."
        for n in range(turns)
    ]


def read(path: Path, turns: int) -> list[str]:
    """The texts of a conversation in the project's own import format."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows[:turns]]


if __name__ == "__main__":
    main()
