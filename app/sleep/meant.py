"""Which slot of its user a message fills by what it means, and with what: for changes in words that no rule foresees.

People say that something changed in endless ways ("have me in induction all week, still can't find the toilets"). A
head (app/meaning.py) knows from the message's vector which slot is spoken of; of values of that kind exactly one must
stand in the message, those left aside that are called the old one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from app.meaning import head_of
from app.sleep.episodes import speaker_of
from app.sleep.fills import RELATIVES, filling
from app.sleep.forms import DIET
from app.sleep.names import mentions
from app.sleep.rules import Candidate
from app.sleep.values import CAR, LANGUAGE, PHONE
from app.sleep.vectors import vectors_of
from app.sleep.whom import person_of
from storage.records import Record

if TYPE_CHECKING:
    from app.memory import Memory

Chances: TypeAlias = Mapping[str, Mapping[str, float]]  # by the id of a turn: what the head sees in it

SLOTS = Path(__file__).with_name("slots.json")
NONE, KIN = "none", "relative's city"
SURE = 0.4  # of no slot, from which on a message is left alone
LONGEST = 400  # characters; in a longer message topic and value need not belong together
_RELATIVE = re.compile(rf"\b[Mm]y (?:\w+ )?({'|'.join(RELATIVES)})\b")
_NOBODY = re.compile(
    r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)days?|January|February|March|April|May|June|July|August|September|October"
    r"|November|December|Christmas|Easter|God|Dad|Mum|Mom|Instagram|WhatsApp|LinkedIn|Facebook|Google|English"
)
_TITLED = re.compile(r"\b(?:[Dd]r\.?|[Dd]octor) [A-Z][\w’-]+")


def _people(text: str) -> Iterator[str]:
    """Whom a message names: not by what stands after "in" or "at"."""
    yield from (n for n, kind in mentions(text) if kind != "place" and not _NOBODY.fullmatch(n))


def _places(text: str) -> Iterator[str]:
    """What a message names that is nobody's relative: a town, a firm, a practice."""
    yield from (n for n, kind in mentions(text) if kind != "person" and not _NOBODY.fullmatch(n))


def _of(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> Callable[[str], Iterator[str]]:
    compiled = re.compile(rf"\b{pattern}\b", flags)
    return lambda text: (found[0] for found in compiled.finditer(text))


def _doctors(text: str) -> Iterator[str]:
    titled = [found[0] for found in _TITLED.finditer(text)]
    yield from titled or _people(text)


_KINDS: Mapping[str, Callable[[str], Iterator[str]]] = {
    "bank": _places,
    "boss": _people,
    "car": _of(CAR),
    "dentist": _doctors,
    "diet": _of(DIET, re.IGNORECASE),
    "doctor": _doctors,
    "employer": _places,
    "gym": _places,
    "home city": _places,
    "landlord": _people,
    "language class": _of(LANGUAGE),
    "partner": _people,
    "phone model": _of(PHONE),
    KIN: _places,
}
"""What can fill a slot, as it stands in a message. Other slots are left to rules and chat model."""


def chances_of(memory: Memory, turns: Sequence[Record]) -> Chances:
    """What the head sees in those turns of the user that are embedded; nothing where it does not read these vectors."""
    head = head_of(SLOTS, memory.embedder.name) if memory.embedder is not None else None
    own = [turn for turn in turns if turn.role == "user"]
    if head is None or not own:
        return {}
    vectors = vectors_of(memory, own)
    return {turn.id: head.chances(vectors[turn.seq]) for turn in own if turn.seq in vectors}


def by_meaning(
    turn: Record, chances: Mapping[str, float], known: Collection[str] = ()
) -> Iterator[Candidate]:
    """The slot that a message fills, as the head sees it; none where it is unsure, or no one value is borne out.

    `known`: values, in lower case, that slots hold already; beside one of them, the other is the news.
    """
    slot = max((label for label in chances if label != NONE), key=chances.__getitem__, default=NONE)
    if slot not in _KINDS or chances[NONE] >= SURE or len(turn.text) > LONGEST:
        return
    if slot == KIN:
        kin = _RELATIVE.search(turn.text)
        named = f"{kin[1].lower()}'s home city" if kin else ""
    else:
        named = slot
    speaker = person_of(speaker_of(turn))
    news = [value for value in _KINDS[slot](turn.text) if value.lower() not in known]
    borne_out = [
        told for value in dict.fromkeys(news) if (told := filling(named, value, speaker, turn, sure=True))
    ]
    if len(borne_out) == 1:
        yield borne_out[0]
