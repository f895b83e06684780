"""From recall's hits to the block that a prompt holds: dated, quoted, fenced, within a token budget.

The one place where the assistant asks recall. What stands in the block is data about the past, never instructions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from app.encode import is_small_talk
from app.events import Evidence
from app.guard.frame import rewords
from app.guard.hostile import inert, looks_like_instruction
from app.guard.secrets import redact
from app.present import zone
from app.procedures import procedures_for
from app.recall.traits import traits
from app.records import Kind, Source, State
from app.sleep.attributes import is_single_valued
from app.slots import READ, filled
from app.standing import INSTRUCTION
from app.uses import UNTRUSTED
from app.when import resolved
from storage.search import outlived

if TYPE_CHECKING:
    from app.memory import Memory
    from app.recall.recall import Hit
    from storage.records import Record
    from storage.store import Store

HEAD = "Notes:"
MOST_KNOWN = 24  # hits asked for beyond those wanted, as some stand in the window already
WAYS = 2  # procedures that are shown for one situation
SPARE = 4  # hits looked at beyond those wanted, as some are history
FEW = (0.6, 5)  # the share of the best score that a note needs, and how many: more distract a small model
FEW_FOR = {"time": (0.75, 5), "list": (0.42, 8)}  # one moment stands in the best two or three, a list in many
FOOT = "Message: "
NEARER = 0.15  # of a score: by so much another's story must come nearer than anything of whom is asked about
OF_SELF = 3.0  # of the share of words for I above those for you: what one tells of oneself, rather than of the other
BESIDE = 0.9  # of the best score of its user's own words, for what was imported
_PAST = re.compile(
    r"\b(?:before|previous(?:ly)?|used to|former(?:ly)?|old|earlier|back then|first|originally|ever|history|"
    r"was|were|did|had|changed?|(?:19|20)\d\d|ago|last)\b",
    re.IGNORECASE,
)


_ASKS_ASSISTANT = re.compile(r"\b(?:you|your|we)\b", re.IGNORECASE)
_ASKS_BACK = re.compile(r"\bask(?:ed|ing)?\b|\bquestions?\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?]+(?:\s|$)")


@dataclass(frozen=True, slots=True)
class Gathered:
    """What recall found for a message, best first. `abstain`: nothing in memory is relevant."""

    evidence: tuple[Evidence, ...]
    abstain: bool
    ms: float


def gather(memory: Memory, text: str, now: datetime, k: int, without: Collection[str] = ()) -> Gathered:
    """The memories that bear on `text`, without those whose ids the prompt shows already."""
    from app.recall.recall import Query, Recall  # numpy

    found = Recall.of(memory).recall(Query(text, now, k=k + min(len(without), MOST_KNOWN)))
    hits = [h for h in found.hits if h.record.id not in without and bears_witness(h.record, text)][
        : k + SPARE
    ]
    past = _PAST.search(text) is not None
    # Where its user's own words bear on the question, what was imported has to bear on it as well as they do.
    own = BESIDE * max((h.score for h in hits if h.record.trust not in UNTRUSTED), default=0.0)
    hits = [h for h in hits if h.record.trust not in UNTRUSTED or h.score >= own]
    # Recall ranks what is over below what holds; a question about the past wants both.
    evidence = [
        of_record(h.record, now, h.score, ", ".join(h.channels))
        for h in hits
        if not disputed(memory.store, h.record, [x.record for x in hits])
    ]
    history = outlived(memory.store.connection, [e.id for e in evidence])
    evidence = overtaken([replace(e, current=e.current and e.id not in history) for e in evidence])
    share, most = next((FEW_FOR[kind] for kind in FEW_FOR if kind in found.analysis.seeks), FEW)
    least = share * max((e.score for e in evidence if e.current), default=0.0)
    telling = [e for e in evidence if (e.score >= least if e.current else past)]
    abstain = found.abstain or not telling or is_anothers(found.hits, found.analysis.teller)
    return Gathered(tuple(telling[: min(k, most)]), abstain, found.ms)


def is_anothers(hits: Sequence[Hit], teller: str | None) -> bool:
    """Whether what was found is another speaker's story: of two people who talked, the one who was not asked about
    tells it of themselves, and nothing that the other said comes as near."""
    best = {True: 0.0, False: 0.0}
    for hit in hits if teller else ():
        record, manner = hit.record, traits(hit.record.text)
        if record.role != "other" or manner.only_asks:  # a question tells nothing
            continue
        own = record.speaker == teller
        if own or manner.first or str(teller).lower() not in record.text.lower():
            of_self = OF_SELF * (manner.first - manner.second)
            best[own] = max(best[own], hit.score + of_self)
    return best[False] > best[True] + NEARER


def ways_to(memory: Memory, text: str, now: datetime) -> tuple[Evidence, ...]:
    """How its user does what `text` asks for, with how often that worked."""
    found = [way for way in procedures_for(memory, text, WAYS) if not way.useless]
    return tuple(replace(of_record(way.record, now, 1.0, "a way to do it"), text=way.line) for way in found)


def bears_witness(record: Record, question: str) -> bool:
    """Whether a record can say anything about the question: what the assistant said only where the question asks
    for that, and a question that was once asked says nothing."""
    if "forget" in record.extra and record.state is State.ARCHIVED:  # put away by its user
        return False
    if record.trust in UNTRUSTED and _would_steer(record.text):
        return False
    if record.role == "assistant" and record.source is Source.MODEL_INFERRED:
        return _ASKS_ASSISTANT.search(question) is not None
    if record.kind is not Kind.EPISODIC or record.role == "assistant":
        return True
    if is_small_talk(record.text):
        return False
    asked = record.text.rstrip().endswith("?") and len(_SENTENCE.findall(record.text)) <= 1
    return not asked or _ASKS_BACK.search(question) is not None


def _would_steer(text: str) -> bool:
    """Whether words that only inform would tell the assistant what to do: planted, or a standing wish."""
    return bool(looks_like_instruction(text) or INSTRUCTION.search(text))


def disputed(store: Store, record: Record, beside: Sequence[Record]) -> bool:
    """Whether an untrusted record gives a slot another value than its user did, in a fact or in the records beside,
    or says what one of these says with another word in it."""
    if record.trust not in UNTRUSTED:
        return False
    told = _told(record)
    own = [r for r in beside if r.trust is Source.USER_SAID]
    if any(rewords(record.text[:READ], r.text[:READ]) for r in own):
        return True
    for (subject, attribute), value in told.items():
        facts = [f for f in store.slot(subject, attribute) if f.trust is Source.USER_SAID]
        known = [str(f.extra.get("value", "")).lower() for f in facts]
        known += [slots[subject, attribute] for r in own if (subject, attribute) in (slots := _told(r))]
        if known and value not in known:
            return True
    return False


def _told(record: Record) -> Mapping[tuple[str, str], str]:
    """The slots that a record fills, whoever it is from; what another person says of themselves is of no slot here."""
    if record.subject and record.attribute:
        single = is_single_valued(record.attribute) and record.subject == "user"
        value = str(record.extra.get("value", "")).lower()
        return {(record.subject, record.attribute): value} if single and value else {}
    said = record.kind is Kind.EPISODIC and record.role == "user"
    return filled(record.text, record.event_time) if said else {}


def overtaken(evidence: Sequence[Evidence]) -> list[Evidence]:
    """The same, a message marked as no longer true where a later one among them gives the same slot another value:
    a move is a move before the night has drawn it."""
    newest: dict[tuple[str, str], tuple[datetime, str]] = {}
    told = {e.id: _slots(e) for e in evidence}
    for item in evidence:
        for slot, value in told[item.id].items():
            newest[slot] = max(newest.get(slot, (item.time, value)), (item.time, value))
    return [
        replace(
            e, current=e.current and (not told[e.id] or any(newest[s][1] == v for s, v in told[e.id].items()))
        )
        for e in evidence
    ]


def _slots(item: Evidence) -> Mapping[tuple[str, str], str]:
    """The slots of one value at a time that a message of the user fills, by subject and attribute."""
    own = item.kind == Kind.EPISODIC and item.source == Source.USER_SAID
    return filled(item.text, item.time) if own else {}


def of_record(record: Record, now: datetime, score: float = 0.0, why: str = "") -> Evidence:
    """A record as evidence, its time in the zone in which it was said."""
    over = record.superseded_by is not None or (record.valid_to is not None and record.valid_to <= now)
    return Evidence(
        id=record.id,
        text=record.text,
        time=(record.valid_from or record.event_time).astimezone(zone(record.tz)),
        kind=str(record.kind),
        speaker=record.speaker
        if record.role == "user"
        else "assistant"
        if record.role == "assistant"
        else record.speaker,
        source=str(record.trust if record.trust in UNTRUSTED else record.source),
        score=score,
        why=why,
        current=not over,
    )


def fenced(
    evidence: Sequence[Evidence],
    budget: int,
    count: Callable[[str], int],
    user: str = "me",
    *,
    by_time: bool = True,
) -> tuple[str, tuple[Evidence, ...]]:
    """The block for a prompt, and what it holds: the newest note nearest the question or, for one question that
    stands alone, the best.

    The best notes that fit `budget` tokens; a note that does not fit is left out whole. "" when none does.
    """
    kept: list[tuple[Evidence, str]] = []
    left = budget - count(f"{HEAD}\n\n{FOOT}")
    for item in evidence:
        note = line(item, user)
        cost = count(note) + 1
        if cost <= left:
            kept.append((item, note))
            left -= cost
    if not kept:
        return "", ()
    order = sorted(kept, key=lambda pair: pair[0].time) if by_time else kept[::-1]
    notes = [note for _, note in order]
    return "\n".join([HEAD, *notes]), tuple(item for item, _ in kept)


def line(item: Evidence, user: str = "me") -> str:
    """One note: id, date, who said it, and the words in quotes, "yesterday" as its date and secrets left out; a
    quote cannot end its own line or fence."""
    words = _quoted(item.text, item.time)
    who = "you" if item.speaker in (None, user, "user") else item.speaker
    verb = "noted" if item.kind in ("semantic", "procedural", "core", "gist", "task") else "said"
    old = "" if item.current else " (no longer true)"
    old += " (imported)" if item.source in UNTRUSTED else ""
    return f'[{item.id}] {day(item.time)}, {who} {verb}{old}: "{words}"'


@lru_cache(maxsize=2048)  # the same notes stand in many prompts of a conversation
def _quoted(text: str, time: datetime) -> str:
    said = inert(redact(resolved(text, time))[0])
    return " ".join(said.replace('"', "'").split())


def day(moment: datetime) -> str:
    """A date as people write it: "2 March 2024"."""
    return f"{moment.day} {moment:%B %Y}"
