"""A daemon for an encrypted home: asked for the passphrase at a terminal, told what to do without one."""

from __future__ import annotations

import os
import pty
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import service
from app.config import Home, load_config
from app.keys import lock
from app.open import open_memory

Mem = Callable[..., Any]
PHRASE = "a long sentence to keep"


@pytest.fixture
def place(home: Path, tmp_path: Path) -> Iterator[Home]:
    made = Home(home, tmp_path / "models")
    open_memory(made).close()
    lock(made, load_config(made.config), PHRASE, "passphrase", datetime.now(UTC))
    yield made
    service.stop(made)


def test_without_a_terminal_it_says_what_to_do(place: Home, mem: Mem) -> None:
    done = mem("daemon", "start")
    assert done.code == 8
    assert "MEM_PASSPHRASE" in done.err
    assert service.status(place) is None


def test_a_wrong_passphrase_is_told_at_once(place: Home, mem: Mem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM_PASSPHRASE", "something else entirely")
    assert mem("daemon", "start").code == 8
    assert service.status(place) is None


def test_at_a_terminal_it_is_asked_for_and_the_memory_opens(
    place: Home, mem: Mem, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"
    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("MEM_PASSPHRASE", None)
        os.execv(sys.executable, [sys.executable, "-c", code, "daemon", "start", "--home", str(place.path)])
    said = b""
    while b"Passphrase" not in said:
        said += os.read(terminal, 1024)
    os.write(terminal, f"{PHRASE}\n".encode())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(terminal)
    assert (
        mem("remember", "Tom is allergic to peanuts.").code == 0
    )  # the daemon has the key, this process has none
    monkeypatch.setenv("MEM_PASSPHRASE", PHRASE)
    memory = open_memory(place)
    assert [r.text for r in memory.store.records()] == ["Tom is allergic to peanuts."]
    memory.close()
