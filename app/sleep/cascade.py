"""When a fact closes, what rests on it becomes suspect, says so, and is looked at again in the same night."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from app.guard.trust import outranks
from app.sleep.reconcile import since
from app.sleep.rules import DEPENDS_ON
from app.sleep.work import Tally, Work
from storage.records import Kind, LinkKind, Record

RESTS_ON = (LinkKind.DEPENDS_ON, LinkKind.DERIVED_FROM)


def spread_doubt(work: Work, tally: Tally) -> None:
    """The job: everything that rests on a fact closed since the last night, by whoever closed it."""
    begin = work.mark("cascade")
    seen, closed = begin, []
    for change in work.store.journal.changes(after=begin, updates_only=True):
        seen = change.seq
        if (change.after or {}).get("superseded_by"):
            closed.append(change.key)
    facts = work.store.get_many([key.strip('[]"') for key in dict.fromkeys(closed)])
    with work.write("cascade"):
        for fact in facts.values():
            if fact.valid_to is not None and fact.superseded_by is not None:
                tally.read += 1
                _doubt(work, fact, tally)
        if seen > begin:
            work.set_mark("cascade", seen)


def _doubt(work: Work, fact: Record, tally: Tally) -> None:
    assert fact.valid_to is not None
    assert fact.superseded_by is not None
    for other in _dependants(work, fact):
        if not is_borne_out(work, other, fact.valid_to):
            reason = f"rests on {fact.text!r}, which ended {fact.valid_to:%Y-%m-%d}"
            work.store.update(replace(other, extra={**other.extra, "suspect": reason}))
            tally.changes.append(f"! {other.id} {other.text} ({reason})")


def _dependants(work: Work, fact: Record) -> Iterator[Record]:
    """Live facts that are linked to `fact`, and those whose slot rests on its slot."""
    ids = [link.src for kind in RESTS_ON for link in work.store.links(fact.id, kind, out=False)]
    found = work.store.get_many(ids)
    if fact.subject is not None:
        for attribute, bases in DEPENDS_ON.items():
            if fact.attribute in bases:
                found |= {r.id: r for r in work.store.slot(fact.subject, attribute)}
    for other in found.values():
        live = other.valid_to is None and other.superseded_by is None
        if outranks(other.trust, fact.trust):
            continue
        if (
            live
            and other.kind is not Kind.GIST
            and other.kind is not Kind.CORE
            and other.id != fact.superseded_by
        ):
            yield other


def is_borne_out(work: Work, fact: Record, moment: datetime) -> bool:
    """Whether something said at or after `moment` still supports the fact."""
    if since(fact) >= moment:
        return True
    sources = work.store.get_many(
        [k.dst for k in work.store.links(fact.id, LinkKind.DERIVED_FROM, back=False)]
    )
    return any(turn.event_time >= moment for turn in sources.values() if turn.kind is Kind.EPISODIC)
