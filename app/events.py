"""What happens while a message is answered, as small values that faces draw and the socket carries.

Plain data without heavy imports: a client of the daemon knows nothing more of the assistant than this.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True, slots=True)
class Evidence:
    """One memory as the model was shown it. `time` is when it was said or happened (aware).

    `why` is how recall found it, in words. `current` is False for a fact that is no longer true.
    """

    id: str
    text: str
    time: datetime
    kind: str = "episodic"
    speaker: str | None = None
    source: str = "user_said"
    score: float = 0.0
    why: str = ""
    current: bool = True


@dataclass(frozen=True, slots=True)
class Stored:
    """Memories were written to disk; from here on nothing can lose them."""

    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Recalled:
    """Memory was asked, or not (`gate` says why). `hits` are the memories put before the model, best first."""

    hits: tuple[Evidence, ...]
    gate: str = ""
    ms: float = 0.0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class Reminded:
    """A reminder whose time or cue has come."""

    id: str
    text: str
    due: datetime | None = None


@dataclass(frozen=True, slots=True)
class Corrected:
    """A correction changed memories; `run` is what `mem undo` takes back."""

    what: str
    ids: tuple[str, ...]
    run: str = ""


@dataclass(frozen=True, slots=True)
class Folded:
    """The window was full: this many of its oldest turns became lines of the running summary."""

    turns: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Called:
    """The model used one of its tools."""

    tool: str
    argument: str
    result: str


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of a thinking model's reasoning: shown dim, never stored."""

    piece: str


@dataclass(frozen=True, slots=True)
class Said:
    """A piece of the reply."""

    piece: str


@dataclass(frozen=True, slots=True)
class Answered:
    """The reply is complete (or was `stopped`) and stored.

    `citations` are the ids that the reply names, `used` those that it rests on (named or plainly repeated),
    `unsupported` the sentences of the reply that none of its evidence bears out.
    """

    text: str
    citations: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    stored: tuple[str, ...] = ()
    unsupported: tuple[str, ...] = ()
    abstained: bool = False
    stopped: bool = False
    context_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    recall_ms: float = 0.0
    first_token_ms: float = 0.0
    total_ms: float = 0.0
    model: str = ""


Event: TypeAlias = Union[  # noqa: UP007 - get_args below reads it
    Stored, Recalled, Reminded, Corrected, Folded, Called, Thought, Said, Answered
]
_KINDS = {kind.__name__: kind for kind in get_args(Event)}


def to_dict(event: Event) -> dict[str, Any]:
    """The event as JSON-able values, its kind under "event"."""
    return {"event": type(event).__name__, **_plain(dataclasses.asdict(event))}


def from_dict(values: Mapping[str, Any]) -> Event:
    """The event that `to_dict` wrote; fields that this version does not know are left out. Raises KeyError."""
    event: Event = _built(_KINDS[values["event"]], values)
    return event


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _built(kind: Any, values: Mapping[str, Any]) -> Any:
    hints = get_type_hints(kind)
    return kind(**{name: _typed(hints[name], values[name]) for name in hints if name in values})


def _typed(wanted: Any, value: Any) -> Any:
    if get_origin(wanted) in (Union, types.UnionType):
        return None if value is None else _typed(get_args(wanted)[0], value)
    if get_origin(wanted) is tuple:
        return tuple(_typed(get_args(wanted)[0], inner) for inner in value)
    if wanted is datetime:
        return datetime.fromisoformat(value)
    return _built(wanted, value) if dataclasses.is_dataclass(wanted) else value
