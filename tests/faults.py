"""Lives through failing disks and kill -9 at every call that changes a file, scenario by scenario.

LD_PRELOAD=faulty.so python tests/faults.py FOLDER MOST SCENARIO...     one JSON line for each (MOST 0: every call)
python tests/faults.py FOLDER points ACTION...                          the points that the code names itself
python tests/faults.py FOLDER once SCENARIO                             undisturbed, in FOLDER/act

Every scenario is lived once undisturbed, with its calls counted, and then once for each call and each way to fail, in a
child process over a copy of the home. After each the home must be sound, hold all that was acknowledged and nothing
that was never said, and be of use.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import nights
from scenarios import KNOWN, NOW, PASS, SCENARIOS, Say, Scenario, home_of, lived, night, opened

from app import keys
from app.config import load_config, save_setting
from app.doctor import verify
from app.encode import turn
from app.keys import open_up
from storage.check import full_text_problem, integrity_problems, vector_problems
from storage.files import FAULT_POINTS
from storage.journal import state_hash

ACTIONS = {"kill": 1, "torn": 2, "EIO": 3, "ENOSPC": 4, "short": 5}


def child(act: Callable[[Say], None]) -> tuple[int, list[str]]:
    """Run it in a child process: (wait status, what it acknowledged)."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        try:
            act(lambda words: os.write(writing, f"{words}\n".encode()) and None)
        except KNOWN:
            os._exit(3)
        except BaseException as error:  # noqa: BLE001 - shown by the parent
            os.write(2, f"{error!r}\n".encode())
            os._exit(9)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        said = pipe.read().splitlines()
    return os.waitpid(pid, 0)[1], said


def arm(folder: Path, number: int, action: str) -> None:
    """Let the nth change of a file in `folder` go wrong; a named point (`point:action`) goes by the environment."""
    ctypes.CDLL(None).faulty_arm(str(folder).encode(), number, ACTIONS[action])


def calls(folder: Path, scenario: Scenario) -> int:
    """How many calls that change a file the scenario makes."""

    def counted(say: Say) -> None:
        arm(folder, -1, "kill")
        scenario.act(folder, lambda _: None)
        say(str(ctypes.CDLL(None).faulty_seen()))

    status, said = child(counted)
    assert status == 0, status
    return int(said[-1])


def own_seconds() -> float:
    """The clock, less the time that other programs kept this one from a processor where Linux tells it."""
    told = Path("/proc/self/schedstat")
    kept = int(told.read_text().split()[1]) / 1e9 if told.exists() else 0.0
    return time.monotonic() - kept


def sound(folder: Path) -> None:
    """The home opens within two seconds, is whole, replays to itself, and takes and finds a new memory."""
    started = own_seconds()
    with opened(folder) as memory:
        assert (took := own_seconds() - started) < 2, f"usable after {took:.1f} s"
        db = memory.store.connection
        assert not integrity_problems(db)
        assert not full_text_problem(db)
        assert not vector_problems(db)
        assert all(check.ok for check in verify(memory))
        [new] = memory.add([turn("usable again", now=NOW)], "say", NOW)
        assert [seq for seq, _ in memory.store.search_text("usable", 3)] == [new.seq]


def disturbed(
    start: Path, folder: Path, scenario: Scenario, disturb: Callable[[Path], None]
) -> tuple[int, str]:
    """Live the scenario over a copy with the fault that `disturb` sets: (wait status, what is wrong afterwards)."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(start, folder)

    def act(say: Say) -> None:
        disturb(folder)
        scenario.act(folder, say)

    status, said = child(act)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 9:
        return status, "it ended with an error that is not ours"
    try:
        scenario.after(folder, said)
        sound(folder)
    except (AssertionError, IndexError, *KNOWN) as error:
        return status, repr(error)
    return status, ""


def prepared(folder: Path, name: str) -> tuple[Path, Scenario]:
    """The home before a scenario, and the scenario with what its end is compared with."""
    scenario, start = SCENARIOS[name], folder / "start"
    start.mkdir(mode=0o700, parents=True)
    save_setting(start / "config.toml", "models.embed", "fake")
    scenario.before(start)
    if name in ("sleep", "encrypt", "change key", "decrypt"):
        right = folder / "right"
        shutil.copytree(start, right)
        if name == "sleep":
            night(right, lambda _: None)
        elif name != "encrypt":
            open_up(home_of(right), load_config(right / "config.toml"), lambda: PASS[0])
        with opened(right) as memory:
            expected = state_hash(memory.store.connection)
        scenario = replace(scenario, after=partial(scenario.after, expected=expected))
    return start, scenario


def at_every_call(folder: Path, name: str, most: int) -> dict[str, object]:
    """Every call of a scenario with each way to fail, or `most` of these, evenly: what was lived through, and what
    went wrong."""
    start, scenario = prepared(folder, name)
    copy = folder / "copy"
    shutil.copytree(start, copy)
    count = calls(copy, scenario)
    cases = [(number, action) for number in range(1, count + 1) for action in ACTIONS]
    chosen = cases if not most else [cases[n * len(cases) // most] for n in range(most)]
    wrong, died, failed = [], 0, 0
    for number, action in chosen:
        status, problem = disturbed(start, copy, scenario, partial(arm, number=number, action=action))
        died += os.WIFSIGNALED(status)
        failed += os.WIFEXITED(status) and os.WEXITSTATUS(status) == 3
        if problem:
            wrong.append([number, action, problem])
    return {"name": name, "calls": count, "runs": len(chosen), "died": died, "failed": failed, "wrong": wrong}


WHERE = {"store": "write", "schema": "migrate", "index": "index", "restore": "restore"}
"""The scenario that comes by the named points of each kind; a night by those of its jobs, a backup by the rest."""


def scenario_of(point: str) -> str:
    return WHERE.get(point.split(".")[0], "backup" if point in FAULT_POINTS else "sleep")


def at_every_point(folder: Path, actions: Sequence[str]) -> dict[str, object]:
    """Every named point, in the scenario that comes by it, with each action: where it was met, and what went wrong."""
    met, wrong = [], []
    places = {name: prepared(folder / name, name) for name in set(map(scenario_of, POINTS))}
    for point in POINTS:
        start, scenario = places[scenario_of(point)]
        for action in actions:

            def disturb(_: Path, fault: str = f"{point}:{action}") -> None:
                os.environ["MEM_FAULT"] = fault

            status, problem = disturbed(start, start.parent / "copy", scenario, disturb)
            if status != 0:
                met.append([point, action])
            if problem:
                wrong.append([point, action, problem])
    return {"met": met, "wrong": wrong}


POINTS = (*FAULT_POINTS, *nights.STEPS)


def main(folder: str, what: str, *names: str) -> None:
    os.environ.pop("MEM_PASSPHRASE", None)
    keys.OPERATIONS, keys.MEMORY_BYTES = 1, 8192  # thousands of keys are derived here
    lived(Path(folder) / "warm")  # what Python loads at first is no part of the time until a home is of use
    sound(Path(folder) / "warm")
    if what == "points":
        sys.stdout.write(json.dumps(at_every_point(Path(folder), names)) + "\n")
        return
    if what == "once":
        start, scenario = prepared(Path(folder), names[0])
        shutil.copytree(start, Path(folder) / "copy").rename(Path(folder) / "act")
        scenario.act(Path(folder) / "act", lambda _: None)
        return
    for name in names or SCENARIOS:
        found = at_every_call(Path(folder) / name, name, int(what))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
