"""The night's ledger: runs, jobs with the raw output that was paid for, and questions for the review.

Rows here are bookkeeping, not memory: they are not journaled and an undo leaves them. What a job means is not known.
Writes belong inside `store.atomic`, so that a result and the changes it led to are one transaction.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage.errors import RecordNotFound
from storage.ids import short_id
from storage.rows import from_text, to_json, to_text
from storage.store import Store

TRIES = 3
LEASE = timedelta(minutes=2)

OPEN, RUNNING, PAID, DONE, FAILED = "open", "running", "paid", "done", "failed"
"""A job waits, is worked on, has its raw output kept, is applied, or was given up after three tries."""


@dataclass(frozen=True, slots=True)
class Run:
    """One night. `report` is what it left to be shown; empty, and `ended_at` None, while it works or after a crash."""

    id: str
    started_at: datetime
    ended_at: datetime | None
    interrupted: bool
    report: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. `input` names what it reads, `output` is kept as it came."""

    key: str
    name: str
    run: str
    state: str
    tries: int
    input: Any
    output: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """Something that a person decides: `proposal` holds what would change. `state` is open, accepted or rejected."""

    id: int
    run: str
    question: str
    proposal: Mapping[str, Any]
    state: str
    created_at: datetime


def job_key(name: str, *parts: Any) -> str:
    """The key of a job: a hash of its kind and of everything that shapes its outcome."""
    return hashlib.blake2b(to_json([name, *parts]).encode(errors="replace"), digest_size=16).hexdigest()


class Ledger:
    """Runs, jobs and questions of one store."""

    def __init__(self, store: Store) -> None:
        self._db = store.connection

    # -- runs ----------------------------------------------------------------------------------

    def begin(self, now: datetime) -> Run:
        """Enter a new run."""
        (count,) = self._db.execute("SELECT count(*) FROM runs").fetchone()
        run = Run(short_id(count, prefix="n", width=2), now, None, False, {})
        self._db.execute("INSERT INTO runs (id, started_at) VALUES (?, ?)", (run.id, to_text(now)))
        return run

    def end(self, run: str, now: datetime, report: Mapping[str, Any], *, interrupted: bool) -> None:
        """Close a run with its report."""
        sql = "UPDATE runs SET ended_at = ?, interrupted = ?, report = ? WHERE id = ?"
        self._db.execute(sql, (to_text(now), int(interrupted), to_json(report), run))

    def runs(self, limit: int = 20) -> list[Run]:
        """The newest runs first."""
        return self._runs("ORDER BY rowid DESC LIMIT ?", limit)

    def run(self, id: str) -> Run:
        """One run. Raises RecordNotFound."""
        found = self._runs("WHERE id = ?", id)
        if not found:
            raise RecordNotFound(f"There was no night {id!r}.", "See `mem sleep --report` or `mem log`.")
        return found[0]

    def unfinished(self) -> Run | None:
        """The newest run when it never ended: its process died."""
        newest = self.runs(1)
        return newest[0] if newest and newest[0].ended_at is None else None

    # -- jobs ----------------------------------------------------------------------------------

    def queue(
        self, name: str, key: str, run: str, input: Any, now: datetime, output: str | None = None
    ) -> bool:
        """Add a job that waits (or, with `output`, only waits to be applied); False when its key is known."""
        state = OPEN if output is None else PAID
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO jobs (key, name, run, state, input, output, updated_at)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, name, run, state, to_json(input), output, to_text(now)),
        )
        return bool(cursor.rowcount > 0)

    def claim(self, key: str, now: datetime) -> bool:
        """Begin a try; False when the tries are used up, and then the job has failed for good."""
        job = self.job(key)
        if job is None or job.state in (DONE, FAILED):
            return False
        state = RUNNING if job.tries < TRIES else FAILED
        self._db.execute(
            "UPDATE jobs SET state = ?, tries = tries + ?, lease_until = ?, updated_at = ? WHERE key = ?",
            (state, int(state == RUNNING), to_text(now + LEASE), to_text(now), key),
        )
        return state == RUNNING

    def release(self, key: str, now: datetime) -> None:
        """Put a job down that was interrupted: the try does not count."""
        self._db.execute("UPDATE jobs SET tries = tries - 1 WHERE key = ?", (key,))
        self._set(key, OPEN, now)

    def keep(self, key: str, output: str, now: datetime) -> None:
        """Keep the raw output (what is no Unicode in it replaced): from here on a crash does not pay again."""
        self._set(key, PAID, now, output=output.encode(errors="replace").decode())

    def finish(self, key: str, now: datetime) -> None:
        """The job is applied."""
        self._set(key, DONE, now)

    def fail(self, key: str, error: str, now: datetime) -> None:
        """A try went wrong; the job waits for the next one, or is given up."""
        job = self.job(key)
        spent = job is not None and job.tries >= TRIES
        self._set(key, FAILED if spent else OPEN, now, error=error[:500].encode(errors="replace").decode())

    def job(self, key: str) -> Job | None:
        """The job with this key."""
        found = self._jobs("WHERE key = ?", key)
        return found[0] if found else None

    def jobs(self, name: str, state: str, *, limit: int = -1, newest_first: bool = False) -> list[Job]:
        """Jobs of one kind in one state, in the order in which they came."""
        order = "DESC" if newest_first else "ASC"
        return self._jobs(f"WHERE name = ? AND state = ? ORDER BY rowid {order} LIMIT ?", name, state, limit)

    def count(self, name: str, state: str) -> int:
        """How many jobs of one kind are in one state."""
        sql = "SELECT count(*) FROM jobs WHERE name = ? AND state = ?"
        return int(self._db.execute(sql, (name, state)).fetchone()[0])

    def troubled(self) -> list[Job]:
        """Jobs that were given up: for `mem doctor`."""
        return self._jobs("WHERE state = ? ORDER BY rowid", FAILED)

    # -- questions -----------------------------------------------------------------------------

    def ask(self, run: str, question: str, proposal: Mapping[str, Any], now: datetime) -> bool:
        """Put a question to the review; False when it was put before, whatever was decided."""
        words = to_json(proposal)
        known = self._db.execute("SELECT 1 FROM reviews WHERE proposal = ?", (words,)).fetchone()
        if known is None:
            self._db.execute(
                "INSERT INTO reviews (run, question, proposal, created_at) VALUES (?, ?, ?, ?)",
                (run, question, words, to_text(now)),
            )
        return known is None

    def questions(self, state: str = "open") -> list[Question]:
        """Questions in a state, oldest first."""
        sql = "SELECT id, run, question, proposal, state, created_at FROM reviews WHERE state = ? ORDER BY id"
        return [
            Question(id, run, question, json.loads(proposal), state, from_text(created))
            for id, run, question, proposal, state, created in self._db.execute(sql, (state,)).fetchall()
        ]

    def decide(self, id: int, state: str, now: datetime) -> None:
        """Close a question. Raises RecordNotFound when it is not open."""
        sql = "UPDATE reviews SET state = ?, decided_at = ? WHERE id = ? AND state = 'open'"
        if self._db.execute(sql, (state, to_text(now), id)).rowcount != 1:
            raise RecordNotFound(f"There is no open question {id}.", "See `mem review`.")

    # -- inside --------------------------------------------------------------------------------

    def _set(self, key: str, state: str, now: datetime, **columns: str) -> None:
        names = "".join(f", {name} = ?" for name in columns)
        self._db.execute(
            f"UPDATE jobs SET state = ?, lease_until = NULL, updated_at = ?{names} WHERE key = ?",
            (state, to_text(now), *columns.values(), key),
        )

    def _runs(self, tail: str, *values: Any) -> list[Run]:
        sql = f"SELECT id, started_at, ended_at, interrupted, report FROM runs {tail}"
        return [
            Run(id, from_text(start), from_text(end) if end else None, bool(cut), json.loads(report or "{}"))
            for id, start, end, cut, report in self._db.execute(sql, values).fetchall()
        ]

    def _jobs(self, tail: str, *values: Any) -> list[Job]:
        sql = f"SELECT key, name, run, state, tries, input, output, error FROM jobs {tail}"
        found: Sequence[Any] = self._db.execute(sql, values).fetchall()
        return [
            Job(key, name, run, state, tries, json.loads(input), output, error)
            for key, name, run, state, tries, input, output, error in found
        ]
