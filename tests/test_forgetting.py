"""The curve by exact numbers, and what must hold for every memory whatever its history (Hypothesis)."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.forgetting import (
    FLOOR,
    Curve,
    explain,
    first_stability,
    fit_decay,
    grown,
    lasting_reason,
    prior,
    protection,
    reinforced,
    retrievability,
    state_of,
)
from storage.records import Kind, Record, Source, State

NOW = datetime(2024, 5, 1, tzinfo=UTC)
CURVE = Curve()
days = st.floats(0, 40_000)
stabilities = st.floats(0.1, 3650)
curves = st.builds(Curve, st.sampled_from(["power", "exponential"]), st.floats(0.1, 1.5))


def memory(**more: object) -> Record:
    base = Record(Kind.EPISODIC, "went climbing", Source.USER_SAID, Source.USER_SAID, NOW, NOW)
    return replace(base, **more)  # type: ignore[arg-type]


def test_the_curve_is_at_nine_tenths_after_its_stability() -> None:
    for curve in (Curve(), Curve(decay=0.2), Curve(decay=1.1)):
        assert curve.value(7, 7) == pytest.approx(0.9)
    assert [round(CURVE.value(1, t), 3) for t in (0, 1, 10, 100)] == [1.0, 0.9, 0.547, 0.202]


def test_growth_over_widening_gaps_and_over_cramming() -> None:
    stability, seen = 5.0, []
    for gap in (1, 7, 30, 90, 365):
        stability = grown(stability, CURVE.value(stability, gap), 1.0)
        seen.append(stability)
    assert seen == pytest.approx([7.7, 24, 80, 218, 666], rel=0.02)
    crammed = 5.0
    for _ in range(20):
        crammed = grown(crammed, CURVE.value(crammed, 15 / 1440), 1.0)
    assert crammed == pytest.approx(5.55, abs=0.05)


def test_first_stability_spans_what_matters() -> None:
    assert [round(first_stability(i), 1) for i in (1, 3, 10)] == [0.8, 2.0, 46.7]
    assert first_stability(3, arousal=9) == 3.0


@given(curves, stabilities, days, days)
def test_it_falls_in_time_and_stays_above_nothing(curve: Curve, s: float, a: float, b: float) -> None:
    early, late = sorted((a, b))
    assert 0 < curve.value(s, late) <= curve.value(s, early) <= 1


@given(curves, stabilities, stabilities, days)
def test_it_rises_with_stability(curve: Curve, a: float, b: float, t: float) -> None:
    assert curve.value(min(a, b), t) <= curve.value(max(a, b), t)


@given(stabilities, st.floats(0, 1), st.floats(0, 1.87))
def test_a_use_never_weakens(s: float, value: float, gain: float) -> None:
    assert s <= grown(s, value, gain) <= 3650


@given(curves, stabilities, st.floats(0.01, 0.99))
def test_days_until_is_the_inverse(curve: Curve, s: float, value: float) -> None:
    assert curve.value(s, curve.days_until(s, value)) == pytest.approx(value)


@given(st.integers(-4000, 4000), stabilities, st.booleans())
def test_clocks_that_jump_are_safe(jump: int, stability: float, covered: bool) -> None:
    record = memory(stability=stability, last_used=NOW)
    now = NOW + timedelta(days=jump)
    assert 0 < retrievability(record, now) <= 1
    assert reinforced(record, 1.0, now) >= stability
    if jump <= 0:
        assert state_of(record, now, covered=covered) is State.ACTIVE


@given(st.integers(0, 40_000), st.sampled_from(["pinned", "protected", "task", "future"]))
def test_protected_is_never_archived(age: int, how: str) -> None:
    now = NOW + timedelta(days=age)
    record = {
        "pinned": memory(pinned=True),
        "protected": memory(protected="health"),
        "task": memory(kind=Kind.TASK),
        "future": memory(valid_from=now + timedelta(days=1)),
    }[how]
    assert retrievability(record, now) >= FLOOR
    assert state_of(record, now, covered=True) is State.ACTIVE
    assert "protected" in explain(record, now)


def test_states_and_their_words() -> None:
    record = memory(stability=2.0)
    assert state_of(record, NOW + timedelta(days=5), covered=True) is State.ACTIVE
    assert state_of(record, NOW + timedelta(days=60), covered=True) is State.DORMANT
    assert state_of(record, NOW + timedelta(days=400), covered=False) is State.DORMANT
    assert state_of(record, NOW + timedelta(days=400), covered=True) is State.ARCHIVED
    assert explain(record, NOW + timedelta(days=5)).startswith(
        "never used, last touched 5 days ago, stable for 2 days"
    )


def test_what_deserves_protection() -> None:
    fact = memory(kind=Kind.SEMANTIC, source=Source.MODEL_INFERRED, text="The user is allergic to peanuts.")
    assert lasting_reason(fact) == "health"
    assert lasting_reason(replace(fact, text="The user likes jazz.")) is None
    assert lasting_reason(replace(fact, text="x", attribute="name")) == "identity"
    assert lasting_reason(replace(fact, source=Source.USER_SAID)) == "written by hand"
    assert lasting_reason(memory(text="I am allergic to peanuts")) is None
    assert protection(memory(kind=Kind.TASK, extra={"status": "done"}), NOW) is None


def test_the_prior_is_bounded() -> None:
    assert prior(1.0) == 0.10
    assert prior(1.0, 0.9) == 0.15
    assert prior(1.0, -1) == 0.0


def test_the_fit_finds_the_decay_that_made_the_events() -> None:
    rng = random.Random(3)
    truth = Curve(decay=0.9)
    events = []
    for _ in range(20_000):
        stability, gap = rng.uniform(1, 60), rng.expovariate(1 / 60)
        events.append((stability, gap, rng.random() < truth.value(stability, gap)))
    assert fit_decay(events) == pytest.approx(0.9, abs=0.15)
    assert fit_decay(events[:499]) == 0.5
