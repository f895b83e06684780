"""Reads plain statements without a model: the common forms in which people tell facts, preferences, plans, rules.

Each candidate is self-contained (a name for "I", absolute dates) and quotes its words. What is asked, wished,
joked or said by others is left alone. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import zip_longest

from app.sleep.attributes import DEPENDS_ON, PARTNERS, PETS, importance_of, is_single_valued
from app.sleep.forms import (
    CALLED,
    CHANGED,
    CORRECTS,
    CUT,
    EMPTY,
    EVENT,
    HAS,
    HOWTO,
    KINDRED,
    NEGATED,
    NO_STATEMENT,
    NO_WISH,
    OF_OTHERS,
    OTHERS,
    PLAN,
    PRONOUNS,
    SELF,
    SENTENCE,
    STANDING,
    TAG_QUESTION,
    VAGUE,
    WHO,
    WOULD,
    Rule,
)
from app.sleep.told import ASKS, DATED, PRESENT, TAIL, TOLD
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
OWN_SENTENCE = frozenset({"plan", "event", "instruction"})  # attributes whose words are the whole sentence
FAR = 25  # characters between another person and what is said of them


def extract(
    text: str, speaker: str, said_at: datetime, tz: str = "+00:00", context: Sequence[str] = ()
) -> list[Candidate]:
    """What a turn states about its speaker ("user", or a name) and the people and things that it names.

    `context` are the turns before it, oldest first; they only tell whether this one corrects something.
    """
    local = (
        said_at.astimezone(datetime.strptime(tz, "%z").tzinfo)
        if re.fullmatch(r"[+-]\d\d:\d\d", tz)
        else said_at
    )
    reader = _Reader("The user" if speaker == "user" else speaker, speaker.lower(), local, bool(context))
    found: list[Candidate] = []
    for start, sentence in sentences(text[:LONGEST]):
        sentence = TAG_QUESTION.sub("", sentence)
        if not NO_STATEMENT.search(sentence) and len(sentence.split()) > 2:
            found += reader.read(sentence, start)
    return _without_repeats(found)


@dataclass(frozen=True, slots=True)
class _Reader:
    """One turn's speaker and moment."""

    subject: str
    slot: str
    said_at: datetime
    answers: bool

    def read(self, sentence: str, start: int) -> Iterator[Candidate]:
        """Candidates of one sentence that begins at `start` of the turn."""
        # "No, I live in Lisbon now" tells of a change; "no, I live in Lisbon" sets right what was never true.
        corrects = CORRECTS.search(sentence) is not None and not CHANGED.search(sentence)
        found = [*self._slots(SELF, sentence, self.subject, self.slot), *self._people(sentence)]
        if not found:
            found = [*self._standing(sentence), *self._how_to(sentence)]
        if not found:
            found = [*self._dated(sentence)]
        if not any(candidate.attribute in OWN_SENTENCE for candidate in found):
            told = max((candidate.end for candidate in found), default=0)
            found += self._told(sentence, told)
        for candidate in found:
            at = start + candidate.start
            yield replace(candidate, start=at, end=start + candidate.end, is_correction=corrects)

    def _slots(
        self, rules: Sequence[Rule], clause: str, name: str, slot: str, offset: int = 0
    ) -> Iterator[Candidate]:
        """What the rules find in a clause; one value for each slot that holds one."""
        taken: set[str] = set()
        for rule in rules:
            for m in rule.pattern.finditer(clause):
                before = clause[: m.start()]
                if OF_OTHERS.search(before) or NEGATED.search(before) or WOULD.match(m.group()):
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
        value = clip(groups.get("v") or groups.get("w") or "")
        if not value or value.split()[0].lower() in EMPTY:
            return None
        which = KINDRED.get((groups.get("slot") or "").lower(), (groups.get("slot") or "").lower())
        attribute = rule.attribute.format(slot=which)
        said = third_person(resolved(value, self.said_at), self.subject)
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
        others = list(WHO.finditer(sentence))
        for who, following in zip_longest(others, others[1:]):
            relation, named = who["rel"], who["called"] or who["alone"]
            name = f"{self.subject}'s {relation}{' ' + named if named else ''}" if relation else named
            slot = (named or f"{self.slot}'s {relation}").lower()
            clause = re.split(
                r"[;]| but | and (?:I|we|my)\b",
                sentence[who.end() : following.start() if following else None],
            )[0]
            for candidate in self._slots(OTHERS, clause, name, slot, who.end()):
                if candidate.start - who.end() <= FAR:
                    yield replace(candidate, start=who.start())

    def _fact(self, m: re.Match[str], text: str, attribute: str, value: str | None) -> Candidate:
        weight = importance_of(attribute)
        return Candidate(Kind.SEMANTIC, text, m.start(), m.end(), self.slot, attribute, value, weight)

    def _standing(self, sentence: str) -> Iterator[Candidate]:
        """A wish that stands: "from now on ...", "never ...", "remember that ..."."""
        m = STANDING.search(sentence) or (ASKS.search(sentence) if self.slot == "user" else None)
        if m and not NO_WISH.match(m["v"]):
            words = m["v"].strip()
            text = f'{self.subject} asks: "{resolved(words, self.said_at)}"'
            found = self._fact(m, text, "instruction", words)
            yield replace(found, start=m.start("v"), end=m.start("v") + len(words))

    def _how_to(self, sentence: str) -> Iterator[Candidate]:
        m = HOWTO.match(sentence.strip().rstrip("."))
        if m:
            begin = len(sentence) - len(sentence.lstrip())
            text = third_person(m.group().strip(), self.subject)
            found = self._fact(m, text[0].upper() + text[1:] + ".", m["goal"].lower(), m["steps"])
            yield replace(found, kind=Kind.PROCEDURAL, start=begin, end=begin + len(m.group()))

    def _dated(self, sentence: str) -> Iterator[Candidate]:
        """Plans and events, where they say when: the date is what makes them worth a fact of their own."""
        for attribute, pattern in (("plan", PLAN), ("event", EVENT)):
            m = pattern.search(sentence)
            if m is None or OF_OTHERS.search(sentence[: m.start()]) or NEGATED.search(sentence[: m.start()]):
                continue
            words = m["v"].strip().rstrip(",;:")
            if find_times(words, self.said_at) and len(words.split()) >= 4 and not VAGUE.search(words):
                found = self._fact(m, self._sentence(words), attribute, None)
                yield replace(found, start=m.start("v"), end=m.start("v") + len(words))
                return

    def _told(self, sentence: str, after: int) -> Iterator[Candidate]:
        """A habit, an end, an achievement `after` this place: a clause that makes a sentence of its own."""
        for attribute, pattern in TOLD:
            m = pattern.search(sentence, after)
            if m is None or OF_OTHERS.search(sentence[: m.start()]) or NEGATED.search(sentence[: m.start()]):
                continue
            words = TAIL.sub("", m["v"]).strip().rstrip(",:")
            if len(words.split()) < 3 or (attribute in DATED and not find_times(words, self.said_at)):
                continue
            found = self._fact(m, self._sentence(words), attribute, None)
            yield replace(found, start=m.start(), end=m.start() + len(words))
            return

    def _sentence(self, words: str) -> str:
        """A clause about "I", "we" or "my ..." as a sentence with a name."""
        named = re.sub(r"^my\b", f"{self.subject}'s", resolved(words, self.said_at), flags=re.IGNORECASE)
        return f"{third_person(named, self.subject)}."

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


def third_person(text: str, name: str) -> str:
    """The words with `name` in the place of "I" and "we"."""
    text = PRESENT.sub(lambda m: f"{name} {m[1]}{inflected(m[2])}", text)
    text = re.sub(r"\bI (?:don't|do not)\b", f"{name} does not", text)
    for pattern, words in PRONOUNS:
        text = re.sub(pattern, words.format(s=name), text, flags=0 if "I" in pattern else re.IGNORECASE)
    return text


def inflected(verb: str) -> str:
    """The verb as it goes with "she": has, flies, teaches, drinks."""
    if verb == "have":
        return "has"
    if re.search(r"[^aeiou]y$", verb):
        return f"{verb[:-1]}ies"
    return verb + ("es" if re.search(r"(?:[cs]h|s|x|go|do)$", verb) else "s")


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
