"""Moves memories between active, dormant and archived by the forgetting curve, and their vectors between precisions.

Nothing is deleted and no words change: a dim memory ranks lower, and any use wakes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.forgetting import (
    ARCHIVED_AFTER,
    ARCHIVED_BELOW,
    DORMANT_BELOW,
    Curve,
    explain,
    first_stability,
    lasting_reason,
    state_of,
)
from app.procedures import LIVE as PROCEDURES
from app.procedures import procedure_of
from app.sleep.fit import fit_curve
from app.sleep.reconcile import is_guarded
from app.sleep.work import Tally, Work
from app.uses import DECAY, curve_of
from storage.due import covered, due_to_fade
from storage.records import Kind, LinkKind, Record, State

SLICE = 1_000
ONLY_SOURCE = "the only source of a live fact"
UNSET = 2.0  # the stability that a record has before its first night
PRECISION = "i8"
"""Of the vectors of what faded. At one bit a dimension, a question years later no longer finds what it asks for."""
SHOWN = 20  # transitions that the report spells out


def fade(work: Work, tally: Tally) -> None:
    """The job: a first stability for what is new, then every state that time has changed."""
    if (decay := fit_curve(work)) is not None:
        tally.changes.append(f"~ the curve of forgetting, fitted to your uses: d = {decay}")
    curve = curve_of(work.memory.config, work.store.meta(DECAY))
    _welcome(work, tally)
    _settle_down(work, tally, curve)
    _retire(work, tally)


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


def _settle_down(work: Work, tally: Tally, curve: Curve) -> None:
    """Put everything whose time has come into its state; SQL only narrows down whom `state_of` is asked about."""
    dim, rest = curve.days_until(1.0, DORMANT_BELOW), curve.days_until(1.0, ARCHIVED_BELOW)
    db, after = work.store.connection, 0
    while seqs := due_to_fade(db, work.now, dim, rest, ARCHIVED_AFTER, after, SLICE):
        if work.over():
            return
        after, kept_in_gist = seqs[-1], covered(db, seqs)
        moved: dict[State, list[Record]] = {State.DORMANT: [], State.ARCHIVED: []}
        with work.write("states"):
            for record in work.store.by_seq(seqs).values():
                state = state_of(record, work.now, covered=record.seq in kept_in_gist, curve=curve)
                if state in (State.ACTIVE, record.state):
                    continue
                if bears_witness(work, record):
                    work.store.update(replace(record, protected=ONLY_SOURCE))
                else:
                    moved[state].append(replace(record, state=state))
                    work.store.update(moved[state][-1])
            _coarsen(work, [record for records in moved.values() for record in records])
        tally.read += len(seqs)
        for record in (r for records in moved.values() for r in records):
            tally.faded += 1
            if len(tally.changes) < SHOWN:
                tally.changes.append(f"{record.id} is {record.state}: {explain(record, work.now, curve)}")


def _retire(work: Work, tally: Tally) -> None:
    """Close the procedures that were tried and did not work; what was written by hand is its writer's to close."""
    for procedure in map(procedure_of, work.store.records(PROCEDURES)):
        record = procedure.record
        if procedure.useless and not is_guarded(record):
            with work.write("states"):
                work.store.update(replace(record, valid_to=work.now))
            tally.superseded += 1
            tally.changes.append(f"- {record.id} {procedure.line}")


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


def _coarsen(work: Work, records: Sequence[Record]) -> None:
    embedder = work.memory.embedder
    if embedder is not None:
        work.store.vectors(embedder.name, embedder.dim).coarsen([r.seq for r in records], PRECISION)
