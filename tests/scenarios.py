"""What is done with a home while a disk fails or the process dies; what stood before, and what must hold after."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import nights

from app.backups import list_backups, make, put_back
from app.config import Home, find_home, load_config, replaced
from app.encode import turn
from app.exchange.importer import import_items
from app.exchange.items import Turn
from app.forget import forget, preview, settle
from app.keys import lock, open_up, unlock
from app.memory import Memory
from app.open import open_memory
from app.sleep.night import sleep
from storage.errors import StorageError
from storage.journal import state_hash
from storage.store import Store
from storage.vectors import VectorIndex

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


def nothing(*_: object) -> None:
    """An empty home, or one of which only what holds for every home is asked."""


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
    for backup in found[:2]:
        put_back(home, backup.path, NOW)
        assert {words for *_, words in nights.LIFE} <= set(texts(folder))


def with_backup(folder: Path) -> None:
    lived(folder)
    with opened(folder) as memory:
        make(memory, NOW)
        memory.add([turn("after the backup", now=NOW)], "say", NOW)


def with_old_backups(folder: Path) -> None:
    """More of them on one day, long ago, than are kept."""
    with_backup(folder)
    [newest] = list_backups(home_of(folder).backups)
    for hour in range(20):
        shutil.copy(newest.path, newest.path.with_name(f"mem-20240101T{hour:02}0000Z.db.gz"))


def bring_back(folder: Path, say: Say) -> None:
    [backup] = list_backups(home_of(folder).backups)
    put_back(home_of(folder), backup.path, NOW)
    say("restored")


def brought_back(folder: Path, said: Sequence[str]) -> None:
    kept = list(folder.glob("mem.db.before-restore-*Z"))
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
        lock(home, config, passphrase, "passphrase", NOW, ask)


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
    "import": Scenario(nothing, bring_in, brought_in),
    "sleep": Scenario(lived, night, slept),  # type: ignore[arg-type]
    "index": Scenario(indexed, build, built),
    "migrate": Scenario(nothing, migrate, nothing),
    "backup": Scenario(with_old_backups, back_up, backed_up),
    "restore": Scenario(with_backup, bring_back, brought_back),
    "encrypt": Scenario(with_backup, partial(change_key, passphrase=PASS[0]), same_under_some_key),  # type: ignore[arg-type]
    "change key": Scenario(locked, partial(change_key, passphrase=PASS[1]), same_under_some_key),  # type: ignore[arg-type]
    "decrypt": Scenario(locked, partial(change_key, passphrase=None), same_under_some_key),  # type: ignore[arg-type]
    "forget": Scenario(with_backup, erase, erased),
}
