"""The forgetting curve and the states: pure arithmetic over what a record says, no I/O.

Retrievability is the odds that a memory is needed again (Anderson and Schooler 1991), on the power curve of
FSRS: R(t) = (1 + F t / S)^-d with t in days since the last use and S the stability in days; F makes R(S) = 0.9.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from storage.records import Kind, Record, Source, State

LONGEST = 3650.0  # days of stability, at most
SHORTEST = 0.1
FLOOR = 0.7  # what a protected memory never falls below
DORMANT_BELOW, ARCHIVED_BELOW = 0.5, 0.2
ARCHIVED_AFTER = timedelta(days=180)
PRIOR, PRIOR_MOST = 0.10, 0.15  # weight of retrievability in ranking; above the latter rare facts drown
DAY = 86_400.0

WEIGHTY = (
    (
        "health",
        re.compile(
            r"\b(?:allerg|diagnos|medicat|disease|diabet|asthma|epilep|blood type|pregnan|surgery)", re.I
        ),
    ),
    (
        "legal",
        re.compile(
            r"\b(?:contract|lawsuit|lawyer|court|custody|visa|passport|inherit|testament|legal)", re.I
        ),
    ),
    ("safety", re.compile(r"\b(?:emergency|poison|danger|evacuat|fire escape|never mix)", re.I)),
)
IDENTITY = frozenset({"name", "birthday", "birth date", "pronouns", "nationality", "native language"})


@dataclass(frozen=True, slots=True)
class Curve:
    """How memories fade: the shape, and the exponent d of the power curve (fitted to its user in time)."""

    shape: Literal["power", "exponential"] = "power"
    decay: float = 0.5

    def value(self, stability: float, days: float) -> float:
        """R in (0, 1] after `days` without use; a clock that was set back counts as no time at all."""
        t = max(days, 0.0) / max(stability, SHORTEST)
        if self.shape == "exponential":
            return max(math.exp(-t), 1e-12)  # Ebbinghaus 1885
        factor = 0.9 ** (-1 / self.decay) - 1
        return float((1 + factor * t) ** -self.decay)

    def days_until(self, stability: float, value: float) -> float:
        """After how many days without use R has fallen to `value`."""
        if self.shape == "exponential":
            return -math.log(value) * stability
        factor = 0.9 ** (-1 / self.decay) - 1
        return float((value ** (-1 / self.decay) - 1) * stability / factor)


STANDARD = Curve()


def first_stability(importance: float, arousal: float = 0.0) -> float:
    """Days: 2 e^(0.45 (importance - 3)) for importance 1..10, times (1 + 0.5 arousal), at most 1.5 times."""
    days = 2 * math.exp(0.45 * (min(max(importance, 1.0), 10.0) - 3))
    return days * min(1 + 0.5 * max(arousal, 0.0), 1.5)


def grown(stability: float, value: float, gain: float) -> float:
    """Stability after a use at retrievability `value` with `gain`, in days.

    S' = min(3650, S [1 + 39 S^-0.1666 (e^(0.796 (1 - R)) - 1) g]).
    """
    s = max(stability, SHORTEST)
    growth: float = 39 * s**-0.1666 * (math.exp(0.796 * (1 - value)) - 1) * max(gain, 0.0)
    return min(LONGEST, s * (1 + max(growth, 0.0)))


def last_touched(record: Record) -> datetime:
    """When the memory was last used, else when it happened."""
    return max(record.last_used or record.event_time, record.event_time)


def idle_days(record: Record, now: datetime) -> float:
    """Days since the last use; never negative."""
    return max((now - last_touched(record)).total_seconds() / DAY, 0.0)


def retrievability(record: Record, now: datetime, curve: Curve = STANDARD) -> float:
    """R of a record at `now`; what is protected never falls below the floor."""
    value = curve.value(record.stability, idle_days(record, now))
    return max(value, FLOOR) if protection(record, now) else value


def reinforced(record: Record, gain: float, now: datetime, curve: Curve = STANDARD) -> float:
    """The record's stability after a use at `now` with this gain (0..1.87). Never lower than before."""
    return grown(record.stability, curve.value(record.stability, idle_days(record, now)), gain)


def protection(record: Record, now: datetime) -> str | None:
    """The reason why a record does not fade below the floor, or None."""
    if record.pinned:
        return "pinned"
    if record.protected:
        return record.protected
    if record.valid_to is not None and record.valid_to <= now:
        return None
    if record.kind is Kind.TASK and record.extra.get("status", "open") == "open":
        return "an open commitment"
    future = [t for t in (record.event_time, record.valid_from) if t is not None and t > now]
    return "a future date" if future else None


def lasting_reason(record: Record) -> str | None:
    """Why a new record deserves `protected`: written by hand, identity, health, legal or safety; else None."""
    derived = record.kind in (Kind.SEMANTIC, Kind.PROCEDURAL)
    if derived and record.source in (Source.USER_SAID, Source.USER_FILE):
        return "written by hand"
    if record.attribute in IDENTITY:
        return "identity"
    if derived or record.kind is Kind.TASK:
        return next((reason for reason, words in WEIGHTY if words.search(record.text)), None)
    return None


def state_of(record: Record, now: datetime, *, covered: bool, curve: Curve = STANDARD) -> State:
    """The state that a record should be in. `covered`: a gist holds what it said, so it may be archived."""
    value = retrievability(record, now, curve)
    if value >= DORMANT_BELOW:
        return State.ACTIVE
    old = now - record.event_time > ARCHIVED_AFTER
    return State.ARCHIVED if value < ARCHIVED_BELOW and old and covered else State.DORMANT


def prior(value: float, weight: float = PRIOR) -> float:
    """What retrievability adds to a relevance score, at most 0.15."""
    return min(max(weight, 0.0), PRIOR_MOST) * value


def explain(record: Record, now: datetime, curve: Curve = STANDARD) -> str:
    """Why a memory is as awake as it is, in one line of words."""
    days = round(idle_days(record, now))
    uses = (
        f"used {record.use_count} time{'' if record.use_count == 1 else 's'}"
        if record.use_count
        else "never used"
    )
    parts = [
        uses,
        f"last touched {days} day{'' if days == 1 else 's'} ago",
        f"stable for {record.stability:.0f} days",
    ]
    parts.append(f"retrievability {retrievability(record, now, curve):.2f}")
    if reason := protection(record, now):
        parts.append(f"protected ({reason})")
    elif record.state is State.ACTIVE:
        left = curve.days_until(record.stability, DORMANT_BELOW) - idle_days(record, now)
        parts.append(f"dormant in {max(round(left), 0)} days if not used")
    else:
        parts.append(f"{record.state}; any use wakes it")
    return ", ".join(parts)


def fit_decay(events: Iterable[tuple[float, float, bool]], shape: Literal["power"] = "power") -> float:
    """The d whose R best predicts use: events are (stability, days since last use, used within 30 days).

    Least log-loss over d in [0.1, 1.5], by golden-section search; the standard 0.5 below 500 events. Of many events
    some 5,000 are weighed, spread evenly over all: one number needs no more.
    """
    known = list(events)
    if len(known) < 500:
        return STANDARD.decay
    known = known[:: max(1, len(known) // 5_000)]
    low, high, ratio = 0.1, 1.5, (math.sqrt(5) - 1) / 2
    while high - low > 1e-3:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if _log_loss(known, Curve(shape, left)) < _log_loss(known, Curve(shape, right)):
            high = right
        else:
            low = left
    return round((low + high) / 2, 3)


def _log_loss(events: Sequence[tuple[float, float, bool]], curve: Curve) -> float:
    total = 0.0
    for stability, days, used in events:
        p = min(max(curve.value(stability, days), 1e-6), 1 - 1e-6)
        total -= math.log(p if used else 1 - p)
    return total
