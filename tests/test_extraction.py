"""What the rules find in the written sessions holds to its bounds, and the measure itself can fail."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bench.extraction import LEAST, MOST, Found, by_rules, measure, read_session, sessions


def test_the_rules_hold_their_bounds_on_the_written_sessions() -> None:
    talks = sessions()
    assert sum(map(len, talks)) >= 300
    assert sum(label.required for talk in talks for turn in talk for label in turn.labels) >= 150
    shares = measure(by_rules, talks).shares()
    assert all(shares[name] >= least for name, least in LEAST.items()), shares
    assert all(shares[name] <= most for name, most in MOST.items()), shares


SESSION = """# 2024-03-08T20:10:00+01:00 Ann, Bob
Ann: I moved to Ghent and I don't eat meat.
= Ann: ghent
= Ann: not, meat
Bob: Haha, if I moved I'd starve.
Ann: Tell me."""


def test_every_way_to_fail_is_counted() -> None:
    talk = read_session(SESSION)
    said = ["Ann lives in Ghent.", "Ann eats meat.", "Ann lives in Rome.", "Ann likes cars."]
    found = [Found(0, statement) for statement in said] + [Found(2, "Ann tells.")]
    score = measure(lambda _: found, [talk])
    assert (len(score.right), len(score.wrong), len(score.unsupported), len(score.junk)) == (1, 1, 2, 1)
    assert score.shares()["recall"] == 0.5
    assert talk[1].said_at.astimezone(UTC) == datetime(2024, 3, 8, 19, 11, tzinfo=UTC)


def test_a_line_that_is_no_turn_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        read_session("# 2024-03-08T20:10:00+01:00 A, B\nhello")
