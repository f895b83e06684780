"""A proposed memory on its way from a turn to the store: what rules or a model read in it, with the words it rests on.

Plain data that survives as JSON in the ledger, so that a crash between reading and deciding loses nothing.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from storage.records import Kind, Record, Source

if TYPE_CHECKING:
    from app.sleep.rules import Candidate


@dataclass(frozen=True, slots=True)
class Proposal:
    """A memory that may be added. `turn` is the id of the episode that `start`..`end` quotes.

    `said_at` is when it was said; `valid_from` and `valid_to` only what the words themselves tell.
    """

    turn: str
    said_at: datetime
    trust: Source
    kind: Kind
    text: str
    start: int
    end: int
    derived_by: str
    subject: str | None = None
    attribute: str | None = None
    value: str | None = None
    importance: float = 3.0
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    is_correction: bool = False
    ends: bool = False  # it says that what fills this slot stopped being true, and nothing takes its place

    @property
    def since(self) -> datetime:
        """When it began to be true, as far as is known."""
        return self.valid_from or self.said_at


_TIMES = ("said_at", "valid_from", "valid_to")


def from_candidate(candidate: Candidate, turn: Record, derived_by: str) -> Proposal:
    """The proposal that a candidate read in `turn` makes. Its trust is the turn's: code sets it, never a model."""
    told = {f.name: getattr(candidate, f.name) for f in dataclasses.fields(candidate) if f.name != "closes"}
    return Proposal(
        turn=turn.id,
        said_at=turn.event_time,
        trust=turn.trust,
        derived_by=derived_by,
        ends=candidate.closes,
        **told,
    )


def to_dict(proposal: Proposal) -> dict[str, Any]:
    """JSON-able values."""
    values = dataclasses.asdict(proposal)
    return {name: v.isoformat() if isinstance(v, datetime) else v for name, v in values.items()}


def from_dict(values: Mapping[str, Any]) -> Proposal:
    """The proposal that `to_dict` wrote."""
    times = {name: datetime.fromisoformat(values[name]) if values[name] else None for name in _TIMES}
    return Proposal(**{**values, **times, "kind": Kind(values["kind"]), "trust": Source(values["trust"])})
