"""Is the store whole, is anything missing on this machine, and what remedies it."""

from __future__ import annotations

from dataclasses import dataclass

from app.memory import Memory
from storage.check import full_text_problem, integrity_problems, vector_problems
from storage.database import memory as empty_database
from storage.journal import replay, state_hash


@dataclass(frozen=True, slots=True)
class Check:
    """One question that was asked of the store or the machine. `remedy` is one line, "" where nothing is to do."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""


def verify(memory: Memory) -> list[Check]:
    """Pages, full text, vectors against rows, and the journal replayed to the same state hash."""
    connection = memory.store.connection
    pages = integrity_problems(connection)
    text = full_text_problem(connection)
    vectors = vector_problems(connection)
    here, again = replayed(memory)
    return [
        Check("database", not pages, "; ".join(pages[:3]) or "every page and index is sound"),
        Check("full text", not text, text or "agrees with the memories"),
        Check("vectors", not vectors, "; ".join(vectors) or "agree with the memories"),
        Check("journal", here == again, "replays to this state" if here == again else f"replays to {again}"),
        Check("state hash", True, here),
    ]


def replayed(memory: Memory) -> tuple[str, str]:
    """The state hash of the store, and of what its journal leads to when replayed from nothing."""
    target = empty_database()
    try:
        replay(memory.store.connection, target)
        return state_hash(memory.store.connection), state_hash(target)
    finally:
        target.close()
