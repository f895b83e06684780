"""Real nights on real conversations: seconds, calls, tokens and changes of each job, a second night, and growth.

    python -m bench.night [--data FILE...] [--model ID...] [--turns N] [--growth [TURNS...]] [--session TURNS]

`--data` are files in the import format (JSON lines, may be gzipped); without any, a made-up conversation stands in.
Each file is slept on without a model and then, from the start, with each `--model`. `--growth` shows the model-free
night on 1,000, 10,000 and 100,000 turns with 300 new ones.
"""

from __future__ import annotations

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from app.config import Config, find_home, replaced
from app.encode import turn
from app.memory import Memory
from app.open import open_memory
from app.sleep.night import NightReport, sleep
from bench.write import sentence
from storage.records import Filter, Kind, Record

NOW = datetime(2024, 5, 1, 9, tzinfo=UTC)
FACTS = Filter(kinds=frozenset({Kind.SEMANTIC, Kind.PROCEDURAL}))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", nargs="*", type=Path, default=[])
    parser.add_argument("--model", nargs="*", default=[])
    parser.add_argument("--turns", type=int, default=300, help="of each file, the first")
    parser.add_argument(
        "--growth", nargs="*", type=int, metavar="TURNS", help="sizes; 1,000 to 100,000 by default"
    )
    parser.add_argument("--session", type=int, metavar="TURNS", help="one conversation so long")
    wanted = parser.parse_args()
    if wanted.session:
        long_session(wanted.session)
        return
    print(
        "| conversation | model | turns | night s | ms/turn | calls | tokens/turn | facts | by model | refused",
        end="",
    )
    print(" | second night s | changes |\n|---|---|---|---|---|---|---|---|---|---|---|---|")
    for data in wanted.data or [None]:
        turns = read(data, wanted.turns) if data else made_up(wanted.turns)
        for model in ["", *wanted.model]:
            print(row(data.name.split(".turns")[0] if data else "made up", turns, model), flush=True)
    if wanted.growth is not None:
        growth(wanted.growth or (1_000, 10_000, 100_000))


def row(name: str, turns: Sequence[Record], model: str) -> str:
    """One night, and a second one with nothing new."""
    with opened(replaced(Config(), "models.chat", model)) as memory:
        now = max(t.event_time for t in turns) + timedelta(hours=8)
        memory.add(turns, "import", now)
        chat = memory.chat if model else None
        report, seconds = timed(memory, chat, now)
        again, second = timed(memory, chat, now)
        facts = memory.store.records(FACTS)
        by_model = sum((f.derived_by or "").startswith("read/") for f in facts)
    calls = sum(j.model_calls for j in report.jobs)
    tokens = sum(j.tokens for j in report.jobs) / len(turns)
    refused = sum(j.rejected for j in report.jobs)
    return (
        f"| {name} | {model or 'none'} | {len(turns)} | {seconds:.1f} | {1000 * seconds / len(turns):.1f} | {calls} "
        f"| {tokens:.0f} | {len(facts)} | {by_model} | {refused} | {second:.2f} | {changes(again)} |"
    )


def growth(sizes: Sequence[int]) -> None:
    """A day of 300 turns slept on in stores of growing size, without a model; seconds of the processor."""
    print("\n| turns in store | first night, ms/turn | night on 300 new, s | second night, s | changes |")
    print("|---|---|---|---|---|")
    for size in sizes:
        with opened(replaced(Config(), "models.embed", "fake")) as memory:
            turns = made_up(size + 300)
            memory.add(turns[:size], "import", NOW)
            _, first = worked(memory)
            memory.add(turns[size:], "say", NOW)
            report, seconds = worked(memory)
            again, second = worked(memory)
            print(
                f"| {size:,} | {1000 * first / size:.2f} | {seconds:.2f} | {second:.2f} | {changes(again)} |",
                flush=True,
            )
            slow = sorted(report.jobs, key=lambda job: -job.seconds)[:4]
            print(f"slowest of {size:,}: {', '.join(f'{j.name} {j.seconds:.2f}' for j in slow)}")


def long_session(size: int) -> None:
    """One conversation without an end, slept on at once, with the configured embedder and no chat model."""
    with opened(Config()) as memory:
        memory.add([replace(turn, session="one") for turn in made_up(size)], "import", NOW)
        report, first = worked(memory)
        again, second = worked(memory)
    total = sum(job.seconds for job in report.jobs) or 1.0
    shares = ", ".join(f"{j.name} {j.seconds / total:.0%}" for j in report.jobs if j.seconds > 0.02 * total)
    print(f"\none session of {size:,} turns: {1000 * first / size:.2f} ms of processor a turn ({shares})")
    print(f"second night: {second:.2f} s of processor, {changes(again)} changes")


def worked(memory: Memory) -> tuple[NightReport, float]:
    """One night without a model and the seconds of processor time that it took."""
    began = time.process_time()
    report, _ = timed(memory, None, NOW)
    return report, time.process_time() - began


def changes(report: NightReport) -> int:
    """How much a night changed."""
    return sum(j.added + j.superseded + j.merged + j.faded for j in report.jobs)


def timed(memory: Memory, chat: object, now: datetime) -> tuple[NightReport, float]:
    """One night and its seconds."""
    started = time.perf_counter()
    report = sleep(memory, chat, now, budget_seconds=1e9)  # type: ignore[arg-type]
    return report, time.perf_counter() - started


def read(path: Path, most: int) -> list[Record]:
    """The first turns of a file in the import format, as the person or persons themselves said them."""
    unpack = gzip.open if path.suffix == ".gz" else open
    with unpack(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line, _ in zip(lines, range(most), strict=False)]
    return [
        turn(
            row["text"],
            now=NOW,
            said_at=datetime.fromisoformat(row["time"]),
            speaker=row["speaker"],
            role=row["role"],
            session=row["session"],
            external_id=row["id"],
        )
        for row in rows
    ]


def made_up(count: int) -> list[Record]:
    """Sentences from a seed, twenty to a conversation."""
    rng = Random(1)
    moments = (NOW - timedelta(minutes=5 * n) for n in range(count, 0, -1))
    return [
        turn(sentence(rng), now=NOW, said_at=moment, speaker="me", session=f"s{n // 20}")
        for n, moment in enumerate(moments)
    ]


@contextmanager
def opened(config: Config) -> Iterator[Memory]:
    """A memory in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        memory = open_memory(replace(find_home(Path(folder)), path=Path(folder)), config)
        yield memory
        memory.close()


if __name__ == "__main__":
    main()
