"""Vectors for what the night wrote, sharp ones for what was woken, a new generation of the index when it is due."""

from __future__ import annotations

from app.older import let_go
from app.sleep.work import Tally, Work
from storage.due import blurred

SLICE = 64


def build_index(work: Work, tally: Tally) -> None:
    """The job: embed what has no vector yet, then let the index decide whether it is time for a new generation."""
    embedder = work.memory.embedder
    if embedder is None:
        return
    tally.read += work.embed() + work.embed("context")
    if dropped := let_go(work.memory, work.now, work.over):
        tally.changes.append(f"- {dropped:,} vectors of another model: all is embedded anew")
    while not work.over() and (seqs := blurred(work.store.connection, embedder.name, SLICE)):
        work.memory.sharpen(list(work.store.by_seq(seqs).values()), work.now)
    index = work.store.vectors(embedder.name, embedder.dim)
    for view in ("text", "context"):
        if not work.over() and index.build(work.now, view, work.over):
            tally.changes.append(f"+ a generation of the {view} index")
