"""Reminders on the desktop: a real program on the path is called, once, and without what is secret."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import goals
from app.config import Config, Home, ModelsConfig, UserConfig
from app.memory import Memory
from app.notify import notify, remind
from app.open import open_memory

NOW = datetime(2024, 6, 21, 9, 30, tzinfo=UTC)
FAKES = Config(models=ModelsConfig(chat="fake", embed="fake"))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    opened = open_memory(Home(tmp_path / "home", tmp_path / "models"), FAKES)
    yield opened
    opened.close()


@pytest.fixture
def desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `notify-send` that writes down how it was called, and the file that it writes to."""
    seen = tmp_path / "seen.txt"
    program = tmp_path / "bin" / "notify-send"
    program.parent.mkdir()
    program.write_text(
        f"#!{sys.executable}\nimport os, sys\n"
        f"open({str(seen)!r}, 'a').write(repr(sys.argv[1:]) + os.environ.get('MEM_PASSPHRASE', '') + '\\n')\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    return seen


def due(memory: Memory, text: str, at: datetime) -> None:
    task = goals.add(memory, text, NOW)
    with memory.store.atomic("test", NOW):
        memory.store.update(replace(task, extra={**task.extra, "due": at.isoformat()}))


def test_what_is_due_rings_once(memory: Memory, desktop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM_PASSPHRASE", "hush")
    due(memory, "--call the 'dentist';\nrm", NOW - timedelta(minutes=1))
    due(memory, "Water the ferns", NOW + timedelta(hours=1))
    assert [t.text for t in remind(memory, NOW)] == ["--call the 'dentist';\nrm"]
    assert remind(memory, NOW + timedelta(minutes=1)) == []
    expected = ["--app-name=mem", "--", "mem: a reminder", "--call the 'dentist'; rm"]
    assert desktop.read_text() == f"{expected!r}\n"


def test_a_setting_turns_it_off(memory: Memory, desktop: Path) -> None:
    due(memory, "Water the ferns", NOW)
    memory.config = replace(memory.config, user=UserConfig(notify=False))
    assert remind(memory, NOW) == []
    assert not desktop.exists()


def test_without_a_desktop_the_reminder_waits_for_the_next_conversation(
    memory: Memory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    due(memory, "Water the ferns", NOW)
    assert not notify("a", "b")
    assert remind(memory, NOW) == []
    failing = tmp_path / "notify-send"
    failing.write_text("#!/bin/sh\nexit 1\n")
    failing.chmod(0o755)
    assert remind(memory, NOW) == []
    from app import tasks

    assert [t.text for t in tasks.due(memory.store, "", NOW)] == ["Water the ferns"]
