"""Clauses that tell something of somebody: a subject that is plain, a verb of doing or being, and something to go by.

Grammar in place of phrases: what the tables of forms do not know is read here and kept as a sentence of its own. Each
clause is weighed by what it holds (names, numbers, times, matters of life); vague ones fall through. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest

from app.sleep.grammar import (
    CLAUSE,
    COUNT,
    ELIDED,
    END,
    HOLDS,
    KIN,
    LIFE,
    OFTEN,
    OWN,
    POINTING,
    PROPER,
    SAYS_NOTHING,
    SINCE,
    SUBORDINATE,
    TAILS,
    UNSURE,
    VAGUE,
    is_being,
    is_past,
    is_third,
)
from app.sleep.whom import Person, is_name, meant, person_of, related
from app.when import find_times, resolved

WORTH = 2  # points from which a clause is kept
LONGEST = 140  # characters of a clause


@dataclass(frozen=True, slots=True)
class Clause:
    """What a clause tells of `person`: a sentence's `words`, and the `start`..`end` in which it was told.

    From `WORTH` points on it is worth keeping as it stands.
    """

    person: Person
    words: str
    attribute: str
    points: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Talk:
    """Who speaks to whom, when, and who was named until now."""

    speaker: Person
    hearer: Person | None
    said_at: datetime
    before: list[Sequence[Person]]


def clauses(sentence: str, talk: Talk) -> Iterator[Clause]:
    """The clauses of a sentence whose subject is plain, in order."""
    found = list(CLAUSE.finditer(sentence))
    for m, following in zip_longest(found, found[1:]):
        end = following.start() if following and following["conj"] not in TAILS else len(sentence)
        person = None if m["conj"] in SUBORDINATE else _subject(m, talk)
        many = person is not None and person.is_many
        finite = m["me"] or m["us"] or m["glued"] or many or is_third(m["verb"])
        lead = m["lead"] or ""
        timed = not lead or find_times(lead, talk.said_at) or OFTEN.search(lead) or SINCE.search(lead)
        if person is not None and finite and timed:
            yield from _told(m, end, person, _named(m, person), talk.said_at)
        if person is not None and finite and person != talk.speaker:
            gender = {"he": "m", "she": "f"}.get((m["pro"] or "").lower(), person.gender)
            talk.before.append([replace(person, gender=gender)])
    if not found and (elided := ELIDED.match(sentence)):
        front = "I have" if elided["verb"].lower() == "been" else "I"
        yield from _told(elided, len(sentence), talk.speaker, front, talk.said_at)


def tells(statement: str, speaker: Person, said_at: datetime) -> bool:
    """Whether a statement of a speaker, or of somebody whom it names, is worth keeping: a model meets the same bar."""
    own = re.sub(rf"^{re.escape(speaker.name)}'s ", "My ", statement)
    own = re.sub(rf"^{re.escape(speaker.name)} ", "I ", own)
    return any(c.points >= WORTH for c in clauses(own, Talk(speaker, None, said_at, [])))


def _subject(m: re.Match[str], talk: Talk) -> Person | None:
    """Of whom a clause tells, None where that is not plain."""
    if m["me"] or m["us"]:
        return talk.speaker
    if m["pro"]:
        return meant(m["pro"], talk.before)
    if m["name"]:
        return person_of(m["name"]) if is_name(m["name"]) else None
    whose = m["whose"].lower()
    if whose == "the" and m["thing"].split()[-1] not in OWN:
        return None
    owner: Person | None = talk.speaker
    if whose == "your":
        owner = talk.hearer
    elif whose in ("his", "her", "their"):
        owner = meant(whose, talk.before)
    kin = KIN.fullmatch(m["thing"].strip())
    return related(owner, kin["rel"], kin["name"]) if owner and kin else owner


def _named(m: re.Match[str], person: Person) -> str:
    """The subject as the sentence names it, with what is glued to it."""
    glued = (m["glued"] or "").replace("’", "'")
    if glued == "'s":
        glued = " has" if re.match(r"got|been|had|taken|become", m["verb"]) else " is"
    else:
        glued = {"'re": " are", "'ll": " will", "'ve": " have"}.get(glued, glued)
    if m["me"] or m["us"]:
        return ("I" if m["me"] else "we") + (m["glued"] or "")
    if m["name"]:
        return m["subject"] + glued
    if m["whose"] and not KIN.fullmatch(m["thing"].strip()):
        return f"{person.name}'s{m['thing']}{glued}"
    return person.name + glued


def _told(m: re.Match[str], end: int, person: Person, front: str, said_at: datetime) -> Iterator[Clause]:
    start = m.start("adverbs")
    words = END.sub("", m.string[start:end]).rstrip(" .,!")
    if len(words) <= LONGEST:
        told = [front, resolved(m.string, said_at, start, start + len(words))]
        if m.groupdict().get("lead"):
            told.append(resolved(m.string, said_at, *m.span("lead")).strip(", "))
        points = _points(m, words, front, said_at)
        yield Clause(
            person, " ".join(told), _attribute(m, front, words, said_at), points, start, start + len(words)
        )


def _points(m: re.Match[str], words: str, front: str, said_at: datetime) -> int:
    """How much a clause holds to go by."""
    verb = m["verb"].lower()
    rest = words[len(m["adverbs"]) + len(verb) :].strip()
    main = rest.split()[0].lower() if rest and is_being(verb) else verb
    if UNSURE.search(words) or main in SAYS_NOTHING or not rest:
        return 0
    timed = bool(find_times(words, said_at))
    if re.search(r"'ll$| will$", front) or verb in ("will", "won't") or rest.startswith("going to "):
        return 3 if timed and len(rest.split()) > 3 else 0
    points = 2 * bool(LIFE.search(f"{front} {words}")) + 2 * bool(HOLDS.search(f"{front[-3:]} {words}"))
    points += bool(PROPER.search(words)) + bool(COUNT.search(rest)) + timed
    lead = m.groupdict().get("lead") or ""
    points += (
        bool(OFTEN.search(f"{lead}{words}")) + bool(SINCE.search(f"{lead}{words}")) + (front[0] not in "Iw")
    )
    points += is_past(verb) and len(rest.split()) > 3
    points += 2 * (verb in ("don't", "never") and len(rest.split()) > 2)
    return points - 3 * bool(VAGUE.match(rest)) - 2 * bool(POINTING.search(rest))


def _attribute(m: re.Match[str], front: str, words: str, said_at: datetime) -> str:
    verb = m["verb"].lower()
    if re.search(r"\bnever\b|n't$", f"{m['adverbs']}{verb}") or re.match(r"not\b", words):
        return "avoids"
    if re.match(r"used to\b", words):
        return "past"
    if is_past(verb) or front.endswith(("'ve", " has", " have")):
        return "event"
    if OFTEN.search(words):
        return "habit"
    ahead = any(span.end > said_at for span in find_times(m.string, said_at))
    return "plan" if ahead or front.endswith(("'ll", " will")) or "going to" in words else "status"
