"""What waits for whom, counted: SQL for a first look at a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.rows import from_text


@dataclass(frozen=True, slots=True)
class Tally:
    """What waits for whom: memories without a vector, episodes that no night has read, open questions."""

    unembedded: int
    waiting: int
    reviews: int
    last_night: datetime | None


def tally(connection: Any, model: str) -> Tally:
    """Counts for a first look; `model` names the embedding model."""
    unembedded = (
        "SELECT (SELECT count(*) FROM records) - count(*) FROM vectors WHERE view = 'text' AND model = ?"
    )
    night = "SELECT ended_at, id FROM runs WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 1"
    waiting = "SELECT count(*) FROM records WHERE kind = 'episodic' AND recorded_at > ?"
    ended = connection.execute(night).fetchone()
    since = ended[0] if ended else ""
    return Tally(
        connection.execute(unembedded, (model,)).fetchone()[0],
        connection.execute(waiting, (since,)).fetchone()[0],
        connection.execute("SELECT count(*) FROM reviews WHERE state = 'open'").fetchone()[0],
        from_text(since) if since else None,
    )
