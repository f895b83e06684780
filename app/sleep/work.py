"""What every job of one night works with: the memory, the ledger, a horizon, a deadline and a tally.

Knows nothing of what a job does. The clock of a night stands still at `now`; only durations are measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from app.memory import Memory
from app.sleep.vectors import Vectors, drop_vectors, nearest, vectors_of
from storage.files import fault
from storage.ledger import Ledger
from storage.records import EVERYTHING, Filter, Record

if TYPE_CHECKING:
    from models.chat import ChatModel


@dataclass(frozen=True, slots=True)
class JobReport:
    """What one job did, in numbers and as lines that a person can read."""

    name: str
    seconds: float = 0.0
    read: int = 0
    added: int = 0
    superseded: int = 0
    merged: int = 0
    faded: int = 0
    rejected: int = 0
    model_calls: int = 0
    tokens: int = 0
    changes: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """A job's report while it is being written."""

    read: int = 0
    added: int = 0
    superseded: int = 0
    merged: int = 0
    faded: int = 0
    rejected: int = 0
    model_calls: int = 0
    tokens: int = 0
    changes: list[str] = field(default_factory=list)

    def report(self, name: str, seconds: float) -> JobReport:
        """The finished report; `seconds` of wall time."""
        values = {slot: getattr(self, slot) for slot in Tally.__slots__}
        return JobReport(name=name, seconds=round(seconds, 3), **{**values, "changes": tuple(self.changes)})


EMBEDDED = 64  # records between two looks at the clock


class Work:
    """One night's work in progress."""

    def __init__(
        self,
        memory: Memory,
        chat: ChatModel | None,
        now: datetime,
        run: str,
        horizon: int,
        *,
        budget_seconds: float,
        stop: Callable[[], bool],
    ) -> None:
        """`horizon` is the last row that this night looks at: what is said while it works waits for the next one."""
        self.memory = memory
        self.store = memory.store
        self.ledger = Ledger(memory.store)
        self.chat = chat
        self.now = now
        self.run = run
        self.horizon = horizon
        self._stop = stop
        self._started = time.monotonic()
        self._deadline = self._started + budget_seconds

    def over(self) -> bool:
        """Whether to put the work down: the user is back, or the budget is spent."""
        return self._stop() or time.monotonic() > self._deadline

    def moment(self) -> datetime:
        """`now`, moved on by the time that the night has taken; for leases only."""
        return self.now + timedelta(seconds=time.monotonic() - self._started)

    def vectors(self, records: Sequence[Record]) -> Vectors:
        """The stored vectors of these records by row number."""
        return vectors_of(self.memory, records)

    def near(self, vector: Any, many: int, filter: Filter = EVERYTHING) -> list[tuple[int, float]]:
        """The `many` memories nearest to a vector as (row number, cosine), best first."""
        return nearest(self.memory, vector, many, filter)

    def embed(self, view: str = "text") -> int:
        """Embed what has no vector yet, until the night is over; returns how many."""
        count = 0
        while not self.over() and (done := self.memory.embed_backlog(self.now, view=view, limit=EMBEDDED)):
            count += done
        return count

    def forget_vectors(self, records: Sequence[Record]) -> None:
        """The words of these records changed: their vectors are made again before the night ends."""
        drop_vectors(self.memory, records)

    @contextmanager
    def write(self, job: str) -> Iterator[None]:
        """One short transaction under the night's run id."""
        with self.store.atomic(f"sleep: {job}", self.now, self.run):
            yield
            fault(f"{job}.writing")
        fault(f"{job}.written")

    def mark(self, job: str) -> int:
        """The row up to which a job has done its work."""
        return int(self.store.meta(f"sleep.{job}", 0))

    def set_mark(self, job: str, seq: int) -> None:
        """Move a job's watermark, in the transaction that holds its changes."""
        self.store.set_meta(f"sleep.{job}", seq)


Job = Callable[[Work, Tally], None]
