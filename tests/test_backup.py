"""Backups of a real store: what comes back, what is refused, what a crash leaves, and which copies stay."""

from __future__ import annotations

import gzip
import json
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import backup
from storage.backup import list_backups, restore, rotate, snapshot
from storage.errors import StorageError, StoreDamaged, StoreReadOnly, StoreTooNew, WrongKey
from storage.journal import state_hash
from storage.records import Kind, Record, Source
from storage.store import Store

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


def said(text: str) -> Record:
    return Record(Kind.EPISODIC, text, Source.USER_SAID, Source.USER_SAID, event_time=NOW, recorded_at=NOW)


def say(store: Store, *texts: str) -> None:
    with store.atomic("say", NOW):
        for record, text in zip(store.insert(map(said, texts)), texts, strict=True):
            vector = [1.0, float(len(text)), 0.0, 0.0]
            store.vectors("m", 4).put(record.seq, "text", vector, text)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "mem.db") as store:
        say(store, "the zebra was late", "tea at four")
        yield store


def words(path: Path, key: str | None = None) -> list[str]:
    with Store(path, key=key) as store:
        return [r.text for r in store.records(newest_first=False)]


class TestRoundTrip:
    def test_everything_comes_back_and_the_old_store_is_kept(self, store: Store, tmp_path: Path) -> None:
        before = state_hash(store.connection)
        path = snapshot(store.connection, tmp_path / "backups", NOW)
        say(store, "said after the backup")
        store.close()
        kept = restore(path, tmp_path / "mem.db", LATER)
        with Store(tmp_path / "mem.db") as again:
            assert state_hash(again.connection) == before
            assert [seq for seq, _ in again.search_text("zebra", 5)] == [1]
            assert [s for s, _ in again.vectors("m", 4).search([1, 18, 0, 0], 2)] == [1, 2]
            say(again, "a new one")
            assert again.records()[0].seq == 3
        assert kept == tmp_path / "mem.db.before-restore-20240502T120000Z"
        assert words(kept) == ["the zebra was late", "tea at four", "said after the backup"]

    def test_what_was_written_during_the_copy_is_in_it_whole_or_not_at_all(
        self, store: Store, tmp_path: Path
    ) -> None:
        with Store(tmp_path / "mem.db") as other:
            store.connection.execute("PRAGMA busy_timeout = 1")
            path = snapshot(store.connection, tmp_path / "backups", NOW)
            say(other, "meanwhile")
            again = snapshot(store.connection, tmp_path / "backups", LATER)
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
        restore(path, tmp_path / "a" / "mem.db", NOW)
        restore(again, tmp_path / "b" / "mem.db", NOW)
        assert "meanwhile" not in words(tmp_path / "a" / "mem.db")
        assert "meanwhile" in words(tmp_path / "b" / "mem.db")

    def test_a_restore_where_no_store_was(self, store: Store, tmp_path: Path) -> None:
        path = snapshot(store.connection, tmp_path / "backups", NOW)
        (tmp_path / "new").mkdir()
        assert restore(path, tmp_path / "new" / "mem.db", NOW) is None
        assert words(tmp_path / "new" / "mem.db") == ["the zebra was late", "tea at four"]

    def test_a_restore_over_a_damaged_store(self, store: Store, tmp_path: Path) -> None:
        path = snapshot(store.connection, tmp_path / "backups", NOW)
        store.close()
        (tmp_path / "mem.db").write_bytes(b"SQLite format 3\x00" + b"rubbish" * 999)
        (tmp_path / "mem.db-wal").write_bytes(b"more rubbish")
        kept = restore(path, tmp_path / "mem.db", NOW)
        assert words(tmp_path / "mem.db") == ["the zebra was late", "tea at four"]
        assert kept is not None
        assert b"rubbish" in kept.read_bytes()

    def test_only_the_owner_reads_the_files(self, store: Store, tmp_path: Path) -> None:
        old = os.umask(0)
        try:
            path = snapshot(store.connection, tmp_path / "backups", NOW)
            store.close()
            kept = restore(path, tmp_path / "mem.db", NOW)
        finally:
            os.umask(old)
        assert kept is not None
        for file in (path, kept, tmp_path / "mem.db"):
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert [p.name for p in path.parent.iterdir()] == [path.name]


class TestEncrypted:
    KEY = "correct horse 'battery'"

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        with Store(tmp_path / "mem.db", key=self.KEY) as store:
            say(store, "the zebra was late")
            return snapshot(store.connection, tmp_path / "backups", NOW, self.KEY)

    def test_a_backup_holds_no_plain_text(self, path: Path) -> None:
        assert b"zebra" not in gzip.decompress(path.read_bytes())

    def test_it_comes_back_under_its_key(self, path: Path, tmp_path: Path) -> None:
        restore(path, tmp_path / "mem.db", NOW, self.KEY)
        assert words(tmp_path / "mem.db", self.KEY) == ["the zebra was late"]

    @pytest.mark.parametrize("key", [None, "wrong"])
    def test_another_key_is_refused(self, path: Path, tmp_path: Path, key: str | None) -> None:
        before = (tmp_path / "mem.db").read_bytes()
        with pytest.raises(WrongKey):
            restore(path, tmp_path / "mem.db", NOW, key)
        assert (tmp_path / "mem.db").read_bytes() == before


class TestRefused:
    def test_a_newer_version(self, store: Store, tmp_path: Path) -> None:
        store.connection.execute("PRAGMA user_version = 999")
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path = tmp_path / "newer.db.gz"
        path.write_bytes(gzip.compress((tmp_path / "mem.db").read_bytes()))
        with pytest.raises(StoreTooNew, match=r"newer\.db\.gz was written by a newer version"):
            restore(path, tmp_path / "mem.db", NOW)

    @pytest.mark.parametrize("damage", ["cut", "flip", "text", "empty", "plain", "zeros", "bomb", "page"])
    def test_a_damaged_file_leaves_the_store_alone(self, store: Store, tmp_path: Path, damage: str) -> None:
        path = snapshot(store.connection, tmp_path / "backups", NOW)
        data = bytearray(path.read_bytes())
        middle = len(data) // 2
        path.write_bytes(
            {
                "cut": bytes(data[:middle]),
                "flip": bytes(data[:middle] + bytes([data[middle] ^ 255]) + data[middle + 1 :]),
                "text": b"not a backup",
                "empty": b"",
                "plain": gzip.compress(b"a text that is no database" * 500),
                "zeros": gzip.compress(bytes(8192)),
                "bomb": gzip.compress(gzip.decompress(data)[:100] + bytes(30_000_000)),
                "page": gzip.compress(gzip.decompress(data)[:4096] + bytes(100_000)),
            }[damage]
        )
        with pytest.raises((StoreDamaged, WrongKey), match=r"backup|mem-.*\.gz"):
            restore(path, tmp_path / "mem.db", NOW)
        assert [r.text for r in store.records(newest_first=False)] == ["the zebra was late", "tea at four"]
        assert not list(tmp_path.glob(".*.tmp"))

    def test_a_path_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(StorageError, match="no backup"):
            restore(tmp_path / "none.db.gz", tmp_path / "mem.db", NOW)

    def test_a_copy_that_differs_is_thrown_away(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        say(store, "a third")
        monkeypatch.setattr(backup, "_state", lambda *_: "another state")
        with pytest.raises(StoreDamaged, match="differs"):
            snapshot(store.connection, tmp_path / "backups", NOW)
        assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.parametrize("action", ["EIO", "ENOSPC"])
@pytest.mark.parametrize(
    "point", ["file.write", "file.fsync", "file.rename", "backup.copy", "backup.compress", "backup.verify"]
)
def test_a_failing_disk_leaves_no_backup_and_a_usable_store(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str, action: str
) -> None:
    monkeypatch.setenv("MEM_FAULT", f"{point}:{action}")
    with pytest.raises(StoreReadOnly):
        snapshot(store.connection, tmp_path / "backups", NOW)
    monkeypatch.delenv("MEM_FAULT")
    assert list((tmp_path / "backups").iterdir()) == []
    say(store, "still here")
    assert list_backups(tmp_path / "backups") == []
    snapshot(store.connection, tmp_path / "backups", NOW)


CRASHES = """
import json, os, sys
from datetime import UTC, datetime
from pathlib import Path
from storage.backup import list_backups, restore, snapshot
from storage.files import FAULT_POINTS
from storage.store import Store
NOW = datetime(2024, 5, 1, tzinfo=UTC)
folder, database = Path(sys.argv[1]), Path(sys.argv[1]) / "mem.db"
for point in FAULT_POINTS:
    if point.split(".")[0] not in ("file", "backup", "restore"):
        continue
    for step in ("snapshot", "restore"):
        child = os.fork()
        if child == 0:
            os.environ["MEM_FAULT"] = f"{point}:kill"
            if step == "restore":
                restore(Path(sys.argv[2]), database, NOW)
            else:
                with Store(database) as store:
                    snapshot(store.connection, folder / "backups", NOW)
            os._exit(0)
        died = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        with Store(database) as store:
            texts = [r.text for r in store.records(newest_first=False)]
        whole = []
        for n, b in enumerate(list_backups(folder / "backups")):
            (folder / "out").mkdir(exist_ok=True)
            restore(b.path, folder / "out" / "mem.db", NOW)
            b.path.unlink()
        print(json.dumps([point, step, died, texts]), flush=True)
"""


def test_kill_9_at_every_step_leaves_a_whole_store_and_only_whole_backups(
    store: Store, tmp_path: Path
) -> None:
    good = snapshot(store.connection, tmp_path / "safe", NOW)
    store.close()
    run = subprocess.run(
        [sys.executable, "-c", CRASHES, str(tmp_path), str(good)], capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    results = [json.loads(line) for line in run.stdout.splitlines()]
    assert all(texts == ["the zebra was late", "tea at four"] for *_, texts in results)
    died = {(point, step) for point, step, died, _ in results if died}
    assert {("restore.swap", "restore"), ("restore.keep", "restore"), ("backup.verify", "snapshot")} <= died
    assert {("file.rename", "snapshot"), ("file.rename", "restore")} <= died


class TestRotation:
    @staticmethod
    def fill(folder: Path, times: list[datetime]) -> None:
        folder.mkdir(exist_ok=True)
        for at in times:
            (folder / f"mem-{at.strftime(backup.TIME)}.db.gz").touch()

    def test_days_weeks_and_months_stay(self, tmp_path: Path) -> None:
        self.fill(tmp_path, [NOW - timedelta(days=d, hours=h) for d in range(400) for h in (0, 3)])
        removed = rotate(tmp_path)
        left = [b.at for b in list_backups(tmp_path)]
        assert len(removed) + len(left) == 800
        assert left[:7] == [NOW - timedelta(days=d) for d in range(7)]
        assert {(at.year, at.month) for at in left} == {(2023, 12), *((2024, m) for m in range(1, 6))}
        assert len(left) <= 7 + 4 + 6
        assert rotate(tmp_path) == []

    def test_foreign_files_stay(self, tmp_path: Path) -> None:
        for name in ("mem-holiday.db.gz", "notes.txt"):
            (tmp_path / name).touch()
        assert list_backups(tmp_path) == []
        assert rotate(tmp_path) == []
        assert len(list(tmp_path.iterdir())) == 2

    @given(st.lists(st.integers(0, 3000), min_size=1, max_size=60))
    def test_the_newest_stays_whatever_is_there(self, days: list[int]) -> None:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            times = [NOW + timedelta(days=day, hours=day % 24) for day in days]
            self.fill(folder, times)
            rotate(folder, keep_daily=1, keep_weekly=0, keep_monthly=0)
            assert [b.at for b in list_backups(folder)] == [max(times)]


def test_a_file_system_without_links_keeps_the_old_store_too(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError("no links here")

    path = snapshot(store.connection, tmp_path / "backups", NOW)
    say(store, "after it")
    store.close()
    monkeypatch.setattr(os, "link", refused)
    kept = restore(path, tmp_path / "mem.db", NOW)
    assert kept is not None
    assert "after it" in words(kept)


def test_a_backup_with_a_broken_page_is_refused(store: Store, tmp_path: Path) -> None:
    say(store, *(f"turn {n} " + "x" * 300 for n in range(200)))
    path = snapshot(store.connection, tmp_path / "backups", NOW)
    data = gzip.decompress(path.read_bytes())
    refused = 0
    (tmp_path / "other").mkdir()
    for page in range(3, len(data) // 4096, 7):
        broken = bytearray(data)
        broken[page * 4096 + 3 : page * 4096 + 8] = b"\xff" * 5  # its count of cells
        path.write_bytes(gzip.compress(bytes(broken), 1))
        try:
            restore(path, tmp_path / "other" / "mem.db", NOW)
        except StoreDamaged as error:
            refused += "is damaged" in str(error)
    assert refused
