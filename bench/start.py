"""Start-up as ratios to a bare interpreter: `mem --help`, `mem list`, and `mem recall` with the daemon up and down.

python -m bench.start [--runs 15] [--memories 1000]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from app import encode, service
from app.clock import now
from app.config import Home, find_home
from app.open import open_memory

QUESTION = "what does the person of number 7 like"
MEM = (sys.executable, "-c", "from cli.main import main; main()")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--memories", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), find_home().models)
        fill(home, given.memories)
        recall = [*MEM, "recall", QUESTION, "--home", folder]
        rows = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "mem --help": [*MEM, "--help"],
            "mem list": [*MEM, "list", "--home", folder],
            "recall, no daemon": recall,
        }
        spent = measured(rows, given.runs)
        service.start(home)
        try:
            subprocess.run(recall, capture_output=True, check=True)  # the daemon loads its embedder once
            warm = measured({"python -c pass": rows["python -c pass"], "recall, daemon": recall}, given.runs)
        finally:
            service.stop(home)
    bare, bare_warm = spent["python -c pass"], warm["python -c pass"]
    print(f"{'':24}{'ms':>8}{'ratio':>8}{'goal':>8}")
    for name, seconds, base, goal in (
        ("python -c pass", bare, bare, ""),
        ("mem --help", spent["mem --help"], bare, "300 ms"),
        ("mem list", spent["mem list"], bare, "300 ms"),
        ("recall, daemon up", warm["recall, daemon"], bare_warm, "300 ms"),
        ("recall, no daemon", spent["recall, no daemon"], bare, "1.2 s"),
    ):
        print(f"{name:24}{seconds * 1000:8.0f}{seconds / base:8.1f}{goal:>8}")


def fill(home: Home, memories: int) -> None:
    """A store of that many short memories, embedded."""
    memory = open_memory(home)
    moment = now()
    records = [
        encode.turn(
            f"Person number {n} likes dish {n * 7 % 100} and song {n * 13 % 100}.",
            now=moment - timedelta(hours=n),
        )
        for n in range(memories)
    ]
    memory.add(records, "fill", moment)
    memory.close()


def measured(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, float]:
    """Median seconds of each command, the runs of all of them taking turns."""
    environment = {**os.environ, "MEM_HOME": "/nonexistent"}
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True, env=environment)
            spent[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in spent.items()}


if __name__ == "__main__":
    main()
