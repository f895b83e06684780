"""A seeded simulator of years of use, on the real store and the real job of the night, under a fake clock.

    python -m bench.forgetting [--years 5] [--per-day 20] [--seed 1]     some minutes a year

Four kinds of memories: ephemeral ones, asked for within weeks if ever; stable ones, asked for again and again;
versioned facts, whose value changes while the old one stays on record; and rare critical ones, asked for once, years
later. One change in twelve goes unnoticed by reconciliation, and half of the critical ones carry no word that protects
them. Vectors are seeded directions: a topic, the memory's own part and noise, so that a question is near to its memory
and to others of its topic. Measured is the ranking that uses, states and precision lead to: relevance + w R over all
valid memories; beside it the same questions without decay, and with nothing forgotten or superseded.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, NoReturn

from app.config import Config, find_home
from app.forgetting import prior, retrievability
from app.memory import Memory
from app.sleep.night import sleep
from app.uses import CITED, use
from models.embed import Embedder
from models.errors import ModelMissing
from storage.records import Kind, Record, Source, State
from storage.store import Store

if TYPE_CHECKING:
    from models.embed import Vectors

START = datetime(2020, 1, 1, 8, tzinfo=UTC)
DIM, TOPICS, FACTS = 384, 60, 80
SHARES = {"ephemeral": 0.93, "stable": 0.03, "versioned": 0.025, "critical": 0.015}
IMPORTANCE = {"ephemeral": 3.0, "stable": 4.0, "versioned": 5.0, "critical": 8.0}
UNNOTICED = 1 / 12
OWN, WORDS, UNSAID = 1.0, 0.3, 5.0  # parts of a direction: the memory's own, its wording, a question's noise
SHORTLIST, K = 60, 10


def part(name: str) -> Vectors:
    """A seeded direction of length about one."""
    import numpy as np

    seed = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=8).digest())
    return (np.random.default_rng(seed).standard_normal(DIM) / math.sqrt(DIM)).astype(np.float32)


class SeededEmbedder(Embedder):
    """An Embedder for texts "topic/item/words": near where topic and item are the same."""

    name, dim = "seeded", DIM

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, the same for the same text."""
        import numpy as np

        rows = np.stack([self.direction(text) for text in texts])
        unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def close(self) -> None:
        """Nothing is held."""

    def direction(self, text: str, noise: float = WORDS) -> Vectors:
        """The sum of the parts that a text is made of."""
        topic, item, _ = text.split("/")
        return part(topic) + OWN * part(f"{topic}/{item}") + noise * part(text)


@dataclass(frozen=True, slots=True)
class Question:
    """Something that is asked on a day about an item; the answer is its newest version."""

    kind: str
    item: str


class Life:
    """What happens and what is asked, day by day, from a seed."""

    def __init__(self, rng: Random, per_day: int, days: int) -> None:
        self._rng, self._per_day, self._days = rng, per_day, days
        self._count = 0
        self.asked: dict[int, list[Question]] = defaultdict(list)

    def day(self, day: int) -> Iterator[tuple[str, str, str]]:
        """(kind, item, text) of the memories of one day; what will be asked about them is noted."""
        for _ in range(self._per_day):
            self._count += 1
            kind = self._rng.choices(list(SHARES), list(SHARES.values()))[0]
            number = self._rng.randrange(FACTS) if kind == "versioned" else self._count
            item = f"t{number % TOPICS}/{kind[0]}{number}"
            protected = kind == "critical" and self._rng.random() < 0.5
            text = f"{item}/{'allergic to' if protected else 'version'} {self._count}"
            for later in self._asks(kind, day):
                if later < self._days:
                    self.asked[later].append(Question(kind, item))
            yield kind, item, text

    def _asks(self, kind: str, day: int) -> Iterator[int]:
        rng = self._rng
        if kind == "ephemeral" and rng.random() < 0.12:
            yield day + 1 + int(min(90, rng.paretovariate(0.9)))
        elif kind == "critical":
            yield day + rng.randrange(180, 1460)
        elif kind in ("stable", "versioned"):
            gap, times = (180, 12) if kind == "stable" else (45, 3)
            for _ in range(times):
                day += 1 + int(rng.expovariate(1 / gap))
                yield day


class Truth:
    """Every memory as it was given, outside the store: to rank without decay, and to prove that nothing is lost."""

    def __init__(self) -> None:
        import numpy as np

        self.ids: list[str] = []
        self.text: dict[str, str] = {}
        self.versions: dict[str, list[str]] = defaultdict(list)
        self.closed: set[str] = set()
        self._rows: Vectors = np.empty((0, DIM), np.float32)

    def add(self, records: Sequence[Record], vectors: Vectors) -> None:
        """Take in a day."""
        import numpy as np

        if len(self.ids) + len(records) > len(self._rows):
            room = np.empty((max(1000, 2 * len(self._rows)), DIM), np.float32)
            room[: len(self.ids)] = self._rows[: len(self.ids)]
            self._rows = room
        self._rows[len(self.ids) : len(self.ids) + len(records)] = vectors
        for record in records:
            self.ids.append(record.id)
            self.text[record.id] = record.text

    def nearest(self, queries: Vectors) -> list[list[str]]:
        """For each query the memories nearest by cosine alone, best first; superseded ones too."""
        import numpy as np

        found = []
        for scores in queries @ self._rows[: len(self.ids)].T:
            best = np.argpartition(-scores, min(SHORTLIST, len(scores) - 1))[:SHORTLIST]
            found.append([self.ids[i] for i in best[np.argsort(-scores[best])]])
        return found


class Score:
    """Questions asked and answered by one way of ranking."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.stale = 0

    def note(self, question: Question, ranking: Sequence[str], versions: Sequence[str]) -> bool:
        """Count one question; whether its memory is among the first K."""
        found = versions[-1] in ranking[:K]
        self.asked[question.kind] += 1
        self.found[question.kind] += found
        if question.kind == "versioned" and len(versions) > 1:
            self.asked["changed"] += 1
            places = [ranking.index(v) for v in versions if v in ranking]
            first = min(places, default=None)
            self.stale += first is not None and ranking[first] != versions[-1]
        return found

    def recall(self, *kinds: str) -> float:
        """Share of questions of these kinds that were answered."""
        return sum(self.found[k] for k in kinds) / max(1, sum(self.asked[k] for k in kinds))

    def row(self, name: str) -> str:
        """One line of the table."""
        stale = self.stale / max(1, self.asked["changed"])
        each = " | ".join(f"{self.recall(kind):.3f}" for kind in SHARES)
        return f"| {name} | {self.recall(*SHARES):.3f} | {stale:.3f} | {each} |"


class Simulation:
    """One life in one store."""

    def __init__(self, memory: Memory, rng: Random, per_day: int, days: int) -> None:
        self.memory = memory
        self.life = Life(rng, per_day, days)
        self.truth = Truth()
        self.scores = {name: Score() for name in ("as built", "without decay", "keep everything")}
        self._rng = rng
        self._days = days
        self._embedder = SeededEmbedder()

    def run(self) -> None:
        """Every day: what happens, what is asked, and a night."""
        for day in range(self._days):
            now = START + timedelta(days=day)
            with self.memory.store.atomic("say", now):
                self._live(day, now)
            # Asked after the day is written: a search inside a transaction reads every vector anew.
            self._ask(self.life.asked.pop(day, []), now + timedelta(hours=10))
            sleep(self.memory, None, now + timedelta(hours=19), only="states")

    def _live(self, day: int, now: datetime) -> None:
        happened = list(self.life.day(day))
        records = [_record(kind, item, text, now, week=day // 7) for kind, item, text in happened]
        if day % 7 == 6:
            records.append(_gist(now, week=day // 7))
        added = self.memory.add(records, "say", now)
        told = added[: len(happened)]
        self.truth.add(told, self._embedder.embed([r.text for r in told]))
        for record, (kind, item, _) in zip(told, happened, strict=True):
            versions = self.truth.versions[item]
            if kind == "versioned" and versions and self._rng.random() > UNNOTICED:
                for id in versions:
                    if id not in self.truth.closed:
                        old = self.memory.store.get(id)
                        self.memory.store.update(replace(old, valid_to=now, superseded_by=record.id))
                        self.truth.closed.add(id)
            versions.append(record.id)

    def _ask(self, questions: Sequence[Question], now: datetime) -> None:
        """The questions of a day, a minute apart, to each way of ranking."""
        import numpy as np

        if not questions:
            return
        moments = [now + timedelta(minutes=number) for number in range(len(questions))]
        asked = np.stack(
            [
                self._embedder.direction(f"{question.item}/asked {moment}", UNSAID)
                for question, moment in zip(questions, moments, strict=True)
            ]
        )
        queries = asked / np.linalg.norm(asked, axis=1, keepdims=True)
        plain = self.truth.nearest(queries)
        for question, moment, query, near in zip(questions, moments, queries, plain, strict=True):
            versions = self.truth.versions[question.item]
            self.scores["keep everything"].note(question, near[:K], versions)
            valid = [id for id in near if id not in self.truth.closed]
            self.scores["without decay"].note(question, valid[:K], versions)
            if self.scores["as built"].note(question, self._ranking(query, moment), versions):
                use(self.memory, [versions[-1]], CITED, f"asked {moment}", moment)

    def _ranking(self, query: Vectors, now: datetime) -> list[str]:
        index = self.memory.store.vectors(self._embedder.name, DIM)
        near = dict(index.search(query, SHORTLIST))
        records = self.memory.store.by_seq(list(near)).values()
        valid = [r for r in records if r.superseded_by is None and r.kind is not Kind.GIST]
        weight = self.memory.config.forgetting.prior
        ranked = sorted(valid, key=lambda r: -(near[r.seq] + prior(retrievability(r, now), weight)))
        return [r.id for r in ranked[:K]]

    def lost(self) -> int:
        """Memories whose words changed, that are gone, or that no search can reach any more."""
        store = self.memory.store
        kept = store.get_many(self.truth.ids)
        reached = store.vectors(self._embedder.name, DIM).of([r.seq for r in kept.values()])
        whole = [id for id, r in kept.items() if r.text == self.truth.text[id] and r.seq in reached]
        return len(self.truth.ids) - len(whole)


def _record(kind: str, item: str, text: str, now: datetime, *, week: int) -> Record:
    episode = kind in ("ephemeral", "stable")
    return Record(
        kind=Kind.EPISODIC if episode else Kind.SEMANTIC,
        text=text,
        source=Source.USER_SAID if episode else Source.MODEL_INFERRED,
        trust=Source.USER_SAID,
        event_time=now,
        recorded_at=now,
        valid_from=None if episode else now,
        session=f"week {week}",
        subject=None if episode else "user",
        attribute=None if episode else item,
        importance=IMPORTANCE[kind],
    )


def _gist(now: datetime, *, week: int) -> Record:
    return replace(_record("stable", "", f"gist/{week}/words", now, week=week), kind=Kind.GIST)


def _no_chat() -> NoReturn:
    raise ModelMissing("The simulation has no chat model.", "")


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--years", type=float, default=5)
    parser.add_argument("--per-day", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "mem.db") as store:
        home = replace(find_home(Path(folder)), path=Path(folder))
        store.connection.execute("PRAGMA synchronous = OFF")  # no power fails in a simulation
        memory = Memory(home, Config(), store, load_embedder=SeededEmbedder, load_chat=_no_chat)
        life = Simulation(memory, Random(wanted.seed), wanted.per_day, round(wanted.years * 365))
        life.run()
        states = store.counts("state")
        lost = life.lost()
    total = sum(states.values())
    print(
        f"{wanted.years:g} years at {wanted.per_day} a day, seed {wanted.seed}: {total:,} memories,", end=" "
    )
    print(f"{sum(life.scores['as built'].asked[k] for k in SHARES):,} questions\n")
    print(
        f"| ranking | recall@10 | stale first | {' | '.join(SHARES)} |\n|---|---|---|{'---|' * len(SHARES)}"
    )
    for name, score in life.scores.items():
        print(score.row(name))
    shares = ", ".join(f"{state} {states.get(state, 0) / total:.1%}" for state in State)
    print(f"\nStates: {shares}. Silent losses: {lost}. {time.perf_counter() - started:.0f} s.")
    print("Bounds: recall@10 .98 (.95 at 60 a day), stale first .08, active 20%, losses 0.")


if __name__ == "__main__":
    main()
