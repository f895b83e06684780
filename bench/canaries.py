"""A life with a mark in every place that keeps words, and the search for those marks in every file of a home."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.backups import make
from app.config import Config, find_home, replaced
from app.encode import turn
from app.exchange.importer import import_items
from app.exchange.items import Turn
from app.forget import forget, preview
from app.memory import Memory
from app.open import open_memory
from app.sleep.night import sleep
from app.sleep.read import SYSTEM
from models.chat import Message
from models.fake import EchoChat
from storage.records import Record

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
COUNT = 100
SAID = (
    "My sister {0} lives in Turin and teaches at the {0} school.",
    "I moved to {0} last month, close to the river.",
    "From now on always greet me with {0} when I write.",
    "I am allergic to {0} and to cold rain.",
    "My boss {0} asked me to finish the report by Friday.",
    "We spent the whole evening at {0} until the lights went out.",
    "I bought a bicycle called {0}, and it squeaks.",
    "My favourite dish is {0} with rice.",
    "Remember that I promised {0} to my neighbour.",
    "I work as a {0} keeper since 2021.",
)


def word(number: int) -> str:
    """A word that no language has; capitalised, as a name is."""
    return f"Zq{number:02d}wyrbel"


def opened(folder: Path, config: Config | None = None) -> Memory:
    """A memory in `folder` with the stand-in embedder."""
    settings = replaced(config or Config(), "models.embed", "fake")
    return open_memory(replace(find_home(folder), path=folder), settings)


def parrot() -> EchoChat:
    """A chat model that hands back every turn that it is shown as a fact."""

    def reply(messages: Sequence[Message]) -> str:
        if messages[0].content != SYSTEM:
            return "Fine."
        said = [line.partition(": ")[2] for line in messages[-1].content.splitlines()]
        return json.dumps({"facts": [f"The user said: {words}" for words in said[:4]]})

    return EchoChat(reply)


def live(memory: Memory, nights: int = 2) -> list[Record]:
    """Say and import the canaries among other words, edit, use, sleep, back up; returns the records that hold them."""
    held: list[Record] = []
    imported: list[Turn] = []
    for number in range(COUNT):
        text = SAID[number % len(SAID)].format(word(number))
        moment = NOW - timedelta(days=40 - number // 3, minutes=-number)
        if number % 2:
            imported += [
                Turn(text, speaker="Lea", role="other", time=moment, session=f"chat{number // 8}"),
                Turn(f"That sounds fine, number {number}.", speaker="Tom", role="other",
                     time=moment + timedelta(minutes=1), session=f"chat{number // 8}"),
            ]  # fmt: skip
        else:
            near = f"The weather on day {number} was mild, and we talked for an hour."
            turns = [turn(t, now=moment, speaker="me", session=f"s{number // 10}") for t in (text, near)]
            held += memory.add(turns, "say", moment)[:1]
    import_items(memory, imported, NOW)
    held += [r for r in memory.store.records() if r.role == "other" and "wyrbel" in r.text]
    for night in range(nights):
        sleep(memory, parrot(), NOW + timedelta(days=night))
    make(memory, NOW)
    for name in ("prefix", "logs"):
        folder = memory.home.path / name
        folder.mkdir(exist_ok=True, mode=0o700)
        (folder / "old.state").write_text(" ".join(word(n) for n in range(COUNT)))
    return held


def hits(folder: Path, words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(file, word) for every word that stands in a file's bytes, packed or not."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        try:
            data = path.read_bytes()
            if path.suffix == ".gz":
                data += gzip.decompress(data)
        except (FileNotFoundError, EOFError, zlib.error):  # gone, or being written
            continue
        data = data.lower()
        yield from ((path.name, w) for w in words if w.lower().encode() in data)


def deletion(folder: Path) -> tuple[int, int, int, list[tuple[str, str]]]:
    """Forget all canaries. (records that held one, hits before, came back on import, hits afterwards by file)."""
    memory = opened(folder)
    held = live(memory)
    words = [word(n) for n in range(COUNT)]
    before = len({w for _, w in hits(folder, words)})
    forget(memory, preview(memory, held), NOW + timedelta(days=3))
    left = list(hits(folder, words))
    again = [Turn(r.text, speaker=r.speaker, role=r.role, time=r.event_time, session=r.session) for r in held]
    report = import_items(memory, again, NOW + timedelta(days=4))
    sleep(memory, parrot(), NOW + timedelta(days=5))
    left += list(hits(folder, words))
    memory.close()
    return len(held), before, report.added, left
