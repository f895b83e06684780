"""The last job: a verified backup of what the night left, when anything changed since the one before."""

from __future__ import annotations

from app.backups import make
from app.forget import settle
from app.sleep.work import Tally, Work


def back_up(work: Work, tally: Tally) -> None:
    """The job. The copy is restored and its state compared before it counts; older ones rotate."""
    settle(work.memory, work.now)  # a forgetting that was killed
    newest = next((c.seq for c in work.store.journal.changes(newest_first=True, limit=1)), 0)
    if newest > work.mark("backup"):
        backup = make(work.memory, work.now)
        with work.write("backup"):
            work.set_mark("backup", newest)
        tally.changes.append(f"+ {backup.path.name}")
