"""The vault: sealed without a passphrase, opened only with it, and nowhere else in the clear."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.errors import NothingFound, Refused
from app.vault import Vault
from storage.errors import WrongKey
from storage.store import Store

NOW = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "mem.db") as store:
        yield store


def test_a_secret_goes_in_without_and_comes_out_with_the_passphrase(store: Store, tmp_path: Path) -> None:
    vault = Vault(store)
    with pytest.raises(Refused, match="no passphrase"):
        vault.put("wifi", "hunter2-canary", NOW)
    vault.set_passphrase("open sesame", NOW)
    vault.put("wifi", "hunter2-canary", NOW, kind="password")
    assert [(s.name, s.kind) for s in vault.secrets()] == [("wifi", "password")]
    with pytest.raises(WrongKey):
        vault.get("wifi", "open barley")
    assert vault.get("wifi", "open sesame") == "hunter2-canary"
    assert all(b"hunter2-canary" not in p.read_bytes() for p in tmp_path.iterdir())


def test_a_new_passphrase_needs_the_old_one(store: Store) -> None:
    vault = Vault(store)
    vault.set_passphrase("open sesame", NOW)
    vault.put("pin", "0417", NOW)
    with pytest.raises(WrongKey):
        vault.set_passphrase("something else", NOW, old="wrong one")
    vault.set_passphrase("something else", NOW, old="open sesame")
    assert vault.get("pin", "something else") == "0417"
    with pytest.raises(Refused, match="short"):
        vault.set_passphrase("x", NOW, old="something else")


def test_removing_leaves_nothing(store: Store, tmp_path: Path) -> None:
    vault = Vault(store)
    vault.set_passphrase("open sesame", NOW)
    vault.put("token", "t", NOW)
    vault.remove("token", NOW)
    for call in (lambda: vault.remove("token", NOW), lambda: vault.get("token", "open sesame")):
        with pytest.raises(NothingFound):
            call()
