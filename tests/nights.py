"""A memory in a folder with stand-in models, a life to sleep on, and nights that are killed: for the tests of sleep.

python tests/nights.py FOLDER     kill one night at every step, finish it, and print the states that remain
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.config import Config, find_home, replaced
from app.encode import turn
from app.memory import Memory
from app.open import open_memory
from app.sleep.night import JOBS, sleep
from models.chat import Message
from models.fake import EchoChat
from storage.journal import state_hash
from storage.records import Record

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
LIFE = (
    ("s1", 20, "Good morning!"),
    ("s1", 20, "I live in Rome and I work as a nurse."),
    ("s1", 20, "My sister Ana is visiting us from Madrid next week."),
    ("s1", 20, "We had the most wonderful dinner by the river, until the rain came."),
    ("s1", 20, "I love jazz."),
    ("s2", 9, "My sister came over and we talked about the old house for hours."),
    ("s2", 9, "The bathroom tiles took me two weekends, and they still look crooked."),
    ("s2", 9, "I am allergic to peanuts."),
    ("s2", 9, "I love jazz."),
    ("s3", 2, "I moved to Porto."),
    ("s3", 2, "The bathroom tiles took me two weekends and they still look crooked!"),
    ("s3", 2, "What a view from up here."),
    ("s3", 2, "The neighbour's parrot whistles the anthem every morning at six."),
)
STEPS = tuple(
    f"{job}.{moment}" for job in (*JOBS, "read") if job != "index" for moment in ("writing", "written")
)
"""Every place at which a night can be killed: within a job's transaction, and right after it.

The index job has places of its own.
"""


def opened(folder: Path, **config: str) -> Memory:
    """A memory in `folder` whose embedder is the stand-in."""
    settings = replaced(Config(), "models.embed", "fake")
    for key, value in config.items():
        settings = replaced(settings, key.replace("__", "."), value)
    return open_memory(replace(find_home(folder), path=folder), settings)


def live(
    memory: Memory, life: Sequence[tuple[str, float, str]] = LIFE, *, role: str = "user"
) -> list[Record]:
    """Store turns of (session, days ago, words), a minute apart."""
    turns = [
        turn(
            words,
            now=NOW,
            said_at=NOW - timedelta(days=days) + timedelta(minutes=n),
            speaker="me",
            role=role,
            session=session,
        )
        for n, (session, days, words) in enumerate(life)
    ]
    return memory.add(turns, "say", NOW)


def reader(log: Path | None = None) -> EchoChat:
    """A chat model that repeats the first turn that it is shown as a fact, and writes down that it was asked."""

    def reply(messages: Sequence[Message]) -> str:
        if log is not None:
            with log.open("a") as file:
                file.write("asked\n")
        return told(f"The user said: {messages[-1].content.partition(': ')[2]}")

    return EchoChat(reply)


def told(fact: str) -> str:
    """What a chat model answers that was asked what an episode tells."""
    return json.dumps({"facts": [fact]})


def main(folder: Path) -> None:
    """Kill a night at each step in a child process, finish it here; print (step, died, state, calls) as JSON lines."""
    start = folder / "start"
    memory = opened(start)
    live(memory)
    memory.close()
    for number, step in enumerate(("none", *STEPS)):
        home, log = folder / f"h{number}", folder / f"log{number}"
        shutil.copytree(start, home)
        child = os.fork()
        if child == 0:
            os.environ["MEM_FAULT"] = f"{step}:kill"
            sleep(opened(home), reader(log), NOW)
            os._exit(0)
        died = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        memory = opened(home)
        if died:
            sleep(memory, reader(log), NOW)
        calls = len(log.read_text().splitlines()) if log.exists() else 0
        sys.stdout.write(json.dumps([step, died, state_hash(memory.store.connection), calls]) + "\n")
        sys.stdout.flush()  # a child must not inherit what was not written yet
        memory.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
