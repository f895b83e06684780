"""Learns ways of doing things: lessons from what worked and what did not, merged with those that are known.

Only what the user said in their own words becomes a procedure: it will steer. Which words tell a lesson is a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from app.guard.trust import may_influence
from app.procedures import LIVE, Procedure, counted, procedure_of, stems, steps_in
from app.sleep.forms import OF_OTHERS
from app.sleep.reconcile import closed, is_guarded
from app.sleep.rules import sentences, third_person
from app.sleep.work import Tally, Work
from storage.records import Filter, Kind, Link, LinkKind, Record, Source

BY = "lessons/1"
SLICE = 500
LONGEST = 120  # characters of a situation
SAME = 0.6  # share of the words of two goals, or of two ways, from which they are one
MATERIAL = Filter(kinds=frozenset({Kind.EPISODIC, Kind.PROCEDURAL}))

_BE = r"(?:is|was|'s)"
_WORKED = (
    r"(?:finally |really |always |actually )?(?:worked|works|helped|helps|did the trick|fixed it|solved it)"
)
_TRIED = (
    r"(?:(?:I|we)(?:'ve)? (?:just |then |finally |also )*"
    r"(?:tried|used|put|took|switched|turned|moved|changed)\b|[a-z]+ing\b)"
)
_FORMS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        rf"\bwhat {_WORKED}(?: best)?(?: for (?:me|us))? {_BE}(?: to)? (?P<way>[^.!?;]{{6,160}})",
        rf"\bthe trick (?:(?:to|for|with) (?P<when>[^,.!?]{{4,60}}) )?{_BE}(?: to)? (?P<way>[^.!?;]{{6,160}})",
        r"\blesson learn(?:ed|t)\s*[:,-]\s*(?P<way>[^.!?;]{6,160})",
        r"\bnext time (?P<when>(?:I|we|you|it|the|my) [^,.!?]{3,60}), (?:just )?(?P<way>[^.!?;]{6,160})",
        r"\bnext time,? (?:just )?(?P<way>(?:(?:I|we|you)(?:'ll| will| should| must)|do|don't|use|try|make|remember|"
        r"take|ask|check|start|put|never|always)\b[^.!?;]{6,160})",
        rf"\b(?P<way>{_TRIED}[^.!?;]{{4,120}}?),? (?:and )?(?:that|it) {_WORKED}\b",
        r"\b(?:I|we) (?:fixed|solved|sorted out|got rid of) (?P<when>[^,.!?]{3,60}?) by (?P<way>[^.!?;]{6,120})",
    )
)
"""What tells a lesson: the way (`way`), and where the words say so what it is for (`when`)."""
_FAILED = re.compile(
    rf"\b(?P<way>{_TRIED}[^.!?;]{{4,120}}?),? (?:(?:and|but) )?(?:(?:that|it) )?"
    r"(?:did not|didn't|does not|doesn't|never) (?:work|help)",
    re.IGNORECASE,
)
_NOT_SO = re.compile(
    r"\b(?:if|would|might|maybe|hope|wish|not sure|whether|didn't|doesn't)\b|\?\s*$", re.IGNORECASE
)
_FIRST = re.compile(
    r"^(?:but |and |so |well,? )*(?:(?:(?:I|we)(?:'ve)? (?:just |then |finally |also )*tried"
    r"|(?:I|we|you)(?:'ll| will| should| must)|do) )?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a sentence teaches: a way, what for ("" when it does not say), and whether it worked; with its place."""

    way: str
    when: str
    worked: bool | None
    start: int
    end: int


def lessons_in(text: str) -> Iterator[Lesson]:
    """The lessons of a person's own words, at most one a sentence."""
    for start, sentence in sentences(text):
        failed = _FAILED.search(sentence)
        forms = () if _NOT_SO.search(sentence) else _FORMS
        found = failed or next((m for form in forms if (m := form.search(sentence))), None)
        if found is not None and not OF_OTHERS.search(sentence[: found.end("way")]):
            advice = found.group().lower().startswith(("next time", "lesson"))
            yield _lesson(found, start, worked=None if advice else failed is None)


def learn(work: Work, tally: Tally) -> None:
    """The job: every turn and every how-to since the last night."""
    while not work.over():
        found = work.store.since(work.mark("lessons"), MATERIAL, SLICE)
        records = [r for r in found if r.seq <= work.horizon or r.kind is Kind.PROCEDURAL]
        if not records:
            return
        with work.write("lessons"):
            for record in records:
                if record.kind is Kind.PROCEDURAL:
                    if record.derived_by != BY:
                        _merge(work, procedure_of(record), tally)
                elif record.role == "user" and may_influence(record):
                    for lesson in lessons_in(record.text):
                        _take_in(work, record, lesson, tally)
            work.set_mark("lessons", records[-1].seq)
        tally.read += len(records)


def _lesson(found: re.Match[str], offset: int, *, worked: bool | None) -> Lesson:
    groups = found.groupdict()
    way, when = groups["way"].strip(" ,"), (groups.get("when") or "").strip()
    return Lesson(_FIRST.sub("", way), when, worked, offset + found.start(), offset + found.end())


def _take_in(work: Work, turn: Record, lesson: Lesson, tally: Tally) -> None:
    """An outcome for a way that is known; a procedure of its own where the way is new and worked."""
    known = _same_way(work, lesson.way)
    if known is not None:
        if lesson.worked is not None:
            work.store.update(counted(known.record, lesson.worked))
        # No source: its words come from another turn, and go when that one is forgotten.
        work.store.link([Link(known.record.id, turn.id, LinkKind.SIMILAR, 1.0, lesson.start, lesson.end)])
        tally.merged += 1
    elif lesson.worked is not False and not work.store.is_forgotten(_text(lesson)):
        [record] = work.store.insert([_record(work, turn, lesson)])
        work.store.link([Link(record.id, turn.id, LinkKind.DERIVED_FROM, 1.0, lesson.start, lesson.end)])
        tally.added += 1
        tally.changes.append(f"+ {record.id} {record.text}")
        _merge(work, procedure_of(record), tally)


def _merge(work: Work, new: Procedure, tally: Tally) -> None:
    """A newer telling of the same way takes its place, with its outcomes; another way stays beside it."""
    for old in map(procedure_of, work.store.records(LIVE)):
        if old.record.seq >= new.record.seq or not _same(old.when, new.when) or not _same_steps(old, new):
            continue
        if is_guarded(old.record):
            question = f"{old.record.text} Or now: {new.record.text}"
            details = {"replace": old.record.id, "with": new.record.id}
            work.ledger.ask(work.run, question, details, work.now)
            work.store.link([Link(new.record.id, old.record.id, LinkKind.CONTRADICTS)])
            continue
        outcomes = {"worked": old.worked + new.worked, "failed": old.failed + new.failed}
        heir = replace(new.record, extra={**new.record.extra, **outcomes})
        work.store.update(heir)
        work.store.update(closed(old.record, heir.event_time, by=heir.id))
        work.store.link([Link(heir.id, old.record.id, LinkKind.SUPERSEDES)])
        tally.superseded += 1
        tally.changes.append(f"~ {old.record.id} {old.record.text} -> {heir.id} {heir.text}")
        new = procedure_of(heir)


def _same_way(work: Work, way: str) -> Procedure | None:
    known = map(procedure_of, work.store.records(LIVE))
    return next((p for p in known if _same(" ".join(p.steps), way)), None)


def _same(one: str, other: str) -> bool:
    left, right = stems(one), stems(other)
    return len(left & right) >= SAME * max(len(left), len(right), 1) if left or right else one == other


def _same_steps(one: Procedure, other: Procedure) -> bool:
    """Whether two ways share so much that the newer is the older one told better: the shorter is in the longer."""
    left, right = stems(" ".join(one.steps)), stems(" ".join(other.steps))
    return bool(left and right) and len(left & right) >= SAME * min(len(left), len(right))


def _text(lesson: Lesson) -> str:
    words = third_person(f"{lesson.when}: {lesson.way}" if lesson.when else lesson.way, "the user")
    return f"{words[0].upper()}{words[1:]}."


def _record(work: Work, turn: Record, lesson: Lesson) -> Record:
    when = lesson.when or _situation(turn, lesson)
    return Record(
        kind=Kind.PROCEDURAL,
        text=_text(replace(lesson, when=when)),
        source=Source.MODEL_INFERRED,
        trust=turn.trust,
        event_time=turn.event_time,
        recorded_at=work.now,
        speaker=turn.speaker,
        role=turn.role,
        session=turn.session,
        tz=turn.tz,
        valid_from=turn.event_time,
        subject="user",
        attribute=when.lower() or None,
        importance=5.0,
        language=turn.language,
        derived_by=BY,
        extra={
            "quote": turn.text[lesson.start : lesson.end],
            "when": when,
            "steps": list(steps_in(lesson.way)),
            "worked": int(lesson.worked is True),
        },
    )


def _situation(turn: Record, lesson: Lesson) -> str:
    """The sentence before the lesson, in the same turn: what it is for, where the lesson does not say."""
    before = [(at, s) for at, s in sentences(turn.text) if at + len(s) <= lesson.start]
    return before[-1][1].strip(" .!") if before and len(before[-1][1]) <= LONGEST else ""
