"""What the store is trusted for, measured: secrets, planted records, deletion, encryption, crowds, kills, privacy.

    python -m bench.trust [PART...]      secrets planted deletion locked crowd kills private

Prints one table. MEM_SOAK=1 runs the long versions: more kills, and the planted set with a real chat model.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from app.config import Config, replaced, save_setting
from app.encode import turn
from app.guard.secrets import find_secrets
from bench import planted
from bench.canaries import COUNT, NOW, deletion, hits, live, opened, word
from storage.check import integrity_problems

ROOT = Path(__file__).parent.parent
DATA = ROOT / "tests" / "data"


def labelled(name: str = "secrets") -> list[dict[str, object]]:
    """The lines of a labelled file: text, secrets, group (structured, prose, negative)."""
    return [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def is_hidden(text: str, secret: str) -> bool:
    """Whether no character of the secret would be kept."""
    start = text.index(secret)
    covered = {n for found in find_secrets(text) for n in range(found.start, found.end)}
    return all(n in covered for n, c in enumerate(secret, start) if c.isalnum())


def missed_and_false(name: str = "secrets") -> dict[str, tuple[int, list[str]]]:
    """By group: how many labels there are, and the lines that went wrong."""
    count: dict[str, int] = defaultdict(int)
    wrong: dict[str, list[str]] = defaultdict(list)
    for line in labelled(name):
        text, secrets, group = str(line["text"]), list(line["secrets"]), str(line["group"])  # type: ignore[call-overload]
        count[group] += 1
        failed = not all(is_hidden(text, s) for s in secrets) if secrets else bool(find_secrets(text))
        if failed:
            wrong[group].append(text)
    return {group: (count[group], wrong[group]) for group in count}


def locked(folder: Path) -> tuple[int, int]:
    """Live in an encrypted home while a thread looks at its files: (looks, words in the clear at any time)."""
    config = replaced(Config(), "encryption.mode", "passphrase")
    os.environ["MEM_PASSPHRASE"] = "a sentence that nobody guesses"
    words = [word(n) for n in range(COUNT)]
    seen: set[tuple[str, str]] = set()
    looks, over = 0, threading.Event()

    def watch() -> None:
        nonlocal looks
        while not over.is_set():
            seen.update(h for h in hits(folder, words) if h[0] != "old.state")
            looks += 1

    watcher = threading.Thread(target=watch)
    watcher.start()
    memory = opened(folder, config)
    live(memory)
    memory.close()
    over.set()
    watcher.join()
    del os.environ["MEM_PASSPHRASE"]
    return looks, len(seen | {h for h in hits(folder, words) if h[0] != "old.state"})


def crowd(folder: Path, writers: int = 8, writes: int = 500) -> tuple[int, list[float]]:
    """Processes that write at once: (writes that failed or were lost, milliseconds of each write)."""
    opened(folder).close()
    command = [sys.executable, "-m", "bench.trust", "--writer", str(folder), str(writes)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(writers)]
    took = [json.loads(process.communicate()[0] or "[]") for process in running]
    memory = opened(folder)
    kept = memory.store.counts().get("episodic", 0)
    memory.close()
    return writers * writes - kept, sorted(ms for times in took for ms in times)


def _writer(folder: Path, writes: int) -> None:
    memory = opened(folder)
    took = []
    for number in range(writes):
        started = time.perf_counter()
        with memory.store.atomic("say", NOW):
            memory.store.insert([turn(f"Note {number} of {os.getpid()}.", now=NOW)])
        took.append(1000 * (time.perf_counter() - started))
    print(json.dumps(took))


def kills(folder: Path, cycles: int, memories: int = 0) -> tuple[int, int, float]:
    """Kill a writer at random, `cycles` times: (acknowledged and lost, broken stores, slowest until usable in seconds).

    Usable: opened, a new memory written and found. The store begins with so many `memories`.
    """
    memory = opened(folder)
    for start in range(0, memories, 2000):
        with memory.store.atomic("say", NOW):
            memory.store.insert(turn(f"Note {start + n} of long ago.", now=NOW) for n in range(2000))
    said = memory.store.last_seq()
    memory.close()
    rng, lost, broken, slowest = Random(3), 0, 0, 0.0
    for cycle in range(cycles):
        said += _killed_writer(folder, rng.uniform(0.0, 0.05))
        started = time.perf_counter()
        memory = opened(folder)
        with memory.store.atomic("say", NOW):
            [new] = memory.store.insert([turn(f"Usable after kill{cycle}.", now=NOW)])
        assert [seq for seq, _ in memory.store.search_text(f"kill{cycle}", 1)] == [new.seq]
        slowest = max(slowest, time.perf_counter() - started)
        lost += max(0, said + 1 - memory.store.last_seq())
        said = memory.store.last_seq()
        if memories == 0 or cycle == cycles - 1:
            broken += bool(integrity_problems(memory.store.connection))
        memory.close()
    return lost, broken, slowest


def _killed_writer(folder: Path, seconds: float) -> int:
    """A forked writer, killed, so many seconds after its first write; how many it acknowledged."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        memory = opened(folder)
        while True:
            with memory.store.atomic("say", NOW):
                memory.store.insert([turn("Something was said.", now=NOW)])
            os.write(writing, b".")
    os.close(writing)
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        acknowledged = len(pipe.read(1) or b"")
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        acknowledged += len(pipe.readall() or b"")
    os.waitpid(child, 0)
    return acknowledged


def open_to_others(folder: Path) -> list[str]:
    """Live a day and two nights under umask 000: files and folders that anyone else could read."""
    before = os.umask(0)
    try:
        memory = opened(folder)
        live(memory)
        save_setting(memory.home.config, "user.name", "me")
        memory.close()
    finally:
        os.umask(before)
    # A folder that nobody else can enter hides what is in it; files are held to the same all the same.
    return [
        str(p) for p in (folder, *folder.rglob("*")) if p.stat().st_mode & 0o077 and p.name != "old.state"
    ]


def rows(names: Sequence[str], soak: bool) -> Iterator[tuple[str, str, str]]:
    """(what, measured, bound) of each part asked for."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        if "secrets" in names:
            for name in ("secrets", "secrets_held_out"):
                for group, (count, wrong) in missed_and_false(name).items():
                    yield f"{name}, {group}: wrong of {count}", f"{len(wrong) / count:.1%}", BOUNDS[group]
        if "planted" in names:
            for label, chat, attack in (
                ("rules", None, planted.STYLES),
                ("a model that obeys", planted.obeying(), planted.STYLES),
                ("the same, attacks in other words", planted.obeying(), planted.held_out()),
            ):
                honest = 2000 if soak else 600
                o = planted.outcome(home / label, chat, planted.obeying, honest, attack)
                found = f"{o.steering} / {o.upgraded} / {o.actions} / {o.lost:.1%} / {o.hijacked:.1%} / {o.reached:.1%}"
                what = f"{o.planted} planted, {label}: steering / upgraded / actions / honest lost / hijacked / reached"
                yield what, found, "0 / 0 / 0 / 2 % / 5 %"
        if "deletion" in names:
            held, _, again, left = deletion(home / "deletion")
            yield f"{held} canaries forgotten: left / came back", f"{len(left)} / {again}", "0 / 0"
        if "locked" in names:
            looks, seen = locked(home / "locked")
            yield f"encrypted home: canaries in the clear ({looks} looks while it lived)", str(seen), "0"
        if "crowd" in names:
            for run in range(
                3
            ):  # a shared machine is slow for all of them at times, so it says how busy it was
                busy = os.getloadavg()[0]
                lost, took = crowd(home / f"crowd{run}")
                at = " / ".join(f"{took[int(len(took) * share)]:.1f}" for share in (0.5, 0.95, 0.99))
                what = f"8 x 500 writes, {busy:.1f} others running on {os.cpu_count()} cores: lost; p50 / p95 / p99 ms"
                yield what, f"{lost}; {at}", "0; 50"
        if "kills" in names:
            for cycles, memories in ((1000 if soak else 20, 0), (5, 100_000)):
                gone, broken, slowest = kills(home / f"kills{memories}", cycles, memories)
                what = f"{cycles} kills, {memories:,} memories: lost / broken / slowest until usable"
                yield what, f"{gone} / {broken} / {slowest:.2f} s", "0 / 0 / 2 s"
        if "private" in names:
            yield "files open to others under umask 000", str(len(open_to_others(home / "private"))), "0"


BOUNDS = {"structured": "5 %", "prose": "15 %", "negative": "2 %"}
PARTS = ("secrets", "planted", "deletion", "locked", "crowd", "kills", "private")


def main() -> None:
    """Measure and print; or be one of the processes that the parts start."""
    match sys.argv[1:]:
        case ["--writer", folder, writes]:
            _writer(Path(folder), int(writes))
        case names:
            print("| what | measured | bound |\n|---|---|---|")
            for row in rows(names or PARTS, bool(os.environ.get("MEM_SOAK"))):
                print(f"| {' | '.join(row)} |", flush=True)


if __name__ == "__main__":
    main()
