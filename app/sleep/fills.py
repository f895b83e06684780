"""Asks a chat model which slot of its user a message fills, and with what; code tells whether the message bears it out.

The model says what a chatty message means; that the value is the message's own word, of the right kind, and told of
the speaker's life as it is now, is for code to say.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from app.guard.hostile import inert
from app.guard.secrets import redact
from app.sleep.attributes import importance_of, is_single_valued
from app.sleep.episodes import speaker_of
from app.sleep.forms import NEGATED, NO_STATEMENT, OF_OTHERS
from app.sleep.grammar import KIN_NAMES, RELATIVE
from app.sleep.proposals import Proposal, from_candidate
from app.sleep.rules import Candidate, sentences
from app.sleep.whom import Person, person_of, related
from models.chat import Message
from storage.records import Kind, Record

NAMED = (
    "home city", "employer", "boss", "gym", "doctor", "dentist", "car", "phone model", "partner", "language class",
    "bank", "landlord", "school",
)  # fmt: skip
"""Slots that a name fills; a model that says "the toaster" is wrong."""
PLAIN = (
    "job title",
    "diet",
    "work schedule",
    *(f"favourite {what}" for what in "drink food music colour sport".split()),
)
RELATIVES = ("sister", "brother", "mother", "father", "son", "daughter", "friend")
SHORT = {"sister": "sis", "brother": "bro"}
OF_RELATIVES = ("home city", "employer")
OWN = (*NAMED, *PLAIN)
SLOTS = (*OWN, *(f"{who}'s {what}" for who in RELATIVES for what in OF_RELATIVES))
MOST_WORDS = 6  # of a value

LONGEST = 400  # characters of a message that are shown
TOKENS = 80  # generated at most
FREE, NOTHING = "other", "nothing"  # in the place of a slot: a sentence that fills none, and no sentence
SYSTEM = (
    "You keep notes on the lives of people who talk. Write down what a message tells about its speaker's own life "
    "(facts, events, plans, tastes) as one short sentence in the speaker's words, with the speaker's name instead of "
    '"I"; then the slot that it fills, or "other", and the value in the message\'s own words. Greetings, questions, '
    'jokes, "what if", and what strangers do tell "nothing".'
)
SHOTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "user: Emptied my old desk on Friday, and from today Brightwell pays my bills!",
        "The user works at Brightwell now.",
        "employer",
        "Brightwell",
    ),
    (
        "Lea: Sorry, the twins keep me busy. They started school in Ghent on Monday.",
        "Lea's twins started school in Ghent on Monday.",
        FREE,
        "",
    ),
    ("user: My neighbour traded his bike for a scooter, what a sight.", NOTHING, NOTHING, ""),
    (
        "user: Long story short, Dr. Ionescu checks my teeth these days, so gentle!",
        "The user's dentist is Dr. Ionescu now.",
        "dentist",
        "Dr. Ionescu",
    ),
    (
        "Tom: I'd give anything for a nap, I can't eat gluten and the canteen forgot again.",
        "Tom can't eat gluten.",
        FREE,
        "",
    ),
    ("Tom: Ha, if I won the lottery I'd buy you a house in Rome.", NOTHING, NOTHING, ""),
    (
        "user: My sister unpacked her last box in Bergen, I flew in to help.",
        "The user's sister lives in Bergen now.",
        "sister's home city",
        "Bergen",
    ),
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "fact": {"type": "string", "maxLength": 110},
        "slot": {"enum": [NOTHING, FREE, *SLOTS]},
        "value": {"type": "string", "maxLength": 40},
    },
    "required": ["fact", "slot", "value"],
}
PROMPT = hashlib.blake2b(json.dumps([SYSTEM, SHOTS, SCHEMA, TOKENS]).encode(), digest_size=4).hexdigest()

_TELLS = re.compile(
    r"\b(?:I|I'm|I've|I'd|my|we|our|we've|we're)\b(?=.*\w+\W+\w+\W+\w+)", re.DOTALL | re.IGNORECASE
)
_FIRST = re.compile(r"\b(?:I|me|my|mine|we|us|our)\b|^\W*guess who\b", re.IGNORECASE)
_OTHER = re.compile(
    rf"\b(?:he|she|they|his|her|their|my (?:\w+ )?(?:{RELATIVE})|someone|somebody|neighbou?rs?)\b",
    re.IGNORECASE,
)
_MY_KIN = re.compile(rf"\b(?:my|our) (?:\w+ )?(?:{RELATIVE})\b", re.IGNORECASE)
_COMMA = re.compile(r"[,;:—]")
_LIGHT = re.compile(r"\b(?:lol|haha)\b", re.IGNORECASE)  # laughter after what is true is no joke
_TAKEN_BACK = re.compile(r"\b(?:if i|if we|jk|kidding|joking|as a joke|i wish)\b", re.IGNORECASE)
_GUESS = re.compile(r"\W*guess wh\w+", re.IGNORECASE)
_ASKS = re.compile(
    r"^\W*(?:what|who|why|how|when|where|which|can|could|do|does|did|is|are|should|would|will|have|has)\b.*\?\s*$",
    re.IGNORECASE | re.DOTALL,
)
_UNREAL = re.compile(
    r"\b(?:wish|hop(?:e|ing)|maybe|might|want(?:s|ed)?|thinking|consider\w*|plan(?:s|ning)?|almost|nearly|used to"
    r"|dream\w*|would|could|appl(?:y|ied|ying)|interview\w*|holiday|vacation|trip|visit\w*|booked|rental|borrow\w*)\b",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"(?:\b(?:instead of|rather than|(?:moved|switched|changed|went) from|left|quit|leaving|no more|goodbye"
    r"|sold|ditched|dumped|old|former)|\bex-?)"
    r"(?: (?:the|my|our|an?|old))*\s*$",
    re.IGNORECASE,
)


def prompt(turn: Record, known: Mapping[str, str]) -> list[Message]:
    """The messages for one turn, with what is known of the user's slots for the model to see what it changes.

    All but the last are the same all night, so the model's cache holds them.
    """
    notes = "; ".join(f"{slot}: {known.get(slot, '?')}" for slot in OWN)
    messages = [Message("system", f"{SYSTEM}\nKnown of the user: {notes}")]
    for line, *told in SHOTS:
        answer = json.dumps(dict(zip(("fact", "slot", "value"), told, strict=True)))
        messages += [Message("user", line), Message("assistant", answer)]
    return [*messages, Message("user", shown(turn))]


def shown(turn: Record) -> str:
    """A turn as a model is shown it: inert, without secrets, cut."""
    return f"{speaker_of(turn)}: {inert(redact(turn.text)[0])[:LONGEST]}"


def tells_of_self(text: str) -> bool:
    """Whether somebody tells of themselves, in a few words at least."""
    return _TELLS.search(text) is not None


def worth_asking(
    turns: Sequence[Record], proposals: Sequence[Proposal], likely: Collection[str]
) -> list[Record]:
    """The user's messages on themselves, and those called `likely` (ids), in which no slot of one value was filled."""
    caught = {p.turn for p in proposals if is_single_valued(p.attribute or "")}
    own = (t for t in turns if t.role == "user" and t.id not in caught)
    return [t for t in own if t.id in likely or tells_of_self(t.text)]


def fills_in(raw: str, turn: Record, derived_by: str) -> tuple[list[Proposal], int]:
    """What of a model's raw output the message bears out, and how much was refused."""
    try:
        told = json.loads(raw)
        slot, value = str(told["slot"]), str(told["value"])
    except (ValueError, TypeError, KeyError):
        return [], 1
    if slot in (FREE, NOTHING):
        return [], 0
    told_of = filling(slot, value, person_of(speaker_of(turn)), turn)
    return ([from_candidate(told_of, turn, derived_by)], 0) if told_of else ([], 1)


def filling(slot: str, value: str, speaker: Person, turn: Record, *, sure: bool = False) -> Candidate | None:
    """What the message says of the slot, quoting the sentence that does; None where it does not bear the value out.

    `sure`: whose life it tells of is settled already, by whoever proposes it.
    """
    value = re.sub(r"^(?:an?|the) |[\s.,!?]+$", "", value.strip(), flags=re.IGNORECASE)
    found = re.search(rf"(?<!\w){re.escape(value)}(?!\w)", turn.text, re.IGNORECASE) if value else None
    if found is None or len(value.split()) > MOST_WORDS or slot not in SLOTS:
        return None
    who, _, attribute = slot.rpartition("'s ")
    if (attribute in NAMED and not re.search(r"[A-ZÀ-Þ0-9]", found[0])) or (
        who and not _named(who, turn.text)
    ):
        return None
    ends = ((at, s) for at, s in sentences(turn.text) if at + len(s) >= found.end())
    start, sentence = next(ends, (0, turn.text))
    place = found.start() - start
    if place < 0 or not _stands(sentence, place) or not (sure or _is_of(who, turn.text, sentence, place)):
        return None
    person = related(speaker, who) if who else speaker
    text, end = f"{person.name}'s {attribute} is {found[0]}.", start + len(sentence)
    weight = importance_of(attribute)
    return Candidate(Kind.SEMANTIC, text, start, end, person.slot, attribute, found[0], weight)


def _named(who: str, text: str) -> bool:
    """Whether a text speaks of this relative, by whatever name."""
    names = [who, SHORT.get(who, who), *(name for name, kin in KIN_NAMES.items() if kin == who)]
    return re.search(rf"\b(?:{'|'.join(names)})\b", text, re.IGNORECASE) is not None


def _stands(sentence: str, place: int) -> bool:
    """Whether what the sentence says at this place is stated, and not asked, wished, denied, quoted or over."""
    before = sentence[:place]
    clause, *after = _COMMA.split(sentence[place:], maxsplit=1)
    stated = _LIGHT.sub("", before + (clause.rstrip("? ") if _GUESS.match(sentence) else clause))
    quoted = OF_OTHERS.search(before)
    return not (
        _ASKS.match(sentence)
        or NO_STATEMENT.search(stated)
        or _TAKEN_BACK.search("".join(after))
        or _UNREAL.search(before)
        or NEGATED.search(before[-40:])
        or _LEFT.search(before)
        or (quoted and not re.search(r"[,;:]| so ", before[quoted.start() :]))
    )


def _is_of(who: str, text: str, sentence: str, place: int) -> bool:
    """Whether the clause at this place is about its speaker, or about their relative `who`."""
    clause = _COMMA.split(sentence[:place])[-1] + _COMMA.split(sentence[place:])[0]
    own = _FIRST.search(_MY_KIN.sub("", clause)) is not None
    other = _OTHER.search(clause) is not None
    if who:
        return other or not own
    return (own or not other) and _FIRST.search(_MY_KIN.sub("", text)) is not None
