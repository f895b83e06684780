"""The clock: aware, and replaced by MEM_NOW where a script says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.clock import now
from app.errors import BadRequest


def test_the_clock_is_aware(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MEM_NOW", raising=False)
    assert now().tzinfo is not None


def test_a_script_may_set_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM_NOW", "2024-03-04T19:00:00+00:00")
    assert now() == datetime(2024, 3, 4, 19, tzinfo=UTC)
    monkeypatch.setenv("MEM_NOW", "2024-03-04")
    assert now().tzinfo is not None


def test_what_is_no_time_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEM_NOW", "teatime")
    with pytest.raises(BadRequest, match="teatime"):
        now()
