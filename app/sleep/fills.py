"""Whether a message bears out that a value fills a slot: what its meaning or a chat model proposes, code looks at.

The value must be the message's own words, of the right kind, and told of the speaker's life as it is now.
"""

from __future__ import annotations

import re

from app.sleep.attributes import importance_of
from app.sleep.forms import NEGATED, NO_STATEMENT, OF_OTHERS
from app.sleep.grammar import KIN_NAMES, RELATIVE
from app.sleep.rules import Candidate, sentences
from app.sleep.whom import Person, related
from storage.records import Kind, Record

NAMED = (
    "home city", "employer", "boss", "gym", "doctor", "dentist", "car", "phone model", "partner", "language class",
    "bank", "landlord", "school",
)  # fmt: skip
"""Slots that a name fills; whoever says "the toaster" is wrong."""
PLAIN = (
    "job title",
    "diet",
    "work schedule",
    "commute",
    "marital status",
    *(f"favourite {what}" for what in "drink food music colour sport".split()),
)
RELATIVES = ("sister", "brother", "mother", "father", "son", "daughter", "friend")
FONDLY = {
    "sister": "sis|sissy",
    "brother": "bro|brudda",
    "mother": "amma",
    "father": "old man|pa",
    "son": "boy|lad|eldest",
    "daughter": "girl",
    "friend": "best mate|bestie|bff",
}
"""What relatives are called beside what they are and KIN_NAMES."""
OF_RELATIVES = ("home city", "employer")
OWN = (*NAMED, *PLAIN)
SLOTS = (*OWN, *(f"{who}'s {what}" for who in RELATIVES for what in OF_RELATIVES))
MOST_WORDS = 6  # of a value

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
_WISHED = re.compile(
    r"\b(?:wish|hop(?:e|ing)|maybe|might|thinking|consider\w*|almost|nearly|dream\w*)\b", re.IGNORECASE
)
_UNREAL = re.compile(
    r"\b(?:want(?:s|ed)?|plan(?:s|ning)?|used to|would|could|appl(?:y|ied|ying)|interview\w*|holiday|vacation|trip"
    r"|visit\w*|booked|rental|borrow\w*)\b",
    re.IGNORECASE,
)
_LEFT = re.compile(
    r"(?:\b(?:used to(?: \w+){1,3}|instead of|rather than|(?:moved|switched|changed|went) from|left|quit|leaving"
    r"|no more|goodbye|sold|ditched|dumped|old|former)|\bex-?)"
    r"(?: (?:the|my|our|an?|old))*\s*$",
    re.IGNORECASE,
)


def tells_of_self(text: str) -> bool:
    """Whether somebody tells of themselves, in a few words at least."""
    return _TELLS.search(text) is not None


def filling(slot: str, value: str, speaker: Person, turn: Record, *, sure: bool = False) -> Candidate | None:
    """What the message says of the slot, quoting the sentence that does; None where it does not bear the value out.

    `sure`: that it tells of its speaker's life as it is now is settled already, by whoever proposes it.
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
    if place < 0 or _is_over(sentence[:place]):
        return None
    if not sure and not (_is_stated(sentence, place) and _is_of(who, turn.text, sentence, place)):
        return None
    person = related(speaker, who) if who else speaker
    text, end = f"{person.name}'s {attribute} is {found[0]}.", start + len(sentence)
    weight = importance_of(attribute)
    return Candidate(Kind.SEMANTIC, text, start, end, person.slot, attribute, found[0], weight)


def _named(who: str, text: str) -> bool:
    """Whether a text speaks of this relative, by whatever name."""
    names = [who, FONDLY[who], *(name for name, kin in KIN_NAMES.items() if kin == who)]
    return re.search(rf"\b(?:{'|'.join(names)})\b", text, re.IGNORECASE) is not None


def relative_in(text: str) -> str | None:
    """The one relative that a text speaks of; None where it speaks of several, or none."""
    found = [who for who in RELATIVES if _named(who, text)]
    return found[0] if len(found) == 1 else None


def _is_over(before: str) -> bool:
    """Whether what these words lead to is only wished, denied, or what was left."""
    return any(
        said.search(words) for said, words in ((_WISHED, before), (NEGATED, before[-40:]), (_LEFT, before))
    )


def _is_stated(sentence: str, place: int) -> bool:
    """Whether what the sentence says at this place is stated, and not asked, wished, joked or quoted."""
    before = sentence[:place]
    clause, *after = _COMMA.split(sentence[place:], maxsplit=1)
    stated = _LIGHT.sub("", before + (clause.rstrip("? ") if _GUESS.match(sentence) else clause))
    quoted = OF_OTHERS.search(before)
    return not (
        _ASKS.match(sentence)
        or _UNREAL.search(before)
        or NO_STATEMENT.search(stated)
        or _TAKEN_BACK.search("".join(after))
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
