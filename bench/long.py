"""A long conversation through a small window: time per turn, prompt within budget, early facts still found.

    python -m bench.long [--turns 300] [--window 8192] [--memories 1000] [--file turns.jsonl.gz] [--model NAME]

The home holds `--memories` before the conversation begins: in an empty one the first turns find nothing, and so cost
less than any later turn of a life. The last turns are timed in alternation with turns 20-70 of the same conversation,
held a second time in another home: whatever else the machine does then bears on both.
Without `--model` a stand-in that costs nothing answers, so what is measured is everything else. Without `--file`
the turns are made up; with it, they are those of an importable conversation, the first speaker being the user.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
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
TIMED = 50
REPLY_TOKENS = 24  # as long replies would measure generation


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn took: milliseconds of processor time (other work changes it less than the clock's), and tokens."""

    ms: float
    tokens: int


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
    plan = [(line, now() + timedelta(minutes=n)) for n, line in enumerate(lines)]
    with ExitStack() as opened:
        old, new = (opened.enter_context(conversation(given)) for _ in range(2))
        turns = [turn(old, *said) for said in plan[:-TIMED]]
        for said in plan[:EARLY]:
            turn(new, *said)
        pairs = [
            (turn(new, *young), turn(old, *aged))
            for young, aged in zip(plan[EARLY : EARLY + TIMED], plan[-TIMED:], strict=True)
        ]
        longest = max(t.tokens for t in (*turns, *(late for _, late in pairs)))
        folds = sum(t.folded for t in old.window.turns)
        found = still_found(old, lines)
    early, late = (statistics.median(pair[n].ms for pair in pairs) for n in (0, 1))
    print(f"turns {len(lines)}, window {given.window}: longest prompt {longest}, {folds} messages folded")
    print(
        f"processor ms per turn: turns {EARLY}-{EARLY + TIMED} {early:.1f}, last {TIMED} {late:.1f}, "
        f"ratio {late / early:.2f} (goal 1.20)"
    )
    print(f"of the first {EARLY} messages {found} are in the window or recalled by their own words")


@contextmanager
def conversation(given: argparse.Namespace) -> Iterator[Assistant]:
    """A conversation that begins, in a home of its own that holds other memories."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), find_home().models)
        memory = open_memory(home)
        fill(memory, given.memories)
        chat = chat_model(home, given.model, given.window)
        assistant = Assistant(memory, chat, "long", now=now())
        assistant.window.reply_tokens = REPLY_TOKENS
        yield assistant
        chat.close()
        memory.close()


def chat_model(home: Home, name: str | None, window: int) -> ChatModel:
    """The model that answers: a real one by its name, else the stand-in."""
    if name:
        return load_chat(home, Config(models=ModelsConfig(chat=name, context_tokens=window)))
    return EchoChat(lambda _: "I see, thank you for telling me that.", context_tokens=window)


def turn(assistant: Assistant, line: str, moment: datetime) -> Turn:
    """Say a line; the answer is timed until it stands there."""
    began, ms, tokens = time.process_time(), 0.0, 0
    for event in assistant.reply(line, moment):
        if isinstance(event, Answered):
            ms, tokens = (time.process_time() - began) * 1000, event.prompt_tokens
    return Turn(ms, tokens)


def still_found(assistant: Assistant, lines: Sequence[str]) -> int:
    """How many of the first messages reach the prompt when they are asked about at the end by their rarest words."""
    spread = Counter(word for line in lines for word in set(words(line)))
    count = 0
    for line in lines[:EARLY]:
        telling = " ".join(sorted(words(line), key=lambda w: (spread[w], -len(w)))[:5])
        asked = assistant.ask(f"What did I say about {telling}?", now(), stop=lambda: True)
        recalled = [e for e in asked if isinstance(e, Recalled)]
        shown = any(hit.text == line for e in recalled for hit in e.hits)
        count += shown or any(t.text == line and t.verbatim for t in assistant.window.turns)
    return count


def words(text: str) -> list[str]:
    """The words of a text."""
    return re.findall(r"\w[\w'’]*", text)


def made_up(turns: int) -> list[str]:
    """Messages with a detail of their own each."""
    things = ("tulips", "violin", "boat", "roof", "garden", "visa", "marathon", "oven", "kayak", "piano")
    people = ("Ana", "Tom", "Lena", "Marco", "Petra", "Ines", "Ruth")
    return [
        f"{people[n % 7]} and I spoke of the {things[n % 10]} for {n + 3} minutes; we counted {n * 7919 % 9973} leaves."
        for n in range(turns)
    ]


def read(path: Path, turns: int) -> list[str]:
    """The texts of a conversation in the project's own import format."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    return [row["text"] for row in rows[:turns]]


if __name__ == "__main__":
    main()
