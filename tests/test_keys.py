"""Encryption at rest: locking, changing, opening up; and no word in the clear in any file of the home."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.config import Config, Home, load_config, replaced
from app.errors import Refused
from app.keys import lock, open_up, unlock, unlock_backup
from storage.backup import list_backups, restore
from storage.errors import StoreDamaged, WrongKey
from storage.files import write_atomic
from storage.journal import state_hash
from storage.records import Kind, Record, Source
from storage.store import Store

NOW = datetime(2024, 5, 1, tzinfo=UTC)
CANARY = "zanzibarcanary"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home", tmp_path / "models")
    home.create()
    with Store(home.database) as store, store.atomic("remember", NOW):
        store.insert(
            [
                Record(Kind.EPISODIC, f"my {CANARY} {n}", Source.USER_SAID, Source.USER_SAID, NOW, NOW)
                for n in range(50)
            ]
        )
    (home.path / "index").mkdir()
    (home.path / "index" / "old").write_text(CANARY)
    return home


def plain_hits(home: Home) -> list[str]:
    return [p.name for p in home.path.rglob("*") if p.is_file() and CANARY.encode() in p.read_bytes()]


def test_lock_change_and_open_up_keep_every_memory(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store(home.database) as store:
        before = state_hash(store.connection)
    assert plain_hits(home)
    assert lock(home, load_config(home.config), "a long passphrase", "passphrase", NOW) == before
    assert plain_hits(home) == []

    config = load_config(home.config)
    assert config.encryption.mode == "passphrase"
    with pytest.raises(WrongKey, match="no passphrase"):
        unlock(home, config)
    with pytest.raises(WrongKey):
        Store(home.database, key=unlock(home, config, lambda: "another passphrase"))
    monkeypatch.setenv("MEM_PASSPHRASE", "a long passphrase")
    with Store(home.database, key=unlock(home, config)) as store, store.atomic("remember", NOW):
        store.insert([Record(Kind.EPISODIC, f"new {CANARY}", Source.USER_SAID, Source.USER_SAID, NOW, NOW)])
        assert len(store.search_text(CANARY, 99)) == 51
        assert plain_hits(home) == []  # with the -wal still there
        after = state_hash(store.connection)

    assert lock(home, config, "the second passphrase", "passphrase", NOW) == after
    monkeypatch.setenv("MEM_PASSPHRASE", "the second passphrase")
    assert open_up(home, config) == after
    with Store(home.database) as store:
        assert len(store.search_text(CANARY, 99)) == 51
        store.connection.execute("INSERT INTO records_fts (records_fts, rank) VALUES ('integrity-check', 1)")
        with store.atomic("remember", NOW):
            store.insert([Record(Kind.EPISODIC, "ids go on", Source.USER_SAID, Source.USER_SAID, NOW, NOW)])
        assert len(store.records()) == 52


def test_a_short_passphrase_is_refused(home: Home) -> None:
    with pytest.raises(Refused, match="short"):
        lock(home, Config(), "short", "passphrase", NOW)
    assert plain_hits(home)


def test_an_encrypted_file_without_its_setting_is_not_opened(home: Home) -> None:
    lock(home, Config(), "a long passphrase", "passphrase", NOW)
    with pytest.raises(StoreDamaged, match="damaged"):
        Store(home.database)


def test_a_machine_without_a_keyring_says_so(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backends.fail import Keyring

    keyring.set_keyring(Keyring())
    before = home.database.read_bytes()
    with pytest.raises(Refused, match="keyring cannot be used"):
        lock(home, Config(), "a long passphrase", "keyring", NOW)
    assert home.database.read_bytes() == before


def test_the_keyring_unlocks_unattended(home: Home) -> None:
    import keyring
    from keyring.backend import KeyringBackend

    class Ring(KeyringBackend):
        priority = 1  # type: ignore[assignment]

        def __init__(self) -> None:
            super().__init__()
            self.kept: dict[tuple[str, str], str] = {}

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    keyring.set_keyring(Ring())
    lock(home, Config(), "a long passphrase", "keyring", NOW)
    config = replaced(Config(), "encryption.mode", "keyring")
    with Store(home.database, key=unlock(home, config)) as store:
        assert len(store.records()) == 50


def test_a_backup_under_the_new_key_takes_the_place_of_the_old_ones(home: Home) -> None:
    with Store(home.database) as store:
        store.backup(home.backups, NOW)
    lock(home, Config(), "a long passphrase", "passphrase", NOW + timedelta(days=1))
    [backup] = list_backups(home.backups)
    assert backup.at == NOW + timedelta(days=1)
    config = load_config(home.config)
    key = unlock_backup(
        gzip.decompress(backup.path.read_bytes())[:16], home, config, lambda: "a long passphrase"
    )
    restore(backup.path, home.database, NOW, key)
    assert plain_hits(home) == []


def test_a_change_of_key_that_was_killed_leaves_nothing_in_the_clear(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEM_PASSPHRASE", "a long passphrase")
    lock(home, Config(), "a long passphrase", "passphrase", NOW)
    (home.path / "index" / "old").write_text(CANARY)
    write_atomic(home.path / "encrypting", b"")
    assert unlock(home, load_config(home.config))
    assert plain_hits(home) == []
    assert not (home.path / "encrypting").exists()


def test_a_copy_that_differs_does_not_take_its_place(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    before, states = home.database.read_bytes(), iter(("one", "another"))
    monkeypatch.setattr("storage.rekey.state_hash", lambda _: next(states))
    with pytest.raises(StoreDamaged, match="differs"):
        lock(home, Config(), "a long passphrase", "passphrase", NOW)
    assert home.database.read_bytes() == before
