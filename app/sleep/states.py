"""Moves memories between active, dormant and archived by the forgetting curve, and their vectors between precisions.

Nothing is deleted and no words change: a dim memory ranks lower, and any use wakes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from app.forgetting import explain
from app.sleep.work import Tally, Work
from storage.due import due_to_fade, due_to_rest
from storage.records import Record, State

SLICE = 1_000
PRECISION = {State.ACTIVE: "f32", State.DORMANT: "i8", State.ARCHIVED: "b1"}


def fade(work: Work, tally: Tally) -> None:
    """The job."""
