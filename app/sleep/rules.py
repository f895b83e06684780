"""Reads plain statements without a model: the common forms in which people tell facts, preferences, plans, rules.

Each candidate is self-contained (a name for "I", absolute dates) and quotes its words. What is asked, wished,
joked or said by others is left alone. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.almanac import local
from app.sleep.attributes import DEPENDS_ON, PARTNERS, PETS, importance_of, is_single_valued
from app.sleep.changes import CHANGES
from app.sleep.clauses import WORTH, Talk, clauses
from app.sleep.forms import (
    ASKS,
    CALLED,
    CHANGED,
    CORRECTS,
    CUT,
    EMPTY,
    HAS,
    HOWTO,
    KINDRED,
    NEGATED,
    NO_STATEMENT,
    NO_WISH,
    OF_OTHERS,
    OTHERS,
    PRONOUNS,
    SELF,
    SENTENCE,
    STANDING,
    TAG_QUESTION,
    WOULD,
    Rule,
)
from app.sleep.grammar import ADVERB, is_past
from app.sleep.values import VALUED
from app.sleep.whom import Said, known_before, other_voice, people, person_of
from app.when import find_times, resolved
from storage.records import Kind

__all__ = ["DEPENDS_ON", "Candidate", "extract", "is_single_valued"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fact that a turn states. `text[start:end]` of the turn is its quote.

    `is_correction`: it was said to set an earlier statement right. `closes`: it says that something ended.
    """

    kind: Kind
    text: str
    start: int
    end: int
    subject: str | None = None
    attribute: str | None = None
    value: str | None = None
    importance: float = 4.0
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    is_correction: bool = False
    closes: bool = False


LONGEST = 4_000  # characters of a turn that are read
MOST_WORDS = 14  # of a value
NEAR = 12  # characters between another person and what is said of them
OWN_SENTENCE = frozenset({"plan", "event", "instruction"})  # attributes whose words are the whole sentence


def extract(
    text: str, speaker: str, said_at: datetime, tz: str = "+00:00", context: Sequence[Said] = ()
) -> list[Candidate]:
    """What a turn states about its speaker ("user", or a name) and the people and things that it names.

    `context` are the turns before it, oldest first; they tell who "she" is, and are no source themselves.
    """
    moment = local(said_at, tz)
    me, hearer = person_of(speaker), other_voice(context, speaker)
    reader = _Reader(me.name, me.slot, moment, Talk(me, hearer, moment, known_before(context, speaker)))
    found: list[Candidate] = []
    for start, sentence in sentences(text[:LONGEST]):
        sentence = TAG_QUESTION.sub("", sentence)
        if not NO_STATEMENT.search(sentence) and len(sentence.split()) > 1:
            found += reader.read(sentence, start)
        reader.talk.before.append([person for _, person in people((speaker, sentence), hearer)])
    return _without_repeats(found)


@dataclass(frozen=True, slots=True)
class _Reader:
    """One turn's speaker and moment."""

    subject: str
    slot: str
    said_at: datetime
    talk: Talk

    def read(self, sentence: str, start: int) -> Iterator[Candidate]:
        """Candidates of one sentence that begins at `start` of the turn."""
        # "No, I live in Lisbon now" tells of a change; "no, I live in Lisbon" sets right what was never true.
        corrects = CORRECTS.search(sentence) is not None and not CHANGED.search(sentence)
        found = [
            *self._slots((*CHANGES, *SELF, *VALUED), sentence, self.subject, self.slot),
            *self._people(sentence),
        ]
        found = _specific(found) or [*self._standing(sentence), *self._how_to(sentence)]
        found += [c for c in self._clauses(sentence) if not any(_overlap(c, known) for known in found)]
        for candidate in found:
            at = start + candidate.start
            yield replace(candidate, start=at, end=start + candidate.end, is_correction=corrects)

    def _slots(
        self, rules: Sequence[Rule], clause: str, name: str, slot: str, offset: int = 0
    ) -> Iterator[Candidate]:
        """What the rules find in a clause; one value for each slot that holds one."""
        taken: set[str] = set()
        quoted = _quoted_from(clause)
        for rule in rules:
            for m in rule.pattern.finditer(clause):
                denied = NEGATED.search(clause[max(0, m.start() - 40) : m.start()])
                if m.start() > quoted or denied or WOULD.match(m.group()):
                    continue
                candidate = self._filled(rule, m, name, slot)
                if candidate is None or (
                    candidate.attribute in taken and is_single_valued(candidate.attribute or "")
                ):
                    continue
                taken.add(candidate.attribute or "")
                yield replace(candidate, start=offset + m.start(), end=offset + m.end())

    def _filled(self, rule: Rule, m: re.Match[str], name: str, slot: str) -> Candidate | None:
        groups = m.groupdict()
        value = clip(groups.get("v") or groups.get("w") or "").removeprefix("called ").removeprefix("named ")
        if not value or (value.split()[0].lower() in EMPTY and not value.startswith("The ")):
            return None
        which = KINDRED.get((groups.get("slot") or "").lower(), (groups.get("slot") or "").lower())
        attribute = rule.attribute.format(slot=which)
        dated = value if attribute == "work schedule" else resolved(value, self.said_at)
        said = third_person(dated, self.subject)
        fixed = rule.closes or attribute in ("birthday", "age")
        since = None if fixed else self._since(m.string[m.start() + len(m.group().rstrip()) :])
        return replace(
            self._fact(m, rule.template.format(s=name, v=said, slot=which), attribute, value),
            subject=slot,
            valid_from=since
            or (None if fixed else self._since(m.group()[m.group().find(value) + len(value) :])),
            closes=rule.closes,
        )

    def _people(self, sentence: str) -> Iterator[Candidate]:
        """What the sentence says about someone else than its speaker."""
        for m in CALLED.finditer(sentence):
            relation = m["rel"].lower()
            text = f"{self.subject}'s {relation} is called {m['name']}."
            yield self._fact(m, text, _group(relation), m["name"])
        for m in HAS.finditer(sentence):
            relation, called = m["rel"].lower(), f" called {m['name']}" if m["name"] else ""
            yield self._fact(
                m, f"{self.subject} has a {relation}{called}.", _group(relation), m["name"] or relation
            )

    def _fact(self, m: re.Match[str], text: str, attribute: str, value: str | None) -> Candidate:
        weight = importance_of(attribute)
        return Candidate(Kind.SEMANTIC, text, m.start(), m.end(), self.slot, attribute, value, weight)

    def _standing(self, sentence: str) -> Iterator[Candidate]:
        """A wish that stands: "from now on ...", "never ...", "remember that ..."."""
        m = STANDING.search(sentence) or (ASKS.search(sentence) if self.slot == "user" else None)
        if m and not NO_WISH.match(m["v"]):
            words = m["v"].strip()
            # To be reminded once is a plan; it tells nothing of how to answer.
            reminder = words.lower().startswith("remind me")
            verb, slot = ("wants a reminder", "plan") if reminder else ("asks", "instruction")
            found = self._fact(m, f'{self.subject} {verb}: "{resolved(words, self.said_at)}"', slot, words)
            yield replace(found, start=m.start("v"), end=m.start("v") + len(words))

    def _how_to(self, sentence: str) -> Iterator[Candidate]:
        m = HOWTO.match(sentence.strip().rstrip("."))
        if m:
            begin = len(sentence) - len(sentence.lstrip())
            text = self._sentence(m.group().strip())
            found = self._fact(m, text, m["goal"].lower(), m["steps"])
            yield replace(found, kind=Kind.PROCEDURAL, start=begin, end=begin + len(m.group()))

    def _clauses(self, sentence: str) -> Iterator[Candidate]:
        """What clauses tell of others in the common forms, and what else is worth a sentence of its own."""
        quoted = _quoted_from(sentence)
        for told in clauses(sentence, self.talk):
            if told.start > quoted:
                continue
            person, about = told.person, told.words.removeprefix(told.person.name)
            slots = []
            if person.slot != self.slot and about != told.words:
                slots = [c for c in self._slots(OTHERS, about, person.name, person.slot) if c.start <= NEAR]
            if slots:
                yield from (replace(found, start=told.start, end=told.end) for found in slots)
            elif told.points >= WORTH:
                weight = importance_of(told.attribute)
                words = told.words if person.slot == self.slot else self._of_another(told.words)
                text = self._sentence(words)
                yield Candidate(
                    Kind.SEMANTIC, text, told.start, told.end, person.slot, told.attribute, None, weight
                )

    def _of_another(self, words: str) -> str:
        """Somebody else's clause with its speaker's name for "me" and "my"."""
        words = re.sub(r"\bme\b", self.subject, words)
        return re.sub(r"\b(?:my|mine)\b", f"{self.subject}'s", words)

    def _sentence(self, words: str) -> str:
        """A clause about "I", "we" or "my ..." as a sentence with a name."""
        named = re.sub(
            r"^(?:my|our)\b", f"{self.subject}'s", resolved(words, self.said_at), flags=re.IGNORECASE
        )
        told = third_person(named, self.subject)
        return re.sub(r"(?<=[\w,;:] )The user\b", "the user", f"{told[0].upper()}{told[1:]}.")

    def _since(self, after: str) -> datetime | None:
        """When the fact began, where the words after it say so and it is past ("last week", "in 2019")."""
        past = [span for span in find_times(after[:60], self.said_at) if span.start <= self.said_at]
        return past[0].start if past else None


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences of a text with their places; a dot inside a number or after "Dr" ends none."""
    for m in SENTENCE.finditer(text):
        if m.group().strip():
            yield m.start(), m.group()


def clip(value: str) -> str:
    """The value alone, without the clause that follows it; "" when nothing short is left."""
    value = CUT.sub("", value.strip().rstrip(".!,;:")).strip(" \"'“”")
    return value if len(value.split()) <= MOST_WORDS else ""


_PRESENT = re.compile(rf"\bI ({ADVERB})([a-z]{{2,}})(?!['’\w])")
_AS_IS = frozenset(
    "am are is was were will had have can could would should might may must did don do shall ll ve".split()
)


def third_person(text: str, name: str) -> str:
    """The words with `name` in the place of "I" and "we"."""
    text = _PRESENT.sub(lambda m: f"{name} {m[1]}{inflected(m[2])}", text)
    text = re.sub(r"\bI (?:don't|do not)\b", f"{name} does not", text)
    for pattern, words in PRONOUNS:
        text = re.sub(pattern, words.format(s=name), text, flags=0 if "I" in pattern else re.IGNORECASE)
    return text


def _quoted_from(sentence: str) -> int:
    """Where words of somebody else begin; the length of the sentence where none do."""
    quoted = OF_OTHERS.search(sentence.rstrip(" .!?"))
    return quoted.start() if quoted else len(sentence)


def _overlap(one: Candidate, other: Candidate) -> bool:
    return one.start < other.end and other.start < one.end


def inflected(verb: str) -> str:
    """The verb as it goes with "she": has, flies, teaches, drinks."""
    if verb in _AS_IS or is_past(verb):
        return {"have": "has", "am": "is", "do": "does", "don": "does"}.get(verb, verb)
    if re.search(r"[^aeiou]y$", verb):
        return f"{verb[:-1]}ies"
    return verb + ("es" if re.search(r"(?:[cs]h|s|x|go|do)$", verb) else "s")


def _specific(found: Sequence[Candidate]) -> list[Candidate]:
    """Without those whose words fill a slot of one value as well: a course in Welsh is no hobby beside it."""
    single = [c for c in found if is_single_valued(c.attribute or "")]
    return [c for c in found if c in single or not any(_overlap(c, one) for one in single)]


def _group(relation: str) -> str:
    if relation in PETS:
        return "pet"
    if relation in ("son", "daughter"):
        return "child"
    return "partner" if relation in PARTNERS else relation


def _without_repeats(found: list[Candidate]) -> list[Candidate]:
    def key(c: Candidate) -> tuple[str | None, str | None, str]:
        return c.subject, c.attribute, (c.value or c.text).lower()

    return list({key(c): c for c in reversed(found)}.values())[::-1]
