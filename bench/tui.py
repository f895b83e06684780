"""The screens with many memories: first paint from a cold start, search as it is typed, and whether they ever stall.

    python -m bench.tui [MEMORIES]

Texts are made from a seed; no model takes part, so that what is measured is the screens and the store.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from app.config import Config, Home, ModelsConfig
from app.encode import turn
from app.memory import Memory
from app.open import open_memory

NOW = datetime(2024, 5, 1, 9, tzinfo=UTC)
WORDS = (
    ("Ana", "Ben", "my sister", "our neighbour", "the new colleague", "Dr. Ruiz"),
    ("went climbing", "bought a bicycle", "burnt the rice", "talked about the contract", "planted tomatoes"),
    ("in Porto", "by the river", "at the office", "in the old town", "on the way home", "at my parents'"),
    ("because it rained", "and laughed", "for the third time", "before the meeting", "with the dog"),
)
CONFIG = Config(models=ModelsConfig(chat="fake", embed="minilm-int8"))  # the embedder's folder is empty
TYPED = ("bicycle", "rice neighbour", "contract", "tomatoes office", "sister climbing porto")
STARTS = 7
PLACES = ("memories", "timeline", "graph", "forgetting", "nights", "health", "chat")


def opener(home: Home) -> Callable[[], Memory]:
    """What the screens open their memories with."""
    return lambda: open_memory(home, CONFIG)


def fill(home: Home, count: int) -> None:
    """Store `count` turns over eight years."""
    rng, memory = Random(1), open_memory(home, CONFIG)
    step = timedelta(days=8 * 365) / count
    moments = (NOW - step * n for n in range(count, 0, -1))
    texts = (
        f"Today {' '.join(map(rng.choice, WORDS))}, for {rng.randint(2, 900)} minutes." for _ in range(count)
    )
    records = [
        turn(text, now=NOW, said_at=moment, speaker="me", session=f"s{n // 40}")
        for n, (text, moment) in enumerate(zip(texts, moments, strict=True))
    ]
    memory.add(records, "import", NOW)
    memory.close()


def paint(home: Home, spawned: float) -> None:
    """In a process of its own: run the screens until the first has its data, and print the seconds since `spawned`."""
    from tui.app import MemApp, settle

    settle()
    app = MemApp(opener(home), clock=lambda: NOW)

    async def watch(_: object) -> None:
        while not app.screen.query("#welcome"):
            await asyncio.sleep(0.002)
        painted = asyncio.Event()
        app.call_after_refresh(painted.set)
        await painted.wait()
        print(time.time() - spawned, time.process_time())
        app.exit()

    app.run(headless=True, size=(80, 24), auto_pilot=watch)


def first_paint(home: Home) -> tuple[float, float]:
    """Median seconds from starting Python to a screen with its data; and the processor's seconds among them."""
    took, worked = [], []
    for _ in range(STARTS):
        command = [sys.executable, "-m", "bench.tui", "--paint", str(home.path), str(time.time())]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        wall, cpu = map(float, done.stdout.split()[-2:])
        took.append(wall)
        worked.append(cpu)
    return statistics.median(took), statistics.median(worked)


async def drive(home: Home) -> tuple[list[float], list[float], list[float]]:
    """Seconds from each key press of a search to its answer on the screen; meanwhile every beat's delay, and the
    part of it that the screen's own thread computed (on a busy machine the rest was others' turn)."""
    from textual.widgets import Input

    from tui.app import MemApp, settle
    from tui.memories import MemoriesScreen

    app = MemApp(opener(home), clock=lambda: NOW)
    late, beats, own = [], [], []

    async def heart() -> None:
        while True:
            before, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(0.005)
            beats.append(time.perf_counter() - before - 0.005)
            own.append(time.thread_time() - worked)

    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.5)
        for place in PLACES:
            await app.action_go(place)
            await pilot.pause(0.8)  # opening a screen once costs its layout; what follows must not stall
        await app.action_go("memories")
        await pilot.pause(0.5)
        screen = app.screen
        assert isinstance(screen, MemoriesScreen)
        settle()
        beating = asyncio.create_task(heart())
        box = screen.query_one(Input)
        for words in TYPED:
            for end in range(1, len(words) + 1):
                shown, before = screen.shown, time.perf_counter()
                box.value = words[:end]
                while screen.shown == shown:
                    await asyncio.sleep(0.001)
                late.append(time.perf_counter() - before)
        for place in PLACES:
            await app.action_go(place)
            await pilot.pause(0.3)
        beating.cancel()
    return late, beats, own


def main() -> None:
    """Measure and print."""
    if sys.argv[1:2] == ["--paint"]:
        home = Home(Path(sys.argv[2]), Path(sys.argv[2]) / "models")
        paint(home, float(sys.argv[3]))
        return
    if sys.argv[1:2] == ["--fill"]:
        fill(Home(Path(sys.argv[2]), Path(sys.argv[2]) / "models"), int(sys.argv[3]))
        return
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), Path(folder) / "models")
        subprocess.run([sys.executable, "-m", "bench.tui", "--fill", folder, str(count)], check=True)
        painted, computed = first_paint(home)
        late, beats, own = asyncio.run(drive(home))
    late.sort()
    beats.sort()
    own.sort()
    print(f"| {count:,} memories | measured | bound |\n|---|---|---|")
    print(f"| start to first paint with data, median of {STARTS} | {painted:.2f} s | 0.80 s |")
    print(f"| the same without what others took of the processor | {computed:.2f} s | 0.80 s |")
    print(
        f"| key press to answer on screen, median of {len(late)} | {statistics.median(late) * 1000:.0f} ms | 100 ms |"
    )
    print(f"| the same, 95 of 100 within | {late[int(len(late) * 0.95)] * 1000:.0f} ms | 100 ms |")
    print(f"| longest stall of the screen in {len(beats)} beats | {beats[-1] * 1000:.0f} ms | 50 ms |")
    print(f"| the same without what others took of the processor | {own[-1] * 1000:.0f} ms | 50 ms |")
    print(f"| 99 of 100 beats within | {beats[int(len(beats) * 0.99)] * 1000:.0f} ms | 50 ms |")


if __name__ == "__main__":
    main()
