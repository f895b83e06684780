"""Nights to look at: what each did, as a diff in words, what waits for a decision, and running one now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.errors import ModelError
from storage.ledger import Ledger

if TYPE_CHECKING:
    from app.memory import Memory
    from app.sleep.night import NightReport

COUNTS = ("added", "superseded", "merged", "faded", "rejected")


@dataclass(frozen=True, slots=True)
class JobDone:
    """One job of a night: its numbers that are not zero, and its changes as lines ("+", "-", "~" first)."""

    name: str
    seconds: float
    counts: tuple[tuple[str, int], ...]
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Night:
    """One night. `run` is what `mem undo` takes; `ended` is None while it works, or after a crash."""

    run: str
    started: datetime
    ended: datetime | None
    interrupted: bool
    jobs: tuple[JobDone, ...]

    @property
    def summary(self) -> str:
        """Its numbers in one line."""
        totals: dict[str, int] = {}
        for job in self.jobs:
            for name, count in job.counts:
                totals[name] = totals.get(name, 0) + count
        words = ", ".join(f"{totals[name]} {name}" for name in COUNTS if totals.get(name))
        return words or "nothing changed"


def nights(memory: Memory, limit: int = 50) -> list[Night]:
    """The newest nights first."""
    return [
        Night(
            run.id,
            run.started_at,
            run.ended_at,
            run.interrupted,
            tuple(map(_job, run.report.get("jobs", ()))),
        )
        for run in Ledger(memory.store).runs(limit)
    ]


def sleep_now(
    memory: Memory, now: datetime, *, stop: Callable[[], bool], progress: Callable[[str], None]
) -> NightReport:
    """One night now, with the chat model where there is one. Raises StoreLocked while another night runs."""
    from app.sleep.night import sleep

    try:
        chat = memory.chat
    except ModelError:
        chat = None  # the night does everything that needs no model
    budget = memory.config.night.budget_seconds
    return sleep(memory, chat, now, budget_seconds=budget, stop=stop, progress=progress)


def _job(values: dict[str, Any]) -> JobDone:
    counts = tuple((name, int(values[name])) for name in ("read", *COUNTS) if values.get(name))
    return JobDone(
        str(values["name"]), float(values.get("seconds", 0)), counts, tuple(values.get("changes", ()))
    )
