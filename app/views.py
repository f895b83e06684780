"""What a person looks through: the portrait, tasks, how-tos, who is mentioned, months, figures. Reads only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from app.memory import Memory
from app.records import Filter, Kind, LinkKind, Record, State
from storage.overview import count_by_period

USER = "user"  # the subject of facts about the one who is remembered


@dataclass(frozen=True, slots=True)
class Named:
    """An entity and how many memories mention it."""

    id: str
    name: str
    kind: str
    aliases: tuple[str, ...]
    mentions: int


def profile(memory: Memory) -> list[Record]:
    """The portrait and the facts about the user that are true now, newest first."""
    live = Filter(kinds=frozenset({Kind.CORE, Kind.SEMANTIC}), include_superseded=False)
    return [
        r
        for r in memory.store.records(live)
        if r.kind is Kind.CORE or r.subject in (USER, memory.config.user.name)
    ]


def of_kind(memory: Memory, kind: Kind, *, all_states: bool = False, limit: int = -1) -> list[Record]:
    """Memories of a kind that stand, newest first; with `all_states` the archived and superseded ones, too."""
    filter = Filter(kinds=frozenset({kind}))
    if not all_states:
        filter = replace(filter, states=frozenset({State.ACTIVE, State.DORMANT}), include_superseded=False)
    return memory.store.records(filter, limit=limit)


def entities(memory: Memory) -> list[Named]:
    """People, places and things, the most mentioned first."""
    found = [
        Named(e.id, e.name, e.kind, e.aliases, len(memory.store.links(e.id, LinkKind.MENTIONS, out=False)))
        for e in memory.store.entities()
    ]
    return sorted(found, key=lambda e: (-e.mentions, e.name))


def timeline(memory: Memory, within: str = "") -> list[tuple[str, int]]:
    """How many memories there are per month, or per day of the month `within` ("2024-03")."""
    return count_by_period(memory.store.connection, "day" if len(within) == 7 else "month", within)


def stats(memory: Memory) -> dict[str, Any]:
    """How much there is of everything."""
    return {
        "memories": sum(memory.store.counts("kind").values()),
        "kinds": memory.store.counts("kind"),
        "states": memory.store.counts("state"),
        "sources": memory.store.counts("source"),
        "speakers": dict(Counter(memory.store.counts("speaker")).most_common(10)),
        "sessions": len([name for name in memory.store.counts("session") if name]),
        "entities": len(memory.store.entities()),
    }
