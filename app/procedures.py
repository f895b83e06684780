"""How-to and lessons for a situation: which known way of doing things fits, and how often it worked.

Only what its user told may steer; what was imported or read on a page is never offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app.guard.trust import may_influence
from app.uses import CITED, use
from storage.records import Filter, Kind, LinkKind, Record

if TYPE_CHECKING:
    from app.memory import Memory

LIVE = Filter(kinds=frozenset({Kind.PROCEDURAL}), include_superseded=False)
ALIKE = 0.35  # cosine from which a procedure is about the situation at all
SHARED = 0.5  # or this share of the words of its goal
ENOUGH, USELESS = 3, 0.34  # tries before a procedure is judged, and the utility below which it is given up
_STEP = re.compile(r"\s*(?:;|,? (?:and )?then\b|, and\b|,|\.)\s*", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True)
class Procedure:
    """A way of doing something. `when` is the goal or the situation that it is for ("" for any).

    `needs` are the conditions under which it holds; `avoid` is the way that it corrects, "" for none.
    """

    record: Record
    when: str
    steps: tuple[str, ...]
    worked: int
    failed: int
    needs: tuple[str, ...] = ()
    avoid: str = ""

    @property
    def utility(self) -> float:
        """The share of tries that worked, one of each added beforehand (Laplace's rule of succession)."""
        return (self.worked + 1) / (self.worked + self.failed + 2)

    @property
    def useless(self) -> bool:
        """Whether it was tried often enough to know that it does not work."""
        return self.worked + self.failed >= ENOUGH and self.utility < USELESS

    @property
    def line(self) -> str:
        """Its words and its outcomes, for a prompt or a screen."""
        tried = f" (worked {self.worked}, did not {self.failed})" if self.worked or self.failed else ""
        instead = f" (not: {self.avoid})" if self.avoid else ""
        return f"{self.record.text}{instead}{tried}"


def procedure_of(record: Record) -> Procedure:
    """The procedure that a record of that kind holds."""
    details = record.extra
    when = str(details.get("when", record.attribute or ""))
    steps = tuple(map(str, details.get("steps") or steps_in(str(details.get("value", record.text)))))
    worked, failed = (int(details.get(name, 0)) for name in ("worked", "failed"))
    needs = tuple(map(str, details.get("needs", ())))
    return Procedure(record, when, steps, worked, failed, needs, str(details.get("avoid", "")))


def procedures_for(memory: Memory, text: str, k: int = 3) -> tuple[Procedure, ...]:
    """At most `k` live procedures for the situation that `text` tells, by likeness times utility, the best first."""
    known = [r for r in memory.store.records(LIVE) if may_influence(r)]
    if not known or k < 1:
        return ()
    near = _near(memory, text, known)
    words = stems(text)
    scored = []
    for procedure in map(procedure_of, known):
        goal = stems(_goal(memory, procedure))
        shared = len(goal & words) / max(len(goal), 1)
        likeness = near.get(procedure.record.seq, 0.0)
        if likeness >= ALIKE or shared >= SHARED:
            scored.append((max(likeness, shared) * (0.5 + procedure.utility), procedure))
    scored.sort(key=lambda pair: (-pair[0], pair[1].record.seq))
    return tuple(procedure for _, procedure in scored[:k])


def record_outcome(memory: Memory, id: str, worked: bool, now: datetime) -> Procedure:
    """Count a try of the procedure with this id; one that worked is a use. Raises RecordNotFound."""
    with memory.store.atomic("outcome", now):
        if worked:
            use(memory, [id], CITED, f"tried {now.isoformat()}", now)
        record = counted(memory.store.get(id), worked)
        memory.store.update(record)
    return procedure_of(record)


def counted(record: Record, worked: bool) -> Record:
    """The record with one more outcome."""
    slot = "worked" if worked else "failed"
    return replace(record, extra={**record.extra, slot: int(record.extra.get(slot, 0)) + 1})


def steps_in(words: str) -> tuple[str, ...]:
    """The steps that a sentence names, in their order."""
    return tuple(step for part in _STEP.split(words) if (step := part.strip(" .!")))


def stems(text: str) -> frozenset[str]:
    """The longer words of a text, cut so that forms of one word meet."""
    return frozenset(word.lower()[:5] for word in _WORD.findall(text))


def _goal(memory: Memory, procedure: Procedure) -> str:
    """What it is for; a correction that does not say so is for what the way was that it corrects."""
    if procedure.when or not procedure.avoid:
        return procedure.when or procedure.record.text
    replaced = memory.store.links(procedure.record.id, LinkKind.SUPERSEDES, back=False)
    older = memory.store.get_many([link.dst for link in replaced]).values()
    return " ".join([procedure_of(record).when for record in older]) or procedure.record.text


def _near(memory: Memory, text: str, known: Iterable[Record]) -> dict[int, float]:
    embedder = memory.embedder
    if embedder is None or not text.strip():
        return {}
    vectors = memory.store.vectors(embedder.name, embedder.dim).of([r.seq for r in known])
    asked = embedder.embed([text])[0]
    return {seq: float(vector @ asked) for seq, vector in vectors.items()}
