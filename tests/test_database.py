"""Opening a store that is locked, damaged, newer, encrypted, full or read-only: our errors, and nothing lost."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlcipher3 import dbapi2

from storage.database import PRAGMAS, connect
from storage.errors import (
    StorageError,
    StoreDamaged,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
    StoreUnreadable,
    WrongKey,
)
from storage.lock import WriterLock
from storage.records import Kind, Record, Source
from storage.store import Store

NOW = datetime(2024, 5, 1, tzinfo=UTC)
ROOT = Path(__file__).parent.parent


def said(text: str) -> Record:
    return Record(Kind.EPISODIC, text, Source.USER_SAID, Source.USER_SAID, NOW, NOW)


def write(path: Path, text: str, key: str | None = None) -> None:
    with Store(path, key=key) as store, store.atomic("remember", NOW):
        store.insert([said(text)])


def run_script(code: str, *args: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", textwrap.dedent(code), *map(str, args)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_a_newer_store_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "mem.db"
    write(path, "from the future")
    with Store(path) as store:
        store.connection.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StoreTooNew, match="newer version"):
        Store(path)
    assert path.read_bytes() == before


def test_a_damaged_store_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mem.db"
    path.write_bytes(b"this is not a database at all, just words" * 200)
    with pytest.raises(StoreDamaged) as caught:
        Store(path)
    assert "mem doctor" in caught.value.hint


def test_a_wrong_key_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "mem.db"
    write(path, "a secret canary", key="right")
    before = path.read_bytes()
    assert b"canary" not in before
    with pytest.raises(WrongKey):
        Store(path, key="wrong")
    with pytest.raises(StoreDamaged):
        Store(path)
    assert path.read_bytes() == before
    with Store(path, key="right") as store:
        assert [r.text for r in store.records()] == ["a secret canary"]


def test_a_home_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreReadOnly) as caught:
        Store(tmp_path / "file" / "mem.db")
    assert "--home" in caught.value.hint


def test_reading_alone_needs_a_store(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no store"):
        Store(tmp_path / "mem.db", read_only=True)
    write(tmp_path / "mem.db", "here")
    with Store(tmp_path / "mem.db", read_only=True) as store:
        assert len(store.records()) == 1
        with pytest.raises(StoreReadOnly), store.atomic("remember", NOW):
            store.insert([said("no")])


def test_a_held_lock_is_told_after_the_timeout(tmp_path: Path) -> None:
    first = WriterLock(tmp_path / "mem.lock")
    first.acquire()
    second = WriterLock(tmp_path / "mem.lock", timeout=0.05)
    with pytest.raises(StoreLocked):
        second.acquire()
    first.release()
    second.acquire()
    second.release()


def test_a_lock_dies_with_its_holder(tmp_path: Path) -> None:
    code = """
        import os, signal, sys
        from pathlib import Path
        from storage.lock import WriterLock
        WriterLock(Path(sys.argv[1])).acquire()
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run_script(code, tmp_path / "mem.lock").returncode == -9
    lock = WriterLock(tmp_path / "mem.lock", timeout=0.05)
    lock.acquire()
    lock.release()


READS: tuple[
    Callable[[Store, Any], object], ...
] = (  # each is given a statement whose first row was read before
    lambda store, _: store.records(),
    lambda _, begun: list(begun),
    lambda _, begun: begun.fetchall(),
    lambda _, begun: [begun.fetchone() for _ in range(400)],
)


@pytest.mark.parametrize("read", READS)
@pytest.mark.parametrize(("how", "error"), [("unreadable", StoreUnreadable), ("damaged", StoreDamaged)])
def test_a_disk_that_reads_no_more_says_so(
    tmp_path: Path, how: str, error: type[StorageError], read: Callable[[Store, Any], object]
) -> None:
    """The open store's file turns into one that cannot be read, or into zeros, as on a dying disk."""
    path = tmp_path / "mem.db"
    with Store(path) as store, store.atomic("remember", NOW):
        store.insert(said(f"turn {number} " + "x" * 500) for number in range(400))
    with Store(path) as store:
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        begun = store.connection.execute("SELECT text FROM records")
        if how == "damaged":
            path.write_bytes(path.read_bytes()[:4096] + bytes(path.stat().st_size - 4096))
        for link in list(Path("/proc/self/fd").iterdir()) if how == "unreadable" else ():
            if link.is_symlink() and link.readlink() == path:
                os.dup2(os.open(path, os.O_WRONLY), int(link.name))
        with pytest.raises(error) as caught:
            read(store, begun)
        assert caught.value.hint


def test_a_wrong_statement_is_the_writers_own(tmp_path: Path) -> None:
    with Store(tmp_path / "mem.db") as store, pytest.raises(Exception, match="syntax error"):
        store.connection.execute("SELEC 1")


def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    code = """
        import resource, signal, sys
        from pathlib import Path
        from tests_support import NOW, said
        from storage.errors import StoreReadOnly
        from storage.store import Store
        store = Store(Path(sys.argv[1]))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
        for number in range(10_000):
            try:
                with store.atomic("remember", NOW):
                    store.insert([said(f"turn {number} " + "x" * 2000)])
            except StoreReadOnly as error:
                print(error.hint, file=sys.stderr)
                break
            print(number, flush=True)
    """
    support = f"""
        import sys; sys.path[:0] = [{str(ROOT)!r}, {str(Path(__file__).parent)!r}]
        import test_database as tests_support; sys.modules["tests_support"] = tests_support
    """
    done = run_script(textwrap.dedent(support) + textwrap.dedent(code), tmp_path / "mem.db")
    acknowledged = len(done.stdout.split())
    assert "free space" in done.stderr, done.stderr
    assert 0 < acknowledged < 10_000
    with Store(tmp_path / "mem.db") as store:
        assert len(store.records()) == acknowledged
        assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_many_processes_take_turns(tmp_path: Path) -> None:
    code = """
        import sys
        from datetime import datetime, UTC
        from pathlib import Path
        from storage.records import Kind, Record, Source
        from storage.store import Store
        now = datetime(2024, 5, 1, tzinfo=UTC)
        with Store(Path(sys.argv[1])) as store:
            for number in range(50):
                with store.atomic("count", now):
                    store.set_meta("n", store.meta("n", 0) + 1)
                    store.insert([Record(Kind.EPISODIC, f"{sys.argv[2]} {number}", Source.USER_SAID,
                                         Source.USER_SAID, now, now)])
    """
    path = tmp_path / "mem.db"
    commands = [[sys.executable, "-c", textwrap.dedent(code), str(path), str(n)] for n in range(6)]
    running = [subprocess.Popen(c, cwd=ROOT, stderr=subprocess.PIPE, text=True) for c in commands]
    assert [(p.communicate(timeout=120)[1], p.returncode) for p in running] == [("", 0)] * 6
    with Store(path) as store:
        assert store.meta("n") == 300
        assert len(store.records()) == 300


def test_kill_9_in_the_middle_of_writes(tmp_path: Path) -> None:
    code = """
        import sys
        from datetime import datetime, UTC
        from pathlib import Path
        from storage.records import Kind, Record, Source
        from storage.store import Store
        now = datetime(2024, 5, 1, tzinfo=UTC)
        store = Store(Path(sys.argv[1]))
        for number in range(100_000):
            with store.atomic("remember", now):
                store.insert([Record(Kind.EPISODIC, f"turn {number}", Source.USER_SAID, Source.USER_SAID, now, now)])
            print(number, flush=True)
    """
    path = tmp_path / "mem.db"
    for _ in range(3):
        with Store(path) as store:
            had = len(store.records())
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(code), str(path)],
            cwd=ROOT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        acknowledged = [process.stdout.readline() for _ in range(60)]
        os.kill(process.pid, 9)
        acknowledged += process.stdout.readlines()
        process.wait()
        process.stdout.close()
        with Store(path) as store:
            kept = len(store.records()) - had
            assert len(acknowledged) <= kept <= len(acknowledged) + 1
            assert store.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_key_may_hold_any_character(tmp_path: Path) -> None:
    key = 'it\'s "odd" -- ключ'
    for n in range(2):
        connection = connect(tmp_path / "mem.db", key=key)
        connection.execute("CREATE TABLE IF NOT EXISTS seen (n)")
        connection.execute("INSERT INTO seen VALUES (?)", (n,))
        assert connection.execute("SELECT count(*) FROM seen").fetchone() == (n + 1,)
        connection.close()
    with pytest.raises(WrongKey):
        connect(tmp_path / "mem.db", key=key[:-1])


def test_a_store_that_another_program_holds_says_so(tmp_path: Path) -> None:
    with Store(tmp_path / "mem.db") as store, Store(tmp_path / "mem.db") as other:
        other.connection.execute("BEGIN IMMEDIATE")  # past our lock, as a foreign program would
        store.connection.execute("PRAGMA busy_timeout = 1")
        with pytest.raises(StoreLocked), store.atomic("remember", NOW):
            pass
        other.connection.execute("ROLLBACK")


def test_what_fails_after_the_commit_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(tmp_path / "mem.db") as store:
        monkeypatch.setenv("MEM_FAULT", "store.committed:EIO")
        with pytest.raises(OSError, match=r"store\.committed"), store.atomic("remember", NOW):
            store.insert([said("kept")])
        monkeypatch.delenv("MEM_FAULT")
        assert [r.text for r in store.records()] == ["kept"]


def test_a_long_log_is_moved_into_the_database(tmp_path: Path) -> None:
    with Store(tmp_path / "mem.db") as store:
        for _ in range(3):
            with store.atomic("remember", NOW):
                store.insert([said("word " * 500) for _ in range(400)])
        _, pages, moved = store.connection.execute("PRAGMA wal_checkpoint(NOOP)").fetchone()
        assert moved > 0
        assert pages - moved < 1500


def test_a_statement_that_fails_is_told_in_our_words(tmp_path: Path) -> None:
    store = Store(tmp_path / "mem.db")
    with store, pytest.raises(StorageError, match="no such table"), store.atomic("x", NOW):
        store.connection.execute("SELECT * FROM nowhere")


def test_opening_waits_for_who_makes_the_store_and_not_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mem.db"
    other = dbapi2.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    monkeypatch.setattr("storage.database.PRAGMAS", ("PRAGMA busy_timeout = 1", *PRAGMAS[1:]))
    with monkeypatch.context() as patch:
        patch.setattr("storage.database.BUSY_MS", 30)
        with pytest.raises(StoreLocked):
            connect(path)
    threading.Timer(0.05, other.execute, ("COMMIT",)).start()
    connect(path).close()
    other.close()


def test_many_open_a_new_store_at_once(tmp_path: Path) -> None:
    for n in range(10):
        path = tmp_path / f"{n}" / "mem.db"
        path.parent.mkdir()
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _, path=path: connect(path).close(), range(12)))
        assert connect(path).execute("PRAGMA journal_mode").fetchone() == ("wal",)
