"""The last job but the backup: vectors for what the night wrote, and a fresh generation of the index when it is due."""

from __future__ import annotations

from app.sleep.work import Tally, Work


def build_index(work: Work, tally: Tally) -> None:
    """The job: embed what has no vector yet, then let the index decide whether it is time for a new generation."""
    tally.read += work.embed()
