"""The only reader of the wall clock. Everything else is given `now`."""

from __future__ import annotations

from datetime import datetime


def now() -> datetime:
    """This moment, aware, in the zone that this computer is set to."""
    return datetime.now().astimezone()
