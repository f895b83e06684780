"""Carries out what reconciliation decides: adds, closes and links facts, each with its evidence; asks when unsure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.guard.trust import is_binding, may_influence, outranks
from app.sleep.choose import chosen
from app.sleep.episodes import EPISODE, episode_turns
from app.sleep.proposals import Proposal, from_dict
from app.sleep.read import FILLED, READ, proposals_in
from app.sleep.reconcile import Decision, Verdict, closed, decide, plain, same_value, since
from app.sleep.rules import DEPENDS_ON, is_single_valued
from app.sleep.support import echoes
from app.sleep.work import Tally, Work
from app.uses import SAID_AGAIN, use
from storage.ledger import PAID, Job
from storage.records import Filter, Kind, Link, LinkKind, Record, Source

SLICE = 50  # episodes settled in one transaction
GAVE_UP = "gave up"  # an end that does not say of which slot: it may be any of these
LOOSE = ("likes", "preference", "habit", "status")  # slots in which a state is told as well
OPEN_ENDED = ("hobby", "likes", "medication", "studies", "owns", "diet")
WITNESSES = 5  # turns of one conversation that are noted for a fact; more of them tell nothing more
SHORT = 25  # words of a turn that can be of one fact alone
DERIVED = Filter(kinds=frozenset({Kind.SEMANTIC, Kind.PROCEDURAL, Kind.TASK}))


def settle(work: Work, tally: Tally) -> None:
    """The job: everything that was read and not yet decided, what the rules read first."""
    for name in (EPISODE, FILLED, READ):
        while jobs := work.ledger.jobs(name, PAID, limit=SLICE):
            if work.over():
                return
            with work.write("reconcile"):
                for job in jobs:
                    for proposal in _proposals(work, job, tally):
                        settle_one(work, proposal, tally)
                    work.ledger.finish(job.key, work.now)


def _proposals(work: Work, job: Job, tally: Tally) -> list[Proposal]:
    if job.name == EPISODE:
        return [from_dict(values) for values in json.loads(job.output or "[]")]
    turns, raw, by = episode_turns(work, job.input["turns"]), job.output or "", job.input["by"]
    if job.name == FILLED:
        found, refused = chosen(raw, turns[0], by, job.input.get("choice", ())) if turns else ([], 1)
    else:
        found, refused = proposals_in(raw, turns, by)
    tally.rejected += refused
    return found


def settle_one(work: Work, proposal: Proposal, tally: Tally) -> None:
    """Decide on one proposal and write what follows, in the caller's transaction."""
    tally.read += 1
    turn = work.store.get_many([proposal.turn]).get(proposal.turn)
    if turn is None or work.store.is_forgotten(proposal.text) or not may_stand(proposal, turn):
        tally.rejected += 1
        return
    known = _known(work, proposal)
    if proposal.attribute is None and _tells_nothing_new(work, proposal, known):
        tally.rejected += 1
        return
    decision = decide(proposal, known)
    if decision.verdict is Verdict.SAME and decision.known is not None:
        _confirm(work, decision.known, proposal, turn, tally)
        return
    if proposal.ends:
        proposal = replace(proposal, attribute=former(proposal.attribute), ends=False)
        if any(same_value(proposal, fact) for fact in _known(work, proposal)):
            return
    fact = _insert(work, proposal, turn)
    _heed_end(work, proposal, fact)
    _link_dependence(work, fact)
    tally.added += 1
    tally.changes.append(f"+ {fact.id} {fact.text}")
    if decision.known is not None:
        _follow(work, decision, fact, known, tally)


def _follow(work: Work, decision: Decision, fact: Record, known: Sequence[Record], tally: Tally) -> None:
    """What a new fact does to the fact that it was decided against."""
    assert decision.known is not None
    match decision.verdict:
        case Verdict.SUPERSEDE | Verdict.CORRECT:
            _supersede(work, fact, known, decision.verdict, tally)
        case Verdict.END:
            _supersede(work, fact, [decision.known], decision.verdict, tally)
        case Verdict.PAST:
            _file_as_past(work, fact, decision.known, known)
        case _:
            _ask(work, fact, decision.known)
            tally.changes.append(f"? {fact.id} {fact.text} (against {decision.known.id})")


def _tells_nothing_new(work: Work, proposal: Proposal, known: Sequence[Record]) -> bool:
    """Whether a free sentence only repeats a fact that is known, or that was drawn from the same turn."""
    links = work.store.links(proposal.turn, LinkKind.DERIVED_FROM, out=False)
    drawn = list(work.store.get_many([link.src for link in links]).values())
    if any(is_single_valued(fact.attribute or "") and _holds(proposal.text, fact) for fact in drawn):
        return True
    facts = [*known, *drawn]
    others = [fact.text for fact in facts if fact.kind in DERIVED.kinds and fact.text != proposal.text]
    return echoes(proposal.text, others)


def former(attribute: str | None) -> str:
    """The slot of what is over: "former employer"."""
    return GAVE_UP if attribute == GAVE_UP else f"former {attribute}"


def _heed_end(work: Work, proposal: Proposal, fact: Record) -> None:
    """News that came after the news of its end is the past at once."""
    for end in work.store.slot(proposal.subject or "", former(proposal.attribute)):
        if outranks(fact.trust, end.trust):
            continue
        if fact.id != end.id and same_value(proposal, end) and since(end) > since(fact):
            work.store.update(closed(fact, since(end), by=end.id))
            work.store.link([Link(end.id, fact.id, LinkKind.SUPERSEDES)])


def may_stand(proposal: Proposal, turn: Record) -> bool:
    """Whether it may become a memory: what only informs never becomes an instruction or a way of doing things."""
    fact = _record(proposal, turn, turn.event_time)
    return "quarantine" not in turn.extra and (may_influence(fact) or not is_binding(fact))


def _known(work: Work, proposal: Proposal) -> list[Record]:
    if proposal.subject and proposal.attribute and (proposal.value or proposal.ends):
        slots = OPEN_ENDED if proposal.ends and proposal.attribute == GAVE_UP else (proposal.attribute,)
        return [f for slot in slots for f in work.store.slot(proposal.subject, slot, live_only=False)]
    words = plain(proposal.text).split()
    match = " ".join(f'"{word}"' for word in words[:32])
    found = work.store.search_text(match, 5, DERIVED) if match else []
    records = work.store.by_seq([seq for seq, _ in found]).values()
    return [r for r in records if r.kind is proposal.kind and r.subject == proposal.subject]


def _insert(work: Work, proposal: Proposal, turn: Record) -> Record:
    [fact] = work.store.insert([_record(proposal, turn, work.now)])
    work.store.link([Link(fact.id, turn.id, LinkKind.DERIVED_FROM, 1.0, proposal.start, proposal.end)])
    return fact


def _record(proposal: Proposal, turn: Record, now: datetime) -> Record:
    quote = turn.text[proposal.start : proposal.end]
    return Record(
        kind=proposal.kind,
        text=proposal.text,
        source=Source.MODEL_INFERRED,
        trust=proposal.trust,
        event_time=proposal.said_at,
        recorded_at=now,
        speaker=turn.speaker,
        role=turn.role,
        session=turn.session,
        tz=turn.tz,
        valid_from=proposal.since,
        valid_to=proposal.valid_to,
        subject=proposal.subject,
        attribute=proposal.attribute,
        importance=proposal.importance,
        language=turn.language,
        derived_by=proposal.derived_by,
        context=f"{proposal.attribute}: {proposal.value}" if proposal.attribute and proposal.value else "",
        extra={"quote": quote} | ({"value": proposal.value} if proposal.value else {}),
    )


def _confirm(work: Work, fact: Record, proposal: Proposal, turn: Record, tally: Tally) -> None:
    """The same again: one more piece of evidence, and a use when it comes from another conversation."""
    links = work.store.links(fact.id, LinkKind.DERIVED_FROM, back=False)
    if any(link.dst == turn.id for link in links):
        return
    sessions = [r.session for r in work.store.get_many([link.dst for link in links]).values()]
    if sessions.count(turn.session) >= WITNESSES and "suspect" not in fact.extra:
        return
    work.store.link([Link(fact.id, turn.id, LinkKind.DERIVED_FROM, 1.0, proposal.start, proposal.end)])
    if outranks(fact.trust, turn.trust):  # a lesser witness is noted, and changes nothing
        return
    extra = {name: value for name, value in fact.extra.items() if name != "suspect"}
    begin = min(since(fact), proposal.since) if fact.valid_to is None else since(fact)
    work.store.update(replace(fact, valid_from=begin, extra=extra))
    if turn.session not in sessions:
        use(work.memory, [fact.id], SAID_AGAIN, turn.session or turn.id, work.now)
    tally.merged += 1


def _supersede(work: Work, fact: Record, known: Sequence[Record], verdict: Verdict, tally: Tally) -> None:
    for old in known:
        if old.valid_to is not None or old.superseded_by is not None:
            continue
        # What was corrected never was so; what changed was still so when it was last said.
        at = since(old) if verdict is Verdict.CORRECT else _end_of(work, old, fact)
        work.store.update(closed(old, at, by=fact.id))
        work.store.link([Link(fact.id, old.id, LinkKind.SUPERSEDES)])
        _retire_words(work, old)
        if verdict is not Verdict.END:
            fact = replace(fact, valid_from=at)
            work.store.update(fact)
        tally.superseded += 1
        tally.changes.append(f"~ {old.id} {old.text} -> {fact.id} {fact.text}")


def _end_of(work: Work, old: Record, new: Record) -> datetime:
    links = work.store.links(old.id, LinkKind.DERIVED_FROM, back=False)
    sources = work.store.get_many([link.dst for link in links]).values()
    last_said = max([since(old), *(t.event_time for t in sources if t.event_time <= new.event_time)])
    return since(new) if since(new) > last_said else max(new.event_time, since(old))


def _retire_words(work: Work, fact: Record) -> None:
    """What the same words said of it besides ends with it; short turns that say nothing but what is over are marked."""
    links = work.store.links(fact.id, LinkKind.DERIVED_FROM, back=False)
    for turn in work.store.get_many([link.dst for link in links]).values():
        told = work.store.links(turn.id, LinkKind.DERIVED_FROM, out=False)
        facts = [f for f in work.store.get_many([k.src for k in told]).values() if f.kind in DERIVED.kinds]
        [over] = (f for f in facts if f.id == fact.id)
        if over.valid_to is not None and over.superseded_by is not None:
            again = [closed(f, over.valid_to, by=over.superseded_by) for f in facts if _says_again(f, over)]
            for other in again:
                work.store.update(other)
            facts = [*again, *(f for f in facts if f.id not in {other.id for other in again})]
        ends = [f.valid_to for f in facts if f.superseded_by is not None and f.valid_to is not None]
        if len(ends) == len(facts) and len(turn.text.split()) <= SHORT:
            work.store.update(replace(turn, valid_to=max(ends)))


def _says_again(other: Record, fact: Record) -> bool:
    """Whether another fact from the same words is the same in a looser slot ("likes tea more than any other drink")."""
    live = other.valid_to is None and other.superseded_by is None
    return live and other.attribute in LOOSE and _holds(other.text, fact)


def _holds(sentence: str, fact: Record) -> bool:
    """Whether a sentence names the value of a fact."""
    value = plain(str(fact.extra.get("value", "")))
    return bool(value) and f" {value} " in f" {plain(sentence)} "


def _file_as_past(work: Work, fact: Record, later: Record, known: Sequence[Record]) -> None:
    """Older news that came late: it was true until `later` began, and what it replaced ended when it began."""
    work.store.update(closed(fact, since(later), by=later.id))
    work.store.link([Link(later.id, fact.id, LinkKind.SUPERSEDES)])
    _retire_words(work, fact)
    for old in known:
        if since(old) <= since(fact) and old.valid_to is not None and old.valid_to > since(fact):
            work.store.update(closed(old, since(fact), by=fact.id))
            work.store.link([Link(fact.id, old.id, LinkKind.SUPERSEDES)])


def _ask(work: Work, fact: Record, known: Record) -> None:
    work.store.link([Link(fact.id, known.id, LinkKind.CONTRADICTS)])
    question = f"{known.text} Or now: {fact.text}"
    work.ledger.ask(work.run, question, {"replace": known.id, "with": fact.id}, work.now)


def _link_dependence(work: Work, fact: Record) -> None:
    """Ties the fact to what it rests on, and to what rests on it (a gym rests on the home city)."""
    if fact.subject is None or fact.attribute is None:
        return
    for base in DEPENDS_ON.get(fact.attribute, ()):
        for other in work.store.slot(fact.subject, base):
            if since(other) <= since(fact):
                work.store.link([Link(fact.id, other.id, LinkKind.DEPENDS_ON)])
    for attribute, bases in DEPENDS_ON.items():
        if fact.attribute in bases:
            for other in work.store.slot(fact.subject, attribute):
                if since(other) >= since(fact):
                    work.store.link([Link(other.id, fact.id, LinkKind.DEPENDS_ON)])
