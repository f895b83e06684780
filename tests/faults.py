"""Lives through failing disks and kill -9 at every call that changes a file, scenario by scenario.

LD_PRELOAD=faulty.so python tests/faults.py FOLDER EVERY SCENARIO...    prints one JSON line for each scenario

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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import nights

from app.backups import list_backups, make, put_back
from app.config import Home, find_home, load_config, replaced, save_setting
from app.doctor import verify
from app.encode import turn
from app.exchange.importer import import_items
from app.exchange.items import Turn
from app.forget import forget, preview, settle
from app.keys import lock, open_up, unlock
from app.memory import Memory
from app.open import open_memory
from app.sleep.night import sleep
from storage.check import full_text_problem, integrity_problems, vector_problems
from storage.errors import StorageError
from storage.files import FAULT_POINTS
from storage.journal import state_hash
from storage.store import Store
from storage.vectors import VectorIndex

ACTIONS = {"kill": 1, "torn": 2, "EIO": 3, "ENOSPC": 4, "short": 5}
NOW = nights.NOW
PASS = ("the first passphrase", "the second passphrase")
KNOWN = (StorageError, MemoryError, OSError)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Scenario:
    """What a home looks like before, what is done in it (saying what is acknowledged), and what must hold after."""

    before: Callable[[Path], None]
    act: Callable[[Path, Say], None]
    after: Callable[[Path, Sequence[str]], None]


def home_of(folder: Path) -> Home:
    return replace(find_home(folder), path=folder)


@contextmanager
def opened(folder: Path) -> Iterator[Memory]:
    home = home_of(folder)
    memory = open_memory(home, replaced(load_config(home.config), "models.embed", "fake"))
    try:
        yield memory
    finally:
        memory.close()


def texts(folder: Path) -> list[str]:
    with opened(folder) as memory:
        return [r.text for r in memory.store.records(newest_first=False)]


def lived(folder: Path) -> None:
    with opened(folder) as memory:
        nights.live(memory)


# -- what is done, and what must hold ------------------------------------------------------------


def write(folder: Path, say: Say) -> None:
    with opened(folder) as memory:
        for n in range(3):
            with suppress(*KNOWN):  # the same process goes on after a failure
                memory.add([turn(f"note {n}", now=NOW), turn(f"note {n}, too", now=NOW)], "say", NOW)
                say(f"note {n}")


def wrote(folder: Path, said: Sequence[str]) -> None:
    kept = [t for t in texts(folder) if t.startswith("note")]
    assert set(said) <= set(kept), (said, kept)
    assert len(set(kept)) == len(kept)
    assert all((f"{t}, too" in kept) for t in kept if "too" not in t), kept


ITEMS = [Turn(f"imported {n}", role="other", speaker="Lea", session="s", time=NOW) for n in range(9)]


def bring_in(folder: Path, say: Say) -> None:
    with opened(folder) as memory:
        for start in range(0, 9, 3):
            import_items(memory, ITEMS[start : start + 3], NOW)
            say(str(start + 3))


def brought_in(folder: Path, said: Sequence[str]) -> None:
    assert len(texts(folder)) >= int(said[-1] if said else 0)
    with opened(folder) as memory:
        import_items(memory, ITEMS, NOW)
    assert sorted(texts(folder)) == sorted(item.text for item in ITEMS)


def night(folder: Path, say: Say) -> None:
    with opened(folder) as memory:
        sleep(memory, nights.reader(), NOW)


def slept(folder: Path, said: Sequence[str], expected: str) -> None:
    assert [t for t in texts(folder) if t in {words for *_, words in nights.LIFE}]
    night(folder, lambda _: None)
    with opened(folder) as memory:
        assert state_hash(memory.store.connection) == expected


def indexed(folder: Path) -> None:
    with Store(folder / "mem.db") as store, store.atomic("say", NOW):
        index = store.vectors("m", 4)
        for seq in range(1, 81):
            index.put(seq, "text", [1.0, seq % 7, seq % 11, seq % 5], "h")


def index_of(store: Store) -> VectorIndex:
    return VectorIndex(store.connection, store.path.parent / "index", model="m", dim=4, exact_below=40)


def build(folder: Path, say: Say) -> None:
    with Store(folder / "mem.db") as store:
        index_of(store).build(NOW)


def built(folder: Path, said: Sequence[str]) -> None:
    with Store(folder / "mem.db") as store:
        exact = VectorIndex(store.connection, None, model="m", dim=4)
        for _ in range(2):
            assert index_of(store).search([1, 2, 3, 4], 9) == exact.search([1, 2, 3, 4], 9)
            index_of(store).build(NOW)
        assert index_of(store).status().mode == "hnsw"
        store.connection.execute("DELETE FROM vectors")  # they have no record


def migrate(folder: Path, say: Say) -> None:
    Store(folder / "mem.db").close()


def back_up(folder: Path, say: Say) -> None:
    with opened(folder) as memory:
        make(memory, NOW + timedelta(days=1))
        say("made")


def backed_up(folder: Path, said: Sequence[str]) -> None:
    home = home_of(folder)
    found = list_backups(home.backups)
    assert len(found) >= len(said)
    before = sorted(texts(folder))
    for backup in found:
        put_back(home, backup.path, NOW)
        assert sorted(texts(folder)) == before


def with_backup(folder: Path) -> None:
    lived(folder)
    with opened(folder) as memory:
        make(memory, NOW)
        memory.add([turn("after the backup", now=NOW)], "say", NOW)


def bring_back(folder: Path, say: Say) -> None:
    [backup] = list_backups(home_of(folder).backups)
    put_back(home_of(folder), backup.path, NOW)
    say("restored")


def brought_back(folder: Path, said: Sequence[str]) -> None:
    kept = [p for p in folder.glob("mem.db.before-restore-*Z")]
    whole = "after the backup" in texts(folder)
    assert not (whole and said)
    if not whole:
        with Store(kept[0]) as old:
            assert "after the backup" in [r.text for r in old.records()]


def change_key(folder: Path, say: Say, passphrase: str | None) -> None:
    home = home_of(folder)
    config, ask = load_config(home.config), lambda: PASS[0]
    if passphrase is None:
        open_up(home, config, ask)
    else:
        lock(home, config, passphrase, "passphrase", ask)


def locked(folder: Path) -> None:
    with_backup(folder)
    change_key(folder, lambda _: None, PASS[0])


def same_under_some_key(folder: Path, said: Sequence[str], expected: str) -> None:
    home = home_of(folder)
    for phrase in PASS:
        with suppress(StorageError):
            key = unlock(home, load_config(home.config), lambda phrase=phrase: phrase)  # type: ignore[misc]
            with Store(home.database, key=key) as store:
                assert state_hash(store.connection) == expected
                if key is not None:
                    assert not plain_words(folder)
            open_up(home, load_config(home.config), lambda phrase=phrase: phrase)  # type: ignore[misc]
            return
    raise AssertionError("no key opens it")


def plain_words(folder: Path) -> list[str]:
    from bench.canaries import hits

    return [name for name, _ in hits(folder, ["wonderful dinner", "bathroom tiles"])]


def erase(folder: Path, say: Say) -> None:
    with opened(folder) as memory:
        gone = [r for r in memory.store.records() if "parrot" in r.text]
        if gone:
            forget(memory, preview(memory, gone), NOW)
        settle(memory, NOW)
        say("erased")


def erased(folder: Path, said: Sequence[str]) -> None:
    from bench.canaries import hits

    erase(folder, lambda _: None)
    assert not list(hits(folder, ["parrot"]))
    assert list_backups(home_of(folder).backups)


SCENARIOS: dict[str, Scenario] = {
    "write": Scenario(lived, write, wrote),
    "import": Scenario(lambda folder: None, bring_in, brought_in),
    "sleep": Scenario(lived, night, slept),  # type: ignore[arg-type]
    "index": Scenario(indexed, build, built),
    "migrate": Scenario(lambda folder: None, migrate, lambda folder, said: None),
    "backup": Scenario(lived, back_up, backed_up),
    "restore": Scenario(with_backup, bring_back, brought_back),
    "encrypt": Scenario(with_backup, partial(change_key, passphrase=PASS[0]), same_under_some_key),  # type: ignore[arg-type]
    "change key": Scenario(locked, partial(change_key, passphrase=PASS[1]), same_under_some_key),  # type: ignore[arg-type]
    "decrypt": Scenario(locked, partial(change_key, passphrase=None), same_under_some_key),  # type: ignore[arg-type]
    "forget": Scenario(with_backup, erase, erased),
}


# -- living through it ---------------------------------------------------------------------------


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


def sound(folder: Path) -> None:
    """The home opens within two seconds, is whole, replays to itself, and takes and finds a new memory."""
    started = time.monotonic()
    with opened(folder) as memory:
        assert time.monotonic() - started < 2
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


def at_every_call(folder: Path, name: str, every: int) -> dict[str, object]:
    """Each `every`th call of a scenario with each way to fail; what was lived through, and what went wrong."""
    start, scenario = prepared(folder, name)
    copy = folder / "copy"
    shutil.copytree(start, copy)
    count = calls(copy, scenario)
    wrong, died, failed, runs = [], 0, 0, 0
    for number in range(1, count + 1):
        for turn_, action in enumerate(ACTIONS):
            if (number + turn_) % every:
                continue
            status, problem = disturbed(start, copy, scenario, lambda f: arm(f, number, action))  # noqa: B023
            runs += 1
            died += os.WIFSIGNALED(status)
            failed += os.WIFEXITED(status) and os.WEXITSTATUS(status) == 3
            if problem:
                wrong.append([number, action, problem])
    return {"name": name, "calls": count, "runs": runs, "died": died, "failed": failed, "wrong": wrong}


def at_every_point(folder: Path, name: str, actions: Sequence[str]) -> dict[str, object]:
    """Every named point in one scenario, with each of `actions`: which were reached, and what went wrong."""
    start, scenario = prepared(folder, name)
    reached, wrong = set(), []
    for point in (*FAULT_POINTS, *(nights.STEPS if name == "sleep" else ())):
        for action in actions:

            def disturb(_: Path, fault: str = f"{point}:{action}") -> None:
                os.environ["MEM_FAULT"] = fault

            status, problem = disturbed(start, folder / "copy", scenario, disturb)
            if os.WIFSIGNALED(status):
                reached.add(point)
            elif action == actions[0] == "kill":
                break  # this scenario does not come by
            if problem:
                wrong.append([point, action, problem])
    return {"name": name, "reached": sorted(reached), "wrong": wrong}


def main(folder: str, every: str, *names: str) -> None:
    os.environ["MEM_PASSPHRASE"] = ""
    for name in names or SCENARIOS:
        found = at_every_call(Path(folder) / name, name, int(every))
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
