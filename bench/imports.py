"""An import against its embedder alone: texts a second of both, and that the same export twice adds nothing.

    python -m bench.imports [MESSAGES]

Texts are made from a seed, as a ChatGPT export; seconds are the processor's, so that a busy machine does not tell.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from app.config import Config, Home, find_home
from app.exchange.chatgpt import read_chatgpt
from app.exchange.importer import Report, import_items
from app.open import load_embedder, open_memory

NOW = datetime(2024, 5, 1, tzinfo=UTC)
TURNS = 40  # of one conversation
WORDS = "the a our my new old garden bicycle contract meeting river rice tomatoes sister doctor train lost".split()


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    texts = made(count)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "conversations.json")
        file.write_text(json.dumps(exported(texts)), encoding="utf-8")
        home = Home(Path(folder, "home"), find_home().models)
        embedder = load_embedder(home, Config())
        embedder.embed(texts[:8])
        raw = seconds(lambda: embedder.embed(texts))
        reports: list[Report] = []
        memory = open_memory(home, embedder=lambda: embedder)
        memory.embedder  # noqa: B018  loaded before the clock starts
        once, twice = (
            seconds(lambda: reports.append(import_items(memory, read_chatgpt(file), NOW))) for _ in range(2)
        )
        views = memory.store.connection.execute("SELECT count(*) FROM vectors").fetchone()[0]
        memory.close()
    print(f"| {count:,} messages | texts/s | measured | bound |\n|---|---|---|---|")
    print(f"| embedder alone | {count / raw:.0f} | | |")
    print(f"| import | {count / once:.0f} | | |")
    rate = views / once / (count / raw)
    print(f"| its vectors, against the embedder | {views / once:.0f} | {rate:.2f} | 0.80 |")
    print(f"| the same again: added, against the first time | | {reports[1].added}, {twice / once:.2f} | 0 |")
    assert reports[0].added == count and reports[1].added == 0


def made(count: int) -> list[str]:
    """Distinct messages of the length that people write."""
    rng = Random(1)
    return [f"{' '.join(rng.choices(WORDS, k=rng.randint(6, 40)))} {n}." for n in range(count)]


def exported(texts: list[str]) -> list[dict[str, object]]:
    """The texts as conversations of `TURNS` messages, user and assistant by turns."""
    return [conversation(start, texts[start : start + TURNS]) for start in range(0, len(texts), TURNS)]


def conversation(start: int, texts: list[str]) -> dict[str, object]:
    """One chain of messages, as the export has it."""
    mapping: dict[str, object] = {}
    for n, text in enumerate(texts):
        message = {
            "author": {"role": "assistant" if n % 2 else "user"},
            "create_time": 1_700_000_000 + (start + n) * 60,
            "content": {"content_type": "text", "parts": [text]},
        }
        mapping[f"n{n}"] = {"id": f"n{n}", "message": message, "parent": f"n{n - 1}" if n else None}
    return {
        "id": f"c{start}",
        "title": f"Talk {start}",
        "mapping": mapping,
        "current_node": f"n{len(texts) - 1}",
    }


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds that the work takes, on all cores."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
