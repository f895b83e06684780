"""Learns ways of doing things: lessons from what worked and what did not, merged with those that are known.

Only what the user said in their own words becomes a procedure: it will steer. Which words tell a lesson is a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import takewhile

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
BEFORE = 6  # turns in which the way was told that "that worked" is about
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
_LEAD = r"^\W*(?:(?:no|nope|wait|sorry|please|ok(?:ay)?|and|but|so|well)\b[\s,.:-]*)*"
_ACT = (
    r"(?:use|put|take|try|make|turn|press|hold|add|call|ask|check|start|begin|let|keep|leave|wait|bring|book|buy|clean|"
    r"cook|cover|cut|do|dry|fill|fold|get|give|go|heat|preheat|mix|move|open|pack|pay|pick|place|plug|pour|pull|push|"
    r"read|remove|restart|rinse|roll|run|save|send|set|shake|soak|stir|store|switch|test|unplug|walk|warm|wash|water|"
    r"wear|wipe|wrap|write|mist|lift|list|tell|show|never|always|don't|remember)"
)
_AVOID = (
    r"(?P<avoid>(?!(?:worry|mind|forget|bother|know|think|care|that|to|because|only|yet|so|even|sure|again)\b)"
    r"(?![^.!?]*\b(?:today|tonight|tomorrow|this (?:time|once)|right now)\b)[^,;.!?]{3,80}?)"
)
_FORMS = tuple(
    re.compile(words, re.IGNORECASE)
    for words in (
        rf"\bwhat {_WORKED}(?: best)?(?: for (?:me|us))? {_BE}(?: to)? (?P<way>[^.!?;]{{6,160}})",
        rf"\bthe trick (?:(?:to|for|with) (?P<when>[^,.!?]{{4,60}}) )?{_BE}(?: to)? (?P<way>[^.!?;]{{6,160}})",
        r"\blesson learn(?:ed|t)\s*[:,-]\s*(?P<way>[^.!?;]{6,160})",
        r"\bnext time (?P<when>(?:I|we|you|it|the|my) [^,.!?]{3,60}), (?:just )?(?P<way>[^.!?;]{6,160})",
        rf"\bnext time,? (?:just )?(?P<way>(?:(?:I|we|you)(?:'ll| will| should| must)|{_ACT})\b[^.!?;]{{6,160}})",
        rf"{_LEAD}(?:not|don't|do not|never|(?:you|we|I) (?:shouldn't|should not|mustn't|must not)) {_AVOID}[,;:] ?"
        rf"(?:but |just |instead,? |rather )*(?P<way>{_ACT}\b[^.!?;]{{3,120}})",
        rf"{_LEAD}instead of {_AVOID}, (?:just )?(?P<way>{_ACT}\b[^.!?;]{{3,120}})",
        rf"{_LEAD}(?P<way>{_ACT}\b[^.!?;]{{3,100}}?),? (?:instead of|rather than|(?:and )?not) {_AVOID}(?=[.!?;,]|$)",
        r"\bthe (?:right|best|proper|easiest|safest) way to (?P<when>[^,.!?]{3,60}?) is (?:to |by )?"
        r"(?P<way>[^.!?;]{6,160})",
        rf"\b(?P<way>{_TRIED}[^.!?;]{{4,120}}?),? (?:and )?(?:that|it) {_WORKED}\b",
        r"\b(?:I|we) (?:fixed|solved|sorted out|got rid of) (?P<when>[^,.!?]{3,60}?) by (?P<way>[^.!?;]{6,120})",
    )
)
"""What tells a lesson: the way (`way`), and where the words say so what it is for (`when`), or instead of (`avoid`)."""
_NEEDS = re.compile(
    r"\b(?:(?:only )?(?:when|once(?! an?\b)|after|before|while)|as long as|provided(?: that)?|unless) [^,]{3,80}$",
    re.IGNORECASE,
)
_OUTCOME = re.compile(
    r"^\W*(?:(?:yes|yep|no|ok(?:ay)?|great|thanks|and|but|well)\b\W*)*(?:that|it|this) (?:"
    r"(?P<failed>(?:did not|didn't|does not|doesn't|never) (?:work|help)(?:ed)?)|"
    r"(?:finally |really |actually )?(?:worked|works|helped|did the trick))"
    r"(?: (?:now|again|great|fine|perfectly|for (?:me|us)|this time|at all))*(?:,? thanks?\b.{0,20})?$",
    re.IGNORECASE,
)
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
    """What a sentence teaches: a way, what for ("" when it does not say), whether it worked, and its place.

    `avoid` is the way that it takes the place of, "" for none.
    """

    way: str
    when: str
    worked: bool | None
    start: int
    end: int
    avoid: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The conditions under which it holds, in the words that name them."""
        found = _NEEDS.search(self.way)
        return (found.group(),) if found else ()


def outcome_in(text: str) -> bool | None:
    """Whether a turn says only that something worked (True) or did not (False); None where it says more or else."""
    found = _OUTCOME.match(text.strip(" .!?"))
    return None if found is None else found["failed"] is None


def lessons_in(text: str) -> Iterator[Lesson]:
    """The lessons of a person's own words, at most one a sentence."""
    for start, sentence in sentences(text):
        failed = _FAILED.search(sentence)
        forms = () if _NOT_SO.search(sentence) else _FORMS
        found = failed or next((m for form in forms if (m := form.search(sentence))), None)
        if found is not None and not OF_OTHERS.search(sentence[: found.end("way")]):
            advice = found.group().lower().startswith(("next time", "lesson")) or "avoid" in found.groupdict()
            yield _lesson(found, start, worked=None if advice else failed is None)


def learn(work: Work, tally: Tally) -> None:
    """The job: every turn and every how-to since the last night."""
    while not work.over():
        found = work.store.since(work.mark("lessons"), MATERIAL, SLICE)
        # What is said meanwhile waits for the next night, and so does what came after it: the mark must not pass it.
        records = list(takewhile(lambda r: r.seq <= work.horizon or r.kind is Kind.PROCEDURAL, found))
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
                    if (worked := outcome_in(record.text)) is not None:
                        _count(work, record, worked, tally)
            work.set_mark("lessons", records[-1].seq)
        tally.read += len(records)


def _lesson(found: re.Match[str], offset: int, *, worked: bool | None) -> Lesson:
    groups = found.groupdict()
    way, when = groups["way"].strip(" ,"), (groups.get("when") or "").strip()
    avoid = _FIRST.sub("", (groups.get("avoid") or "").strip(" ,"))
    return Lesson(_FIRST.sub("", way), when, worked, offset + found.start(), offset + found.end(), avoid)


def _count(work: Work, turn: Record, worked: bool, tally: Tally) -> None:
    """Count "that worked" for the way that was told last before it; what answers an assistant was counted by day."""
    before = work.store.neighbours(turn, before=BEFORE, after=0)
    if not before or before[-1].role == "assistant":
        return
    for told in reversed(before):
        links = work.store.links(told.id, out=False)
        near = [k.src for k in links if k.kind in (LinkKind.DERIVED_FROM, LinkKind.SIMILAR)]
        ways = [
            r for r in work.store.get_many(near).values() if r.kind is Kind.PROCEDURAL and r.valid_to is None
        ]
        if ways:
            work.store.update(counted(ways[0], worked))
            work.store.link([Link(ways[0].id, turn.id, LinkKind.SIMILAR)])
            tally.merged += 1
            return


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
        wrong = _same_way(work, lesson.avoid) if lesson.avoid else None
        [record] = work.store.insert([_record(work, turn, lesson)])
        work.store.link([Link(record.id, turn.id, LinkKind.DERIVED_FROM, 1.0, lesson.start, lesson.end)])
        tally.added += 1
        tally.changes.append(f"+ {record.id} {record.text}")
        if wrong is not None:
            _put_in_place(work, wrong, record, tally)
        else:
            _merge(work, procedure_of(record), tally)


def _merge(work: Work, new: Procedure, tally: Tally) -> None:
    """A newer telling of the same way takes its place, with its outcomes; another way stays beside it."""
    for old in map(procedure_of, work.store.records(LIVE)):
        if old.record.seq >= new.record.seq or not _same(old.when, new.when) or not _same_steps(old, new):
            continue
        outcomes = {"worked": old.worked + new.worked, "failed": old.failed + new.failed}
        heir = replace(new.record, extra={**new.record.extra, **outcomes})
        if _put_in_place(work, old, heir, tally):
            new = procedure_of(heir)


def _put_in_place(work: Work, old: Procedure, heir: Record, tally: Tally) -> bool:
    """Let `heir` take the place of an older way; what was written by hand waits for review instead (False)."""
    if is_guarded(old.record):
        details = {"replace": old.record.id, "with": heir.id}
        work.ledger.ask(work.run, f"{old.record.text} Or now: {heir.text}", details, work.now)
        work.store.link([Link(heir.id, old.record.id, LinkKind.CONTRADICTS)])
        return False
    work.store.update(heir)
    work.store.update(closed(old.record, heir.event_time, by=heir.id))
    work.store.link([Link(heir.id, old.record.id, LinkKind.SUPERSEDES)])
    tally.superseded += 1
    tally.changes.append(f"~ {old.record.id} {old.record.text} -> {heir.id} {heir.text}")
    return True


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
            "needs": list(lesson.needs),
            "avoid": lesson.avoid,
            "worked": int(lesson.worked is True),
        },
    )


def _situation(turn: Record, lesson: Lesson) -> str:
    """The sentence before the lesson, in the same turn: what it is for, where the lesson does not say."""
    before = [(at, s) for at, s in sentences(turn.text) if at + len(s) <= lesson.start]
    return before[-1][1].strip(" .!") if before and len(before[-1][1]) <= LONGEST else ""
