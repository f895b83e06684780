"""Reminders on the user's desktop, through the program that the system has for notes. Without one nothing happens."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime
from typing import TYPE_CHECKING

from app import tasks

if TYPE_CHECKING:
    from app.memory import Memory
    from storage.records import Record

SECONDS = 5  # a desktop that does not answer must not hold up the daemon
_APPLE = (  # the words are handed over as arguments: never part of a script
    "on run argv",
    "display notification (item 1 of argv) with title (item 2 of argv)",
    "end run",
)
_SECRETS = frozenset({"MEM_PASSPHRASE"})  # not for other programs


def remind(memory: Memory, now: datetime) -> list[Record]:
    """Show the tasks whose time has come and that were not shown a moment ago; returns those that were shown now."""
    if not memory.config.user.notify:
        return []
    due = [task for task in tasks.due(memory.store, "", now) if notify("mem: a reminder", task.text)]
    if due:
        tasks.shown(memory, due, now)
    return due


def notify(title: str, text: str) -> bool:
    """Show a note; False where the system has no way to, or it failed."""
    command = _command(" ".join(title.split()), " ".join(text.split()))
    if command is None:
        return False
    environment = {name: value for name, value in os.environ.items() if name not in _SECRETS}
    try:
        done = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _command(title: str, text: str) -> list[str] | None:
    if program := shutil.which("notify-send"):
        return [program, "--app-name=mem", "--", title, text]
    if program := shutil.which("osascript"):
        return [program, *(part for line in _APPLE for part in ("-e", line)), text, title]
    return None
