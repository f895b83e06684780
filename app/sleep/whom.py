"""Whom a word means: the people that a conversation names, and the "he" or "she" of the words after. Pure.

What is not plain stays unresolved; it would rather miss a statement than tell it of somebody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from app.almanac import DAYS, MONTHS
from app.sleep.grammar import (
    CALLED,
    GREETED,
    KIN_NAME,
    KIN_NAMES,
    KIN_OF,
    MANY,
    MEN,
    NAMED,
    NOT_PEOPLE,
    PET,
    PLACED,
    TITLES,
    WOMEN,
    is_third,
)

Said = tuple[str, str]
"""Who spoke ("user", or a name) and their words."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody as the subject of a sentence: `name` as it is written there, `slot` as facts on them are filed."""

    name: str
    slot: str
    gender: str = ""  # "f", "m", or unknown
    is_many: bool = False


def people(said: Said, hearer: Person | None = None) -> Iterator[tuple[int, Person]]:
    """Everyone whom these words name, with their place; not the speaker, nor the hearer."""
    speaker, text = person_of(said[0]), said[1]
    found: dict[int, Person] = {}
    taken = set()
    for m in KIN_OF.finditer(text):
        owner = hearer if m["whose"].lower() == "your" else speaker
        taken.add(m.start("name"))
        if owner is not None:
            found[m.start()] = related(owner, m["rel"], m["name"])
    for m in KIN_NAME.finditer(text):
        if not (GREETED.search(text[: m.start()]) and re.match(r"[,!?.]", text[m.end() : m.end() + 1])):
            found[m.start()] = related(speaker, KIN_NAMES[m[0].lower()], None)
    for m in PET.finditer(text):
        found[m.start()] = related(speaker, m[1])
    for m in CALLED.finditer(text):
        gender = "f" if m["what"] in WOMEN else "m" if m["what"] in MEN else ""
        found[m.start("name")] = Person(m["name"], m["name"].lower(), gender)
    voices = {speaker.slot, hearer.slot if hearer else ""}
    for m in NAMED.finditer(text):
        after = re.match(r" ?([a-z'’]*)", text[m.end() :])
        begins = GREETED.search(text[: m.start()]) is not None
        addressed = begins and not (
            after and is_third(after[1]) and after[1] not in ("is", "are", "was", "were")
        )
        known = m.start() in taken or m.start() in found or m["name"].lower() in voices
        if is_name(m["name"]) and not (known or addressed or PLACED.search(text[: m.start()])):
            found[m.start()] = person_of(m["name"])
    yield from sorted(found.items())


def is_name(words: str) -> bool:
    """Whether capitalised words are a name rather than an ordinary word that begins a sentence."""
    last = words.split()[-1].lower()
    return not (last in NOT_PEOPLE or last in MONTHS or last.removesuffix("s") in DAYS or last in KIN_NAMES)


def person_of(name: str) -> Person:
    """The person of that name; "user" is the one whose memory this is."""
    if name == "user":
        return Person("The user", "user")
    return Person(name, name.lower(), TITLES.get(name.split()[0].rstrip("."), ""))


def related(owner: Person, relation: str, name: str | None = None) -> Person:
    """Somebody's relative, friend or pet."""
    relation = KIN_NAMES.get(relation.lower(), relation.lower())
    gender = "f" if relation in WOMEN else "m" if relation in MEN else ""
    full = f"{owner.name}'s {relation}{' ' + name if name else ''}"
    return Person(full, (name or f"{owner.slot}'s {relation}").lower(), gender, relation in MANY)


def meant(pronoun: str, before: Sequence[Sequence[Person]]) -> Person | None:
    """Whom "he", "she" or "they" means, by who was named `before`, sentence by sentence; None where it is not plain."""
    word = pronoun.lower()
    many = word in ("they", "their", "them")
    wanted = "f" if word in ("she", "her") else "m"
    known = {p.slot: p.gender for named in before for p in named if p.gender}
    for named in reversed(before):
        fits = {p for p in named if p.is_many == many and (many or known.get(p.slot, wanted) == wanted)}
        sure = {p for p in fits if p.gender}
        if fits:
            return next(iter(sure or fits)) if len(sure or fits) == 1 else None
    return None


def known_before(heard: Sequence[Said], speaker: str) -> list[Sequence[Person]]:
    """Who was named in each of the turns before."""
    other = other_voice(heard, speaker)
    found: list[Sequence[Person]] = []
    for said in heard:
        hearer = person_of(speaker) if said[0] != speaker else other
        found.append([person for _, person in people(said, hearer)])
    return found


def other_voice(heard: Iterable[Said], speaker: str) -> Person | None:
    """With whom the speaker talks, where that is one person."""
    voices = {name for name, _ in heard if name not in (speaker, "assistant")}
    return person_of(voices.pop()) if len(voices) == 1 else None
