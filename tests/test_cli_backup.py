"""Backups and encryption from the command line: a copy that comes back, and a key without which nothing opens."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from conftest import Mem


def test_a_backup_comes_back(mem: Mem, home: Path) -> None:
    mem("remember", "before")
    state = mem("verify", "--json").json["state_hash"]
    made = mem("backup", "--json").json
    mem("remember", "after")

    assert set(made) == {"path", "time", "size"}
    assert [b["path"] for b in mem("backup", "--list", "--json").json] == [made["path"]]
    assert mem("restore-backup", made["path"]).code == 4
    done = mem("restore-backup", Path(made["path"]).name, "--yes", "--json").json
    assert Path(done["kept"]).exists()
    assert mem("verify", "--json").json["state_hash"] == state
    assert [r["text"] for r in mem("list", "--json").json] == ["before"]


def test_into_a_home_that_has_none(mem: Mem, tmp_path: Path) -> None:
    mem("remember", "before")
    made = mem("backup", "--json").json["path"]

    assert mem("restore-backup", made, "--home", str(tmp_path / "new"), "--json").json["kept"] is None
    assert mem("list", "--json", "--home", str(tmp_path / "new")).json[0]["text"] == "before"


def test_what_is_no_backup(mem: Mem, tmp_path: Path) -> None:
    mem("remember", "before")
    (tmp_path / "a.db.gz").write_bytes(b"rubbish")

    assert mem("backup", "--list").code == 3
    assert mem("restore-backup", str(tmp_path / "a.db.gz"), "--yes").code == 9
    assert mem("restore-backup", str(tmp_path / "none")).code == 9  # nothing is asked about what is not there
    assert mem("list", "--json").json[0]["text"] == "before"


def test_encrypting_a_store_that_is_there(mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mem("remember", "a very private thing")
    plain = mem("backup", "--json").json["path"]
    assert mem("config", "encrypt").code == 4
    monkeypatch.setenv("MEM_NEW_PASSPHRASE", "short")
    assert mem("config", "encrypt").code == 4
    monkeypatch.setenv("MEM_NEW_PASSPHRASE", "correct horse battery")
    assert mem("config", "encrypt").code == 0

    [fresh] = Path(plain).parent.iterdir()
    assert b"private" not in gzip.decompress(fresh.read_bytes())
    assert all(b"very private" not in p.read_bytes() for p in home.rglob("*") if p.is_file())
    assert mem("list").code == 8
    monkeypatch.setenv("MEM_PASSPHRASE", "correct horse battery")
    assert mem("list", "--json").json[0]["text"] == "a very private thing"
    made = mem("backup", "--json").json["path"]
    assert mem("restore-backup", made, "--yes").code == 0
    assert mem("config", "decrypt").code == 4
    assert mem("config", "decrypt", "--yes").code == 0
    monkeypatch.delenv("MEM_PASSPHRASE")
    assert mem("list").code == 0
