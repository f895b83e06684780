"""The values that faces see: what a memory is, and the filters over them. They are the store's own types."""

from storage.records import (
    EVERYTHING,
    Change,
    Entity,
    Filter,
    Kind,
    Link,
    LinkKind,
    Record,
    Source,
    State,
    Use,
)

__all__ = [
    "EVERYTHING",
    "Change",
    "Entity",
    "Filter",
    "Kind",
    "Link",
    "LinkKind",
    "Record",
    "Source",
    "State",
    "Use",
]
