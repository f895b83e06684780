"""What hangs together: one memory or entity in the middle, and what is one link away from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.browse import KIND_NAMES, Neighbour, around
from app.records import Record
from storage.overview import count_mentions

if TYPE_CHECKING:
    from app.memory import Memory


@dataclass(frozen=True, slots=True)
class Centre:
    """What stands in the middle. `record` is None for an entity; `further` counts the links of each neighbour."""

    id: str
    name: str
    kind: str
    record: Record | None
    neighbours: tuple[Neighbour, ...]
    further: tuple[int, ...]


def centre(memory: Memory, id: str, limit: int = 200) -> Centre:
    """A memory or an entity and what is around it. Raises RecordNotFound."""
    entity = next((e for e in memory.store.entities() if e.id == id), None)
    record = None if entity else memory.store.get(id)
    neighbours = around(memory, id if entity else record.id if record else id)[:limit]
    further = tuple(len(memory.store.links(n.id)) - 1 for n in neighbours)
    if entity is not None:
        return Centre(entity.id, entity.name, entity.kind, None, tuple(neighbours), further)
    assert record is not None
    return Centre(record.id, record.text, KIND_NAMES[record.kind], record, tuple(neighbours), further)


def hubs(memory: Memory, limit: int = 200) -> list[tuple[str, str, str, int]]:
    """(id, name, kind, mentions) of the entities that are mentioned most: where a walk may begin."""
    named = {e.id: e for e in memory.store.entities()}
    counted = count_mentions(memory.store.connection, limit)
    return [(id, named[id].name, named[id].kind, count) for id, count in counted if id in named]
