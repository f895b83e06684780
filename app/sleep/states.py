"""Moves memories between active, dormant and archived by the forgetting curve, and their vectors between precisions.

Nothing is deleted and no words change: a dim memory ranks lower, and any use wakes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from app.forgetting import (
    ARCHIVED_AFTER,
    ARCHIVED_BELOW,
    DORMANT_BELOW,
    explain,
    first_stability,
    lasting_reason,
    protection,
)
from app.sleep.fit import fit_curve
from app.sleep.work import Tally, Work
from app.uses import DECAY, curve_of
from storage.due import due_to_fade, due_to_rest
from storage.records import Kind, LinkKind, Record, State

SLICE = 1_000
ONLY_SOURCE = "the only source of a live fact"
UNSET = 2.0  # the stability that a record has before its first night
PRECISION = {State.DORMANT: "i8", State.ARCHIVED: "b1"}
SHOWN = 20  # transitions that the report spells out


def fade(work: Work, tally: Tally) -> None:
    """The job: a first stability for what is new, then every state that time has changed."""
    if (decay := fit_curve(work)) is not None:
        tally.changes.append(f"~ the curve of forgetting, fitted to your uses: d = {decay}")
    curve = curve_of(work.memory.config, work.store.meta(DECAY))
    _welcome(work, tally)
    dim, rest = curve.days_until(1.0, DORMANT_BELOW), curve.days_until(1.0, ARCHIVED_BELOW)
    db = work.store.connection
    _move(work, tally, State.DORMANT, lambda after: due_to_fade(db, work.now, dim, after, SLICE))
    _move(
        work,
        tally,
        State.ARCHIVED,
        lambda after: due_to_rest(db, work.now, rest, ARCHIVED_AFTER, after, SLICE),
    )


def _welcome(work: Work, tally: Tally) -> None:
    while records := work.store.since(work.mark("states"), limit=SLICE):
        if work.over():
            return
        with work.write("states"):
            for record in records:
                stability = (
                    first_stability(record.importance) if record.stability == UNSET else record.stability
                )
                protected = record.protected or lasting_reason(record)
                work.store.update(replace(record, stability=stability, protected=protected))
            work.set_mark("states", records[-1].seq)
        tally.read += len(records)


def _move(work: Work, tally: Tally, state: State, due: Callable[[int], list[int]]) -> None:
    """Put everything that is due into `state`, except what turns out to be protected."""
    after = 0
    while seqs := due(after):
        if work.over():
            return
        after = seqs[-1]
        records = list(work.store.by_seq(seqs).values())
        kept = {r.id for r in records if bears_witness(work, r)}
        moving = [r for r in records if r.id not in kept and protection(r, work.now) is None]
        with work.write("states"):
            for record in records:
                if record.id in kept:
                    work.store.update(replace(record, protected=ONLY_SOURCE))
            for record in moving:
                work.store.update(replace(record, state=state))
            _coarsen(work, moving, PRECISION[state])
        tally.read += len(records)
        tally.faded += len(moving)
        room = max(0, SHOWN - len(tally.changes))
        tally.changes += [
            f"{r.id} is {state}: {explain(r, work.now)}"
            for r in (replace(r, state=state) for r in moving[:room])
        ]


def bears_witness(work: Work, record: Record) -> bool:
    """Whether a live fact rests on this episode alone."""
    if record.kind is not Kind.EPISODIC:
        return False
    links = work.store.links(record.id, LinkKind.DERIVED_FROM, out=False)
    facts = work.store.get_many([link.src for link in links]).values()
    return any(
        fact.kind in (Kind.SEMANTIC, Kind.PROCEDURAL, Kind.TASK)
        and fact.valid_to is None
        and fact.superseded_by is None
        and len(work.store.links(fact.id, LinkKind.DERIVED_FROM, back=False)) == 1
        for fact in facts
    )


def _coarsen(work: Work, records: Sequence[Record], precision: str) -> None:
    embedder = work.memory.embedder
    if embedder is not None:
        work.store.vectors(embedder.name, embedder.dim).coarsen([r.seq for r in records], precision)
