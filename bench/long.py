"""A long conversation through a small window: time per turn, prompt within budget, early facts still found.

    python -m bench.long [--turns 300] [--window 8192] [--memories 1000] [--file turns.jsonl.gz] [--model NAME]

The home holds `--memories` before the conversation begins: in an empty one the first turns find nothing, and so cost
less than any later turn of a life.
Without `--model` a stand-in that costs nothing answers, so what is measured is everything else. Without `--file`
the turns are made up; with it, they are those of an importable conversation, the first speaker being the user.
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
from app.config import Config, Home, ModelsConfig, find_home
from app.events import Answered, Recalled
from app.open import load_chat, open_memory
from bench.chat import fill
from models.chat import ChatModel
from models.fake import EchoChat

EARLY = 20
REPLY_TOKENS = 24  # as long replies would measure generation


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=300)
    parser.add_argument("--window", type=int, default=8192)
    parser.add_argument("--memories", type=int, default=1000)
    parser.add_argument("--file", type=Path)
    parser.add_argument("--model", help="a real chat model instead of the stand-in")
    given = parser.parse_args()
    lines = read(given.file, given.turns) if given.file else made_up(given.turns)
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), find_home().models)
        memory = open_memory(home)
        fill(memory, given.memories)
        chat = chat_model(home, given.model, given.window)
        assistant = Assistant(memory, chat, "long", now=now())
        assistant.window.reply_tokens = REPLY_TOKENS
        spent, sizes = replay(assistant, lines)
        folds = sum(t.folded for t in assistant.window.turns)
        found = still_found(assistant, lines)
        chat.close()
        memory.close()
    middle = statistics.median
    early, late = middle(spent[20:70]), middle(spent[-50:])
    print(f"turns {len(lines)}, window {given.window}: longest prompt {max(sizes)}, {folds} messages folded")
    print(
        f"processor ms per turn: turns 20-70 {early:.1f}, last 50 {late:.1f}, ratio {late / early:.2f} (goal 1.20)"
    )
    print(f"of the first {EARLY} messages {found} are in the window or recalled by their own words")


def chat_model(home: Home, name: str | None, window: int) -> ChatModel:
    """The model that answers: a real one by its name, else the stand-in."""
    if name:
        return load_chat(home, Config(models=ModelsConfig(chat=name, context_tokens=window)))
    return EchoChat(lambda _: "I see, thank you for telling me that.", context_tokens=window)


def replay(assistant: Assistant, lines: Sequence[str]) -> tuple[list[float], list[int]]:
    """Milliseconds of processor time (other work on the machine does not change it) and prompt tokens of each turn."""
    start, spent, sizes = now(), [], []
    for n, line in enumerate(lines):
        began = time.process_time()
        for event in assistant.reply(line, start + timedelta(minutes=n)):
            if isinstance(event, Answered):
                spent.append((time.process_time() - began) * 1000)
                sizes.append(event.prompt_tokens)
    return spent, sizes


def still_found(assistant: Assistant, lines: Sequence[str]) -> int:
    """How many of the first messages reach the prompt when they are asked about at the end."""
    count = 0
    for line in lines[:EARLY]:
        words = " ".join(sorted(line.split(), key=len)[-5:])
        asked = assistant.ask(f"What did I say about {words}?", now(), stop=lambda: True)
        recalled = [e for e in asked if isinstance(e, Recalled)]
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
