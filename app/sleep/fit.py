"""Fits the curve to its user: the exponent under which their own uses of memories were least surprising."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import groupby

from app.forgetting import DAY, STANDARD, first_stability, fit_decay, grown
from app.sleep.work import Work
from app.uses import DECAY
from storage.due import all_uses, count_uses
from storage.records import Use

MONTH = timedelta(days=30)
LEAST, AGAIN = 500, 1.25  # uses before the first fit; how many times as many before the next one
FITTED = "curve.fitted"  # how many uses the last fit knew
MOST_MONTHS = 24  # of silence after a use that still tell something


def fit_curve(work: Work) -> float | None:
    """The new exponent, once there is enough to tell it from; None where nothing was fitted."""
    known = int(work.store.meta(FITTED, 0))
    if count_uses(work.store.connection) < max(LEAST, AGAIN * known):
        return None
    uses = all_uses(work.store.connection)
    events = [
        event
        for _, group in groupby(uses, key=lambda use: use.record)
        for event in observed(list(group), work.now)
    ]
    decay = fit_decay(events)
    with work.write("states"):
        work.store.set_meta(DECAY, decay)
        work.store.set_meta(FITTED, len(uses))
    return decay


def observed(uses: Sequence[Use], now: datetime) -> Iterator[tuple[float, float, bool]]:
    """(stability, days since the last use, used within 30 days) at each use of one memory and each month after it."""
    stability = first_stability(3.0)
    for place, use in enumerate(uses):
        after = uses[place + 1].at if place + 1 < len(uses) else None
        until = after or now
        for month in range(MOST_MONTHS):
            moment = use.at + month * MONTH
            if moment >= until or (after is None and moment + MONTH > now):
                break
            yield (
                stability,
                (moment - use.at).total_seconds() / DAY,
                after is not None and after <= moment + MONTH,
            )
        if after is not None:
            days = (after - use.at).total_seconds() / DAY
            stability = grown(stability, STANDARD.value(stability, days), uses[place + 1].gain)
