"""The chat turn against llama.cpp itself: overhead, time to the first word, cached share, speed of generation.

    python -m bench.chat [--model qwen2.5-coder-0.5b]... [--turns 8] [--memories 10000]

Each turn's prompt is also given to a second engine over the same weights, whose cache goes through the same
states (after an answer, both read ahead): what it needs is what llama.cpp needs for the same new tokens.
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from app import encode
from app.assistant import Assistant
from app.clock import now
from app.config import Config, Home, ModelsConfig, find_home
from app.events import Said
from app.memory import Memory
from app.open import load_chat, open_memory
from app.records import Kind
from models.chat import ChatModel, Message
from models.fake import EchoChat

ASKED = [f"How many apples did visitor {n * 37} bring, and which room did they like?" for n in range(40)]
SMALL = [
    "Thanks!",
    "Good morning!",
    "Tell me a joke.",
    "What is 12 times 12?",
    "Great, thank you!",
    "Why is the sky blue?",
]

MODELS = ("qwen2.5-coder-0.5b", "qwen2.5-coder-1.5b")
PORTRAIT = 800  # tokens


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn's milliseconds and tokens, here and in the bare engine."""

    first_ms: float
    bare_first_ms: float
    rate: float
    bare_rate: float
    cached_share: float


class Watched:
    """A ChatModel that remembers the last prompt it was given."""

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.prompt: tuple[Message, ...] = ()
        self.ahead: tuple[Message, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def stream(self, messages: Sequence[Message], **more: Any) -> Iterator[str]:
        """Yield the reply in pieces."""
        self.prompt = tuple(messages)
        return self._model.stream(messages, **more)

    def read_ahead(self, messages: Sequence[Message]) -> None:
        """Kept, to be read when nothing is timed beside it."""
        self.ahead = tuple(messages)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append")
    parser.add_argument("--turns", type=int, default=6)
    parser.add_argument("--memories", type=int, default=10_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), find_home().models)
        memory = open_memory(home)
        fill(memory, given.memories)
        print(f"overhead without llama.cpp at {given.memories} memories (goal 40 ms)")
        for name, lines in (("asked of memory", ASKED[:30]), ("small talk", SMALL * 5)):
            spent = overhead(memory, lines)
            middle, most = statistics.median(spent), sorted(spent)[len(spent) * 9 // 10]
            print(f"  {name:18}median {middle:6.1f} ms   p90 {most:6.1f} ms")
        print(f"\n{'':42}{'first word':>12}{'bare':>9}{'ratio':>7}{'speed':>7}{'cached':>8}")
        for model in given.model or MODELS:
            for name, lines in (("evidence changes", ASKED), ("none needed", SMALL)):
                report(f"{model}, {name}", talk(memory, home, model, lines[: given.turns]))
        print(f"\nstart to first word with a portrait of {PORTRAIT} tokens (goal 0.5 of without)")
        for model in given.model or MODELS:
            start(home, model)
        memory.close()


def fill(memory: Memory, count: int) -> None:
    """Short memories with vectors, over two years."""
    moment = now()
    for start in range(0, count, 1000):
        records = [
            encode.turn(
                f"Visitor {n} brought {n % 90} apples and liked room {n % 70}.",
                now=moment - timedelta(hours=n),
                session=f"day {n // 20}",
                speaker="me",
            )
            for n in range(start, min(start + 1000, count))
        ]
        memory.add(records, "fill", moment)


def overhead(memory: Memory, lines: Sequence[str]) -> list[float]:
    """Milliseconds of each turn with a chat model that costs nothing; the first two warm the caches."""
    assistant = Assistant(memory, EchoChat(["Yes."]), "overhead", now=now())
    out = []
    for line in lines:
        started = time.perf_counter()
        for _ in assistant.reply(line, now()):
            pass
        out.append((time.perf_counter() - started) * 1000)
    return out[2:]


def talk(memory: Memory, home: Home, model: str, lines: Sequence[str]) -> list[Turn]:
    """The turns of one conversation, each measured here and in the bare engine."""
    config = Config(models=ModelsConfig(chat=model))
    ours, bare = Watched(load_chat(home, config)), load_chat(home, config)
    assistant = Assistant(memory, ours, f"bench {model} {lines[0]}", now=now())
    turns: list[Turn] = []
    for line in lines:
        ours.prompt = ()
        started, first = time.perf_counter(), 0.0
        for event in assistant.reply(line, now()):
            if isinstance(event, Said) and not first:
                first = (time.perf_counter() - started) * 1000
        if not ours.prompt:
            continue  # recall found nothing: no model was asked
        bare_started, bare_first = time.perf_counter(), 0.0
        for _ in bare.stream(ours.prompt, max_tokens=assistant.window.reply_tokens):
            bare_first = bare_first or (time.perf_counter() - bare_started) * 1000
        usage, bare_usage = ours.last_usage, bare.last_usage
        for engine in (ours, bare):
            engine.save_prefix(ours.ahead)
        assert usage is not None
        assert bare_usage is not None
        turns.append(
            Turn(
                first,
                bare_first,
                rate(usage),
                rate(bare_usage),
                usage.cached_tokens / max(1, usage.prompt_tokens),
            )
        )
    ours.close()
    bare.close()
    return turns


def start(home: Home, model: str) -> None:
    """The first word of the day without a saved state and with it, and its size, by type of cache."""
    for cache in ("f16", "q8_0"):
        config = Config(models=ModelsConfig(chat=model, cache_type=cache, embed="fake"))
        with tempfile.TemporaryDirectory() as folder:
            place = Home(Path(folder), home.models)
            first = [first_word(place, config) for _ in range(2)]
            size = sum(path.stat().st_size for path in (place.path / "prefix").iterdir()) / 1e6
        times = f"{first[0]:9.0f} ms without{first[1]:8.0f} ms with{first[1] / first[0]:6.2f}"
        print(f"{model}, cache {cache:5}{times}{size:7.1f} MB", flush=True)


def first_word(place: Home, config: Config) -> float:
    """Milliseconds from a conversation's first message to its first word, the weights being loaded."""
    memory, chat = open_memory(place, config), load_chat(place, config)
    if not memory.store.records(limit=1):
        told = encode.turn(portrait(chat), now=now(), speaker="me")
        memory.add([dataclasses.replace(told, kind=Kind.CORE)], "bench", now())
    for _ in chat.stream([Message("user", "Hello")], max_tokens=1):  # loads the weights, which both ways need
        pass
    assistant = Assistant(memory, chat, None, now=now())
    begun = time.perf_counter()
    for event in assistant.reply("Good morning!", now()):
        if isinstance(event, Said):
            break
    spent = (time.perf_counter() - begun) * 1000
    chat.close()
    memory.close()
    return spent


def portrait(chat: ChatModel) -> str:
    """Plain sentences of about `PORTRAIT` tokens."""
    text = ""
    while chat.count_tokens(text) < PORTRAIT:
        text += f"You know visitor {len(text)} well and like to talk with them of gardens. "
    return text


def rate(usage: Any) -> float:
    """Tokens a second after the first."""
    return float(
        max(0, usage.completion_tokens - 1) / max(1e-6, (usage.total_ms - usage.first_token_ms) / 1000)
    )


def report(name: str, turns: Sequence[Turn]) -> None:
    """One line of medians; the first turn reads the whole head and is left out."""
    later = turns[1:]
    if not later:
        print(f"{name:42} no turns")
        return
    middle = statistics.median
    first, bare = middle(t.first_ms for t in later), middle(t.bare_first_ms for t in later)
    ratio = middle(t.first_ms / t.bare_first_ms for t in later)
    speed = middle(t.rate / t.bare_rate for t in later if t.bare_rate)
    cached = middle(t.cached_share for t in later)
    print(f"{name:42}{first:9.0f} ms{bare:6.0f} ms{ratio:7.2f}{speed:7.2f}{cached:8.0%}", flush=True)


if __name__ == "__main__":
    main()
