"""Times as options give them."""

from __future__ import annotations

from datetime import datetime

from app.errors import BadRequest


def moment(words: str | None, now: datetime) -> datetime | None:
    """The start of the time that `words` name, seen from `now`; None for none. Raises BadRequest."""
    if words is None:
        return None
    try:
        found = datetime.fromisoformat(words)
    except ValueError as error:
        raise BadRequest(
            f"{words!r} is no time.", "Give a date like 2024-05-01 or words like yesterday."
        ) from error
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)
