"""Files that are whole or not there: each way to fail, private folders, and what a dead process left."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from storage.errors import StoreReadOnly
from storage.files import fault, make_private, scratch, sweep, write_atomic
from storage.lock import WriterLock


@pytest.mark.parametrize("point", ["file.write", "file.fsync", "file.rename"])
@pytest.mark.parametrize(
    ("action", "error"), [("EIO", StoreReadOnly), ("ENOSPC", StoreReadOnly), ("memory", MemoryError)]
)
def test_a_file_that_cannot_be_written_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, action: str, error: type[Exception]
) -> None:
    write_atomic(tmp_path / "file", b"old")
    monkeypatch.setenv("MEM_FAULT", f"{point}:{action}")
    with pytest.raises(error):
        write_atomic(tmp_path / "file", b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_a_short_write_can_be_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM_FAULT", "file.write:short")
    write_atomic(tmp_path / "file", b"12345678")
    assert (tmp_path / "file").read_bytes() == b"1234"
    assert not fault("file.rename")


def test_kill_kills(tmp_path: Path) -> None:
    code = "from storage.files import fault; fault('file.write')"
    environment = {**os.environ, "MEM_FAULT": "file.write:kill"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=Path(__file__).parent.parent, check=False
    )
    assert done.returncode == -9


def test_a_folder_that_others_could_enter_is_closed(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    for name in ("open", "open", "new"):
        assert stat.S_IMODE(make_private(tmp_path / name).stat().st_mode) == 0o700


def test_only_what_dead_processes_left_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = [f".a.{dead.pid}.tmp", f".a.{dead.pid}.tmp-journal", ".odd.tmp"]
    kept = [f".a.{os.getpid()}.tmp", ".a.1.tmp", "a.tmp", "plain"]
    for name in (*gone, *kept):
        (tmp_path / name).touch()
    assert sweep(tmp_path) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(kept)


def test_nothing_is_left_of_a_draft(tmp_path: Path) -> None:
    with scratch(tmp_path / "home") as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        (folder / "beside").mkdir()
        (folder / "beside" / "draft.swp").write_text("private words")
        (folder / "link").symlink_to(tmp_path)
        held = (folder / "beside" / "draft.swp").open("rb")  # what stays on the disk after the name is gone
    assert held.read() == bytes(len("private words"))
    held.close()
    assert list((tmp_path / "home").iterdir()) == []
    assert tmp_path.exists()


def test_a_draft_of_a_dead_process_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = tmp_path / f".scratch.{dead.pid}.tmp"
    left.mkdir()
    (left / "memory.md").write_text("private words")
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_lock_may_be_taken_again_by_its_holder(tmp_path: Path) -> None:
    lock = WriterLock(tmp_path / "mem.lock")
    lock.acquire()
    lock.acquire()
    lock.release()
    assert not taken_elsewhere(tmp_path)
    lock.release()
    assert taken_elsewhere(tmp_path)


def taken_elsewhere(folder: Path) -> bool:
    from storage.errors import StoreLocked

    other = WriterLock(folder / "mem.lock", timeout=0)
    try:
        other.acquire()
    except StoreLocked:
        return False
    other.release()
    return True


def test_a_waiter_gets_the_lock_when_it_is_free(tmp_path: Path) -> None:
    first, second = (WriterLock(tmp_path / "mem.lock") for _ in range(2))
    first.acquire()
    threading.Timer(0.05, first.release).start()
    second.acquire()
    assert not taken_elsewhere(tmp_path)
    second.release()


def test_a_lock_in_a_folder_that_takes_no_file(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    lock = WriterLock(tmp_path / "file" / "mem.lock")
    with pytest.raises(StoreReadOnly, match="does not take writes"):
        lock.acquire()
    (tmp_path / "file").unlink()
    (tmp_path / "file").mkdir()
    lock.acquire()
    lock.release()
