"""What a row is: frozen dataclasses for records, links, entities and uses. Values only, no I/O.

Times are timezone-aware UTC datetimes; `tz` keeps the offset in which the words were said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """The type of a memory; decides how it is recalled, slept on and forgotten."""

    EPISODIC = "episodic"  # what was said or happened, verbatim; never changed
    SEMANTIC = "semantic"  # facts and preferences
    PROCEDURAL = "procedural"  # how-to and lessons
    CORE = "core"  # the portrait that is always in the prompt
    RESOURCE = "resource"  # imported documents, in chunks
    TASK = "task"  # goals, sub-tasks, intentions
    GIST = "gist"  # summaries of episodes, sessions, topics


class Source(StrEnum):
    """Where words came from. Also the scale of trust: `TRUST_ORDER`, least first."""

    IMPORTED = "imported"
    TOOL = "tool"
    MODEL_INFERRED = "model_inferred"
    USER_FILE = "user_file"
    USER_SAID = "user_said"


TRUST_ORDER: tuple[Source, ...] = tuple(Source)


def least_trust(sources: list[Source]) -> Source:
    """The least trusted of `sources`; what is derived is trusted no more than this. Raises on an empty list."""
    return min(sources, key=TRUST_ORDER.index)


class State(StrEnum):
    """How awake a memory is. Nothing is hidden: dormant is only not offered unasked."""

    ACTIVE = "active"
    DORMANT = "dormant"
    ARCHIVED = "archived"


class LinkKind(StrEnum):
    """Typed edges between two records, or from a record to an entity (`mentions`)."""

    DERIVED_FROM = "derived_from"
    SUPERSEDES = "supersedes"
    CONTRADICTS = "contradicts"
    SAME_EPISODE = "same_episode"
    SIMILAR = "similar"
    MENTIONS = "mentions"
    DEPENDS_ON = "depends_on"
    NEXT = "next"
    PART_OF = "part_of"


@dataclass(frozen=True, slots=True)
class Record:
    """One memory. `seq` and `id` are given by the store on insert (0 and "" before that).

    Attributes:
        context: derived words that help to find the record (subject resolved, keywords); never shown as said.
        event_time: when it was said or happened. recorded_at: when the store learnt it.
        valid_from, valid_to: when a fact was true in the world; None is open-ended.
        importance: 1..10. stability: days, see app/forgetting.py.
        subject, attribute: the slot that a fact fills, lower case ("user", "home city"); None when free text.
        derived_by: version of the prompt and model (or rule) that wrote a derived record.
        extra: JSON-able details that only one kind of record needs.
    """

    kind: Kind
    text: str
    source: Source
    trust: Source
    event_time: datetime
    recorded_at: datetime
    id: str = ""
    seq: int = 0
    context: str = ""
    speaker: str | None = None
    role: str = "user"  # user | assistant | other
    session: str | None = None
    external_id: str | None = None
    tz: str = "+00:00"
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    superseded_by: str | None = None
    subject: str | None = None
    attribute: str | None = None
    importance: float = 3.0
    stability: float = 2.0
    last_used: datetime | None = None
    use_count: int = 0
    pinned: bool = False
    protected: str | None = None  # the reason why it never fades below the floor, else None
    state: State = State.ACTIVE
    language: str = "en"
    derived_by: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """A directed edge. `dst` is a record id, or an entity id for `mentions`.

    For `derived_from`, `start` and `end` are the character span of the source's text that is quoted.
    """

    src: str
    dst: str
    kind: LinkKind
    weight: float = 1.0
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """A person, place or thing that memories mention. `aliases` are lower case and hold the name too."""

    id: str
    name: str
    kind: str  # person | place | organisation | thing | user
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a memory: `gain` is 0..1.87 (see app/forgetting.py), at most one per memory and session."""

    record: str
    at: datetime
    session: str
    gain: float


@dataclass(frozen=True, slots=True)
class Change:
    """One journal entry: a row of `table` went from `before` to `after` (None: was not, or is no longer, there).

    On an update both hold only the columns that changed. `run` groups the changes of one command or night.
    """

    seq: int
    at: datetime
    run: str
    action: str
    table: str
    key: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which records a search may return. None and empty mean unlimited; `as_of` keeps what was valid then."""

    kinds: frozenset[Kind] = frozenset()
    states: frozenset[State] = frozenset()
    sources: frozenset[Source] = frozenset()
    session: str | None = None
    speaker: str | None = None
    after: datetime | None = None  # event_time >= after
    before: datetime | None = None  # event_time < before
    as_of: datetime | None = None
    include_superseded: bool = True


EVERYTHING = Filter()
"""The filter that lets every record through."""
