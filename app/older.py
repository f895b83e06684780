"""Which embedding models the store has vectors of: today's, and those that it has not caught up with yet.

While a new model re-embeds the store, night by night, the vectors of the one before stand for what it has not reached.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.memory import Memory
    from storage.store import Store

MODELS = (
    "vectors.models"  # name of a model to what the settings called it, of those that the store has vectors of
)
VIEWS = ("text", "context")
SLICE = 5_000  # vectors let go in one transaction


def models_of(store: Store) -> dict[str, str]:
    """Every model that the store has vectors of, with what the settings called it."""
    found: dict[str, str] | None = store.meta(MODELS)
    if found is None:
        oldest = store.connection.execute("SELECT model FROM vectors ORDER BY op LIMIT 1").fetchone()
        found = {oldest[0]: oldest[0]} if oldest else {}
    return found


def note_model(store: Store, name: str, called: str) -> None:
    """Know of a model that vectors are written of, in the caller's transaction."""
    known = models_of(store)
    if store.meta(MODELS) is None or known.get(name) != called:
        store.set_meta(MODELS, known | {name: called})


def let_go(memory: Memory, now: datetime, stop: Callable[[], bool]) -> int:
    """Drop the vectors of other models once today's has embedded everything; returns how many. Interruptible."""
    store, embedder = memory.store, memory.embedder
    if embedder is None or models_of(store).keys() <= {embedder.name}:
        return 0
    if any(store.unembedded(embedder.name, view, 1) for view in VIEWS):
        return 0
    dropped = 0
    for name in models_of(store).keys() - {embedder.name}:
        done = 1
        while done and not stop():
            with store.atomic("embed", now):
                done = store.drop_vectors(name, SLICE)
                if not done:
                    store.set_meta(MODELS, {n: called for n, called in models_of(store).items() if n != name})
            dropped += done
    return dropped
