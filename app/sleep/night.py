"""One night: the jobs in their order, under one run that a person can read and undo. One night at a time.

A night that was killed is picked up under its own name, so that one undo takes all of it back.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import BadRequest
from app.memory import Memory
from app.sleep.cascade import spread_doubt
from app.sleep.duplicates import link_duplicates
from app.sleep.episodes import cut_episodes
from app.sleep.extract import extract
from app.sleep.gists import write_gists
from app.sleep.index import build_index
from app.sleep.lessons import learn
from app.sleep.links import link_entities
from app.sleep.portrait import paint_portrait
from app.sleep.safety import back_up
from app.sleep.settle import settle
from app.sleep.states import fade
from app.sleep.summaries import write_summaries
from app.sleep.topics import cluster_topics
from app.sleep.work import Job, JobReport, Tally, Work
from storage.errors import StoreLocked
from storage.ledger import Ledger, Run
from storage.lock import WriterLock

if TYPE_CHECKING:
    from models.chat import ChatModel
    from models.embed import Embedder

JOBS: Mapping[str, Job] = {
    "duplicates": link_duplicates,
    "episodes": cut_episodes,
    "extract": extract,
    "reconcile": settle,
    "lessons": learn,
    "cascade": spread_doubt,
    "links": link_entities,
    "gists": write_gists,
    "topics": cluster_topics,
    "summaries": write_summaries,
    "portrait": paint_portrait,
    "states": fade,
    "index": build_index,
    "backup": back_up,
}
"""Every job by its name, in the order of a night."""


@dataclass(frozen=True, slots=True)
class NightReport:
    """What a night did. `interrupted`: it was stopped or its budget was spent; the next one goes on from there."""

    run: str
    started: datetime
    jobs: tuple[JobReport, ...]
    interrupted: bool


def sleep(
    memory: Memory,
    chat: ChatModel | None,
    now: datetime,
    *,
    budget_seconds: float = 1200,
    only: str | None = None,
    dry_run: bool = False,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[str], None] = lambda _: None,
) -> NightReport:
    """Sleep once. Without a chat model everything but model-written text is done.

    `only` names one job; `dry_run` works on a copy that is thrown away; `stop` is asked between the pieces of work;
    `progress` is told each job's name. Raises BadRequest for an unknown job, StoreLocked while another night runs.
    """
    if only is not None and only not in JOBS:
        raise BadRequest(f"There is no job {only!r}.", f"It is one of: {', '.join(JOBS)}.")
    if dry_run:
        with _copy_of(memory) as copy:
            return sleep(
                copy, chat, now, budget_seconds=budget_seconds, only=only, stop=stop, progress=progress
            )
    with _alone(memory):
        run = _begin(memory, now)
        horizon = memory.store.last_seq()
        work = Work(memory, chat, now, run.id, horizon, budget_seconds=budget_seconds, stop=stop)
        reports = []
        for name in [only] if only else JOBS:
            if work.over():
                break
            progress(name)
            reports.append(_run_job(name, work))
        report = NightReport(run.id, now, tuple(reports), work.over())
        with memory.store.atomic("sleep", now, run.id):
            work.ledger.end(run.id, work.moment(), to_dict(report), interrupted=report.interrupted)
        return report


def to_dict(report: NightReport) -> dict[str, Any]:
    """The report under the contract's stable keys."""
    values = dataclasses.asdict(report)
    jobs = [{**job, "changes": list(job["changes"])} for job in values["jobs"]]
    return {**values, "started": report.started.isoformat(), "jobs": jobs}


def report_of(memory: Memory, run: str | None = None) -> dict[str, Any] | None:
    """The report of a night, of the last one that ended by default; None before the first. Raises RecordNotFound."""
    ledger = Ledger(memory.store)
    if run is not None:
        return dict(ledger.run(run).report)
    return next((dict(night.report) for night in ledger.runs() if night.ended_at is not None), None)


def _run_job(name: str, work: Work) -> JobReport:
    tally, started = Tally(), time.perf_counter()
    JOBS[name](work, tally)
    return tally.report(name, time.perf_counter() - started)


def _begin(memory: Memory, now: datetime) -> Run:
    ledger = Ledger(memory.store)
    died = ledger.unfinished()
    if died is not None:
        return died
    with memory.store.atomic("sleep", now):
        return ledger.begin(now)


@contextmanager
def _alone(memory: Memory) -> Iterator[None]:
    """Hold the night's own lock, which dies with its holder. Raises StoreLocked."""
    lock = WriterLock(memory.home.path / "night.lock", timeout=0.0)
    try:
        lock.acquire()
    except StoreLocked as error:
        hint = "Wait until it ends, or stop it with `mem daemon stop`."
        raise StoreLocked("Another night is at work on this memory.", hint) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _copy_of(memory: Memory) -> Iterator[Memory]:
    """The same memory over a copy of its store, gone afterwards."""
    folder = tempfile.TemporaryDirectory(prefix="night-", dir=memory.home.path)
    with folder as path, memory.store.copied(Path(path)) as store:
        yield Memory(
            dataclasses.replace(memory.home, path=Path(path)),
            memory.config,
            store,
            load_embedder=lambda: _embedder_of(memory),
            load_chat=lambda: memory.chat,
        )


def _embedder_of(memory: Memory) -> Embedder:
    if memory.embedder is None:
        assert memory.embedder_error is not None
        raise memory.embedder_error
    return memory.embedder
