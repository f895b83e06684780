"""Damaged index generations, their rows, and the log: flipped, cut, swapped, lost. Answers equal exact search."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from storage.check import integrity_problems, vector_problems
from storage.database import connect, memory
from storage.files import sha256, sweep
from storage.journal import replay, state_hash
from storage.records import Kind, Record, Source
from storage.store import Store
from storage.vectors import VectorIndex

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
DIM = 16
COUNT = 1_000
QUERIES = np.random.default_rng(9).standard_normal((6, DIM))


def opened(db: Any, folder: Path) -> VectorIndex:
    return VectorIndex(db, folder / "index", model="m", dim=DIM, exact_below=500)


def said(text: str) -> Record:
    return Record(Kind.EPISODIC, text, Source.USER_SAID, Source.USER_SAID, event_time=NOW, recorded_at=NOW)


def fill(db: Any, index: VectorIndex, first: int, count: int) -> None:
    db.execute("BEGIN")
    for seq in range(first, first + count):
        index.put(seq, "text", np.random.default_rng(seq).standard_normal(DIM), "h")
    db.execute("COMMIT")


def answers(index: VectorIndex) -> list[Any]:
    return [index.search(query, 10) for query in QUERIES]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of two generations and a tail after them."""
    folder = tmp_path_factory.mktemp("whole")
    db = connect(folder / "mem.db")
    index = opened(db, folder)
    fill(db, index, 1, COUNT)
    assert index.build(NOW)
    fill(db, index, COUNT + 1, 100)
    assert index.build(NOW + timedelta(days=1))
    fill(db, index, COUNT + 101, 20)
    db.close()
    return folder


@pytest.fixture
def home(whole: Path, tmp_path: Path) -> Iterator[tuple[Any, Path]]:
    """A copy of it to damage, and its connection."""
    folder = tmp_path / "copy"
    shutil.copytree(whole, folder)
    db = connect(folder / "mem.db")
    yield db, folder
    db.close()


def exact(db: Any) -> list[Any]:
    return answers(VectorIndex(db, None, model="m", dim=DIM))


def files(folder: Path) -> list[Path]:
    """The newest generation's two files, then the older one's."""
    return sorted((folder / "index").iterdir(), key=lambda p: p.name, reverse=True)


def flip(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)


def blank_page(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    start = dice.randrange(len(data)) // 4096 * 4096
    data[start : start + 4096] = bytes(len(data[start : start + 4096]))
    path.write_bytes(data)


def noise_page(path: Path, dice: random.Random) -> None:
    data = bytearray(path.read_bytes())
    start = dice.randrange(len(data)) // 4096 * 4096
    data[start : start + 4096] = dice.randbytes(len(data[start : start + 4096]))
    path.write_bytes(data)


def cut(path: Path, dice: random.Random) -> None:
    os.truncate(path, dice.randrange(path.stat().st_size))


def lengthen(path: Path, dice: random.Random) -> None:
    path.write_bytes(path.read_bytes() + dice.randbytes(100))


def foreign(path: Path, dice: random.Random) -> None:
    path.write_bytes(dice.randbytes(50_000))


def empty(path: Path, dice: random.Random) -> None:
    path.write_bytes(b"")


def lose(path: Path, dice: random.Random) -> None:
    path.unlink()


def lock_out(path: Path, dice: random.Random) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [flip, blank_page, noise_page, cut, lengthen, foreign, empty, lose, lock_out]


@pytest.mark.parametrize("which", [0, 1], ids=["rows", "graph"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_generation_gives_way_to_the_one_before(
    home: tuple[Any, Path], damage: Callable[[Path, random.Random], None], which: int
) -> None:
    db, folder = home
    damage(files(folder)[which], random.Random(1))
    index = opened(db, folder)
    assert answers(index) == exact(db)
    assert index.status().mode == "hnsw"
    assert len(index.status().damaged) == 1
    assert index.status().tail == 120


def test_with_all_generations_damaged_search_is_exact_until_the_next_build(home: tuple[Any, Path]) -> None:
    db, folder = home
    for path in files(folder):
        flip(path, random.Random(2))
    index = opened(db, folder)
    assert answers(index) == exact(db)
    assert (index.status().mode, len(index.status().damaged)) == ("exact", 2)
    assert index.due()
    assert index.build(NOW)
    assert answers(opened(db, folder)) == exact(db)
    assert (index.status().mode, index.status().damaged) == ("hnsw", ())


def test_a_folder_that_is_gone(home: tuple[Any, Path]) -> None:
    db, folder = home
    (folder / "index").rename(folder / "elsewhere")
    index = opened(db, folder)
    assert answers(index) == exact(db)
    assert index.build(NOW)
    assert answers(index) == exact(db)


@pytest.mark.parametrize(
    "change",
    [
        "file = '../mem.db'",
        "file = ''",
        "file = 'text-1000-1.hnsw'",
        "count = 3",
        "count = 10000000",
        "sha256 = ''",
        "sha256 = 'x' || sha256",
        "watermark = 0",
        "watermark = 1120",
    ],
)
def test_a_row_that_does_not_fit_its_files(home: tuple[Any, Path], change: str) -> None:
    db, folder = home
    db.execute(f"UPDATE OR IGNORE generations SET {change} WHERE id = 2")
    assert answers(opened(db, folder)) == exact(db)


def test_a_damaged_row_takes_no_other_file_with_it(home: tuple[Any, Path]) -> None:
    db, folder = home
    db.execute("UPDATE generations SET file = '../mem.db'")
    index = opened(db, folder)
    for day in range(3):
        fill(db, index, 5_000 * (day + 1), COUNT * 3)
        assert index.build(NOW)
    assert (folder / "mem.db").exists()


def test_a_generation_from_before_a_restore_does_not_speak_for_other_rows(home: tuple[Any, Path]) -> None:
    db, folder = home
    db.execute("DELETE FROM vectors WHERE seq > 200")
    index = opened(db, folder)
    assert answers(index) == exact(db)
    assert len(index.search(QUERIES[0], 500)) == 200


def test_files_of_another_home_are_no_generation_of_this_one(home: tuple[Any, Path], tmp_path: Path) -> None:
    db, folder = home
    other = tmp_path / "other"
    other.mkdir()
    there = connect(other / "mem.db")
    fill(there, opened(there, other), 5_000, COUNT)
    assert opened(there, other).build(NOW)
    newest = files(folder)
    for mine, theirs in zip(newest[:2], files(other), strict=True):
        mine.write_bytes(theirs.read_bytes())
    there.close()
    assert answers(opened(db, folder)) == exact(db)


def test_the_hash_covers_both_files_in_their_order(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_bytes(b"one")
    b.write_bytes(b"two")
    assert sha256(a, b) != sha256(b, a)


CRASHES = """
import json, os, sys
from pathlib import Path
sys.path[:0] = ["tests"]
import test_index_damage as t
from storage.errors import StoreReadOnly
folder = Path(sys.argv[1])
db = t.connect(folder / "mem.db")
t.fill(db, t.opened(db, folder), 1, 600)
db.close()
done = 0
for point in ("index.add", "file.write", "file.fsync", "file.rename", "file.folder", "index.row", "index.sweep"):
    child = os.fork()
    if child == 0:
        os.environ["MEM_FAULT"] = f"{point}:{sys.argv[2]}"
        db = t.connect(folder / "mem.db")
        try:
            t.opened(db, folder).build(t.NOW)
        except (MemoryError, StoreReadOnly, OSError):
            pass
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    died = os.WIFSIGNALED(status)
    assert died or os.WEXITSTATUS(status) == 0
    db = t.connect(folder / "mem.db")
    index = t.opened(db, folder)
    same = t.answers(index) == t.exact(db)
    rebuilt = index.build(t.NOW) or not index.due()
    print(json.dumps([point, died, same, rebuilt, t.answers(index) == t.exact(db)]), flush=True)
    t.fill(db, index, 10_000 * (done := done + 1), 100)
    db.close()
t.sweep(folder / "index")
print(json.dumps(sorted(p.name for p in (folder / "index").iterdir() if p.name.startswith("."))))
"""


@pytest.mark.parametrize("action", ["kill", "short", "memory", "EIO"])
def test_a_crash_at_any_step_of_a_build_loses_nothing(tmp_path: Path, action: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", CRASHES, str(tmp_path), action],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert run.returncode == 0, run.stderr
    *steps, left_over = [json.loads(line) for line in run.stdout.splitlines()]
    assert [point for point, died, *_ in steps if died] == (
        [p for p, *_ in steps] if action == "kill" else []
    )
    assert all(same and rebuilt and again for _, _, same, rebuilt, again in steps)
    assert left_over == []


LONG = (pytest.mark.soak, pytest.mark.skipif("MEM_SOAK" not in os.environ, reason="long: `make soak`"))
TIMES = [12, pytest.param(500, marks=LONG)]
MANIFEST = [
    f"{column} = {value}"
    for column, values in {
        "file": ("''", "'../mem.db'", "x'00ff'", "hex(randomblob(9))"),
        "sha256": (
            "''",
            "'-'",
            "hex(randomblob(32))",
            "(SELECT sha256 FROM generations ORDER BY id LIMIT 1)",
        ),
        "count": ("0", "-1", "abs(random())", "count + 1"),
        "watermark": ("0", "-1", "abs(random())", "watermark - 7", "watermark + 20", "x'00'"),
    }.items()
    for value in values
]


@pytest.mark.parametrize("times", TIMES)
def test_random_damages_of_files_and_manifest_change_no_answer(home: tuple[Any, Path], times: int) -> None:
    db, folder = home
    right = exact(db)
    dice = random.Random(7)
    whole = {path: path.read_bytes() for path in files(folder)}
    for n in range(times):
        db.execute("BEGIN")
        if n % 2:
            change, which = dice.choice(MANIFEST), dice.randint(1, 2)
            db.execute(f"UPDATE OR IGNORE generations SET {change} WHERE id = ?", (which,))
        for path in dice.sample(sorted(whole), dice.randint(n % 2 == 0, len(whole))):
            dice.choice(DAMAGES[:-1])(path, dice)
        assert answers(opened(db, folder)) == right
        db.execute("ROLLBACK")
        for path, data in whole.items():
            path.write_bytes(data)


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as a crash leaves it: twenty notes in the database, twenty more in its log."""
    folder, left = (tmp_path_factory.mktemp(name) for name in ("living", "left"))
    with Store(folder / "mem.db") as store:
        for number in range(40):
            with store.atomic("say", NOW):
                [note] = store.insert([said(f"note {number}")])
                store.vectors("m", 2).put(note.seq, "text", [1.0, number], "h")
            if number == 19:
                store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        for name in ("mem.db", "mem.db-wal"):
            shutil.copy(folder / name, left)
    return left


@pytest.mark.parametrize("times", TIMES)
def test_a_damaged_log_takes_only_what_was_in_its_tail(logged: Path, tmp_path: Path, times: int) -> None:
    dice = random.Random(8)
    kept = []
    for n in range(times):
        folder = tmp_path / f"{n}"
        shutil.copytree(logged, folder)
        if n:
            dice.choice(DAMAGES[:-1])(folder / "mem.db-wal", dice)
        with Store(folder / "mem.db") as store:
            records = store.records(newest_first=False)
            assert [r.text for r in records] == [f"note {number}" for number in range(len(records))]
            assert [seq for seq, _ in store.vectors("m", 2).search([1, 0], 50)] == [r.seq for r in records]
            assert len(store.search_text("note", 99)) == len(records)
            assert not [*integrity_problems(store.connection), *vector_problems(store.connection)]
            again = memory()
            replay(store.connection, again)
            assert state_hash(again) == state_hash(store.connection)
        kept.append(len(records))
    assert (kept[0], min(kept)) >= (40, 20)


def test_sweep_leaves_the_files_of_living_processes(tmp_path: Path) -> None:
    (tmp_path / ".a.999999999.tmp").touch()
    (tmp_path / f".b.{os.getpid()}.tmp").touch()
    (tmp_path / "c").touch()
    assert sweep(tmp_path) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".b.{os.getpid()}.tmp", "c"]
