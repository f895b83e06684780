"""The only reader of the wall clock. Everything else is given `now`."""

from __future__ import annotations

import os
from datetime import datetime

from app.errors import BadRequest


def now() -> datetime:
    """This moment, aware, in the zone that this computer is set to.

    MEM_NOW (an ISO time) stands in for the clock, for scripts and benchmarks. Raises BadRequest when it is no time.
    """
    fixed = os.environ.get("MEM_NOW")
    if not fixed:
        return datetime.now().astimezone()
    try:
        moment = datetime.fromisoformat(fixed)
    except ValueError:
        raise BadRequest(
            f"MEM_NOW is no time: {fixed!r}", "Write it like 2024-05-01T08:00:00+02:00, or unset it."
        ) from None
    return moment if moment.tzinfo else moment.astimezone()
