"""Life changes told in passing: is the new value first, the old one there for its time, and what rested on it in doubt?

    python -m bench.updates [--lives 10] [--words FILE] [--seed 1] [--model ID [--keep FOLDER]]

Each life is a store of its own with about two dozen slots. Every slot is told once, changed once months later in other
words, and asked about afterwards; small talk, plans that came to nothing, what others do and what-ifs lie between.
Sentences and values are drawn from a seed. Recall, night and embedder are the real ones; with `--model` the night
reads with that chat model, too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from app.config import Config, find_home, replaced
from app.encode import turn
from app.memory import Memory
from app.open import open_memory
from app.recall.recall import Query, Recall
from app.sleep.night import sleep
from bench.kept import kept_chat
from models.chat import ChatModel
from storage.records import Filter, Kind, LinkKind, Record

BORN = datetime(2023, 1, 9, 18, tzinfo=UTC)
CHANGED = timedelta(days=240)
ASKED = timedelta(days=500)
WORDS = Path(__file__).with_name("lives.toml")


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that changes: how it is told at first, how a change is told, how it is asked, and its values."""

    name: str
    told: list[str]
    changed: list[str]
    asked: str
    values: list[str]


@dataclass(frozen=True, slots=True)
class Words:
    """What lives are told in. `rests_on`: what a person would take for doubtful after a change, by slot."""

    slots: list[Slot]
    between: list[str]
    never_told: list[str]
    rests_on: dict[str, list[str]]


def read_words(file: Path = WORDS) -> Words:
    """The words of a TOML file."""
    values = tomllib.loads(file.read_text(encoding="utf-8"))
    return Words(**{**values, "slots": [Slot(**slot) for slot in values["slots"]]})


@dataclass(frozen=True, slots=True)
class Told:
    """One slot of a life: its old and its new value, None where it never changed."""

    slot: Slot
    old: str
    new: str | None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lives", type=int, default=10)
    parser.add_argument("--words", type=Path, default=WORDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="")
    parser.add_argument("--keep", type=Path, help="a folder that holds the model's answers between runs")
    parser.add_argument("--embed", default="minilm-int8")
    parser.add_argument("--misses", action="store_true", help="print what went wrong")
    wanted = parser.parse_args()
    config = replaced(Config(), "models.embed", wanted.embed)
    chat = kept_chat(wanted.model, wanted.keep) if wanted.model else None
    words, score = read_words(wanted.words), Counter[str]()
    started = time.perf_counter()
    for life in range(wanted.lives):
        with opened(config) as memory:
            score += one_life(memory, chat, words, Random(wanted.seed * 1000 + life), misses=wanted.misses)
    print(f"{score['changes']} changes in {wanted.lives} lives, {time.perf_counter() - started:.0f} s\n")
    print("| figure | measured | bound |\n|---|---|---|")
    for name, of, bound in (
        ("current first", "changes", ">= .95"),
        ("old by --as-of", "changes", ">= .95"),
        ("old as current", "changes", "<= .02"),
        ("facts superseded", "changes", ""),
        ("dependants flagged", "dependants", ">= .80"),
        ("false flags", "bystanders", "<= .05"),
        ("absence: abstains", "never told", ">= .90"),
        ("presence: abstains", "changes", "low"),
    ):
        print(f"| {name} | {score[name] / max(1, score[of]):.3f} | {bound} |")


@contextmanager
def opened(config: Config) -> Iterator[Memory]:
    """A memory in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        memory = open_memory(replace(find_home(Path(folder)), path=Path(folder)), config)
        yield memory
        memory.close()


def one_life(
    memory: Memory, chat: ChatModel | None, words: Words, rng: Random, *, misses: bool
) -> Counter[str]:
    """Tell, sleep, change, sleep, ask."""
    slots = rng.sample(words.slots, len(words.slots))
    rests = [slot.name for slot in slots if words.rests_on.get(slot.name)]
    steady = {*rests[:2], *[slot.name for slot in slots if slot.name not in words.rests_on][:2]}
    told = []
    for slot in slots:
        old, new = rng.sample(slot.values, 2)
        told.append(Told(slot, old, None if slot.name in steady else new))
    for moment, change in ((BORN, False), (BORN + CHANGED, True)):
        last = _talk(memory, words, rng, told, moment, change=change)
        sleep(memory, chat, last + timedelta(hours=8), budget_seconds=1e9)
    return _asked(memory, told, misses=misses) + _doubted(memory, words, told) + _absent(memory, words)


def _talk(
    memory: Memory, words: Words, rng: Random, told: Sequence[Told], moment: datetime, *, change: bool
) -> datetime:
    """Tell the slots in sessions of five, with other talk between; returns when the last word was said."""
    for number, one in enumerate(t for t in told if not change or t.new is not None):
        session = f"{moment:%Y-%m-%d}-{number // 5}"
        if number % 5 == 0:
            moment += timedelta(days=1)
        value = one.new if change else one.old
        said = rng.choice(one.slot.changed if change else one.slot.told).format(v=value)
        for text in (rng.choice(words.between), said, rng.choice(words.between)):
            moment += timedelta(minutes=2)
            memory.add([turn(text, now=moment, speaker="me", session=session)], "say", moment)
    return moment


def _asked(memory: Memory, told: Sequence[Told], *, misses: bool) -> Counter[str]:
    score: Counter[str] = Counter()
    now, then = BORN + ASKED, BORN + timedelta(days=40)
    recall = Recall(memory.store, memory.embedder)
    for one in told:
        if one.new is None:
            continue
        found = recall.recall(Query(one.slot.asked, now))
        hits = [hit.record for hit in found.hits]
        back = [
            hit.record for hit in recall.recall(Query(one.slot.asked, now, filter=Filter(as_of=then))).hits
        ]
        first, before = _first(hits, one), _first(back, one)
        good = first is not None and _says(first, one.new)
        score["changes"] += 1
        score["current first"] += good
        score["old by --as-of"] += before is not None and _says(before, one.old)
        score["old as current"] += first is not None and not good and not _is_history(memory, first)
        score["presence: abstains"] += found.abstain
        closed = [
            f for f in memory.store.records(Filter(kinds=frozenset({Kind.SEMANTIC}))) if _says(f, one.old)
        ]
        score["facts superseded"] += any(f.superseded_by is not None for f in closed)
        if misses and not (good and closed):
            shown = first.text if first else None
            print(
                f"{one.slot.name}: {one.old} -> {one.new}; first: {shown}; facts: {[f.text for f in closed]}"
            )
    return score


def _doubted(memory: Memory, words: Words, told: Sequence[Told]) -> Counter[str]:
    """Facts that never changed: those that rest on one that did should be in doubt, the others not."""
    score: Counter[str] = Counter()
    changed = {one.slot.name for one in told if one.new is not None}
    for one in told:
        if one.new is not None:
            continue
        facts = [
            f for f in memory.store.records(Filter(kinds=frozenset({Kind.SEMANTIC}))) if _says(f, one.old)
        ]
        doubt = any("suspect" in f.extra for f in facts)
        rests = changed & set(words.rests_on.get(one.slot.name, ()))
        score["dependants" if rests else "bystanders"] += 1
        score["dependants flagged" if rests else "false flags"] += doubt
    return score


def _absent(memory: Memory, words: Words) -> Counter[str]:
    recall = Recall(memory.store, memory.embedder)
    found = [recall.recall(Query(question, BORN + ASKED)) for question in words.never_told]
    return Counter({"never told": len(found), "absence: abstains": sum(f.abstain for f in found)})


def _first(records: Sequence[Record], one: Told) -> Record | None:
    """The first memory that names the old or the new value in the slot's own words."""
    return next((r for r in records if _says(r, one.old) or _says(r, str(one.new))), None)


def _says(record: Record, value: str) -> bool:
    return value.lower() in record.text.lower() and record.kind is not Kind.GIST


def _is_history(memory: Memory, record: Record) -> bool:
    """Whether the record is marked as past: it closed, or every fact drawn from it did."""
    if record.kind is not Kind.EPISODIC:
        return record.superseded_by is not None
    ids = [link.src for link in memory.store.links(record.id, LinkKind.DERIVED_FROM, out=False)]
    facts = [f for f in memory.store.get_many(ids).values() if f.kind is Kind.SEMANTIC]
    return bool(facts) and all(f.superseded_by is not None for f in facts)


if __name__ == "__main__":
    main()
