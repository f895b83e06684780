"""Times as options give them: ISO 8601, or words like "yesterday" and "last March"."""

from __future__ import annotations

from datetime import datetime

from app.errors import BadRequest


def moment(words: str | None, now: datetime) -> datetime | None:
    """The start of the time that `words` name, seen from `now`; None for none. Raises BadRequest."""
    if words is None:
        return None
    from app.when import parse_when

    span = parse_when(words, now)
    if span is None:
        raise BadRequest(
            f"{words!r} is no time.", "Give a date like 2024-05-01, or words like yesterday, last March."
        )
    return span.start
