"""Which slots of its user a message fills ("home city" is Porto), and which one a question asks for.

What is filled is read by rules. What is asked for is told by words, and where no words are known for it by meaning: a
head (app/meaning.py) in asked.json hears "which lot run the building I rent in" as well as "who is my landlord".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.meaning import heard
from app.sleep.attributes import RELATIONS, is_single_valued

if TYPE_CHECKING:
    from models.embed import Embedder

ASKED = Path(__file__).with_name("asked.json")
NONE, KIN = "none", "relative's city"  # labels of a head that name no slot of the user
LEAST = 0.5  # chance of a slot from which on a question asks for it
READ = 400  # characters of a message that are read
_I = r"(?:do|did|am|was|have|'m) (?:i|we)\b(?: \w+)?"
_WHERE = r"(?:where|(?:in )?(?:which|what) (?:city|town|country|place))"
_WHAT = r"(?:what|which|who)(?:'s| is| are)(?: the name of)?"
_KIN = rf"(?P<kin>{RELATIONS})"
_NOUNS = {
    "boss": "boss|manager|supervisor",
    "car": "car|vehicle",
    "commute": "commute",
    "dentist": "dentist",
    "diet": "diet",
    "doctor": "doctor|gp|physician",
    "employer": "employer",
    "gym": "gym",
    "job title": "job|job title|profession|occupation|trade",
    "landlord": "landlord|landlady",
    "name": "name",
    "partner": "partner|girlfriend|boyfriend|wife|husband|fianc[eé]e?",
    "phone model": "phone|phone model",
    "rent": "rent",
    "work schedule": "work schedule|working hours|hours|shifts",
}
_ASKED = tuple(
    (re.compile(pattern, re.IGNORECASE), slot)
    for pattern, slot in (
        (rf"\b{_WHERE} {_I} (?:liv|stay|resid|based|mov)", "home city"),
        (rf"\b(?:where|(?:which|what) company) {_I} work(?! out)", "employer"),
        (rf"\b(?:whom? {_I} work for|who employs me)", "employer"),
        (r"\bwhat do i (?:do for a living|work as)", "job title"),
        (r"\bhow old am i\b", "age"),
        (r"\bwho am i\?*$", "name"),
        (r"\bwhen (?:is my birthday|was i born)\b", "birthday"),
        (rf"\bwho {_I} (?:report|answer) to\b", "boss"),
        (rf"\bwhere {_I} (?:train|work out|exercise|lift)", "gym"),
        (rf"\bwho {_I} (?:together|dating|seeing|married|in a relationship|engaged)", "partner"),
        (rf"\b(?:what|which)(?: (?:kind|make|sort) of)? car {_I} (?:have|drive|own)", "car"),
        (rf"\b(?:what|which) (?:phone|mobile|handset) {_I} (?:have|use|carry)", "phone model"),
        (rf"\b(?:what|which) diet {_I}|\b(?:do|am) i (?:follow|keep|on) an?(?: \w+)? diet", "diet"),
        (rf"\b(?:when|which hours|what hours|which shifts?|what shifts?) {_I} work", "work schedule"),
        (rf"\bhow {_I} (?:get|go|commute|travel) to work", "commute"),
        (rf"\bwhich (gym|bank|school) {_I} (?:go|use|train|have|attend)", "{}"),
        (rf"\bwhat {_I} (?:study|major)", "major"),
        (r"\bam i (?:still )?(?:single|married|divorced|engaged)", "marital status"),
        (rf"\b{_WHERE} (?:does|is|do) my {_KIN}(?: \w+)? (?:liv|based|stay)", "home city"),
        (rf"\b{_WHERE} (?:is|are) my {_KIN}\?*$", "home city"),
        (rf"\b(?:what|which) language {_I} (?:learn|study|tak)", "language class"),
        *((rf"\b{_WHAT} my (?:current |new )?(?:{nouns})\b(?!'s (?!name))", slot) for slot, nouns in _NOUNS.items()),
    )
)  # fmt: skip
_MY_KIN = re.compile(rf"\bmy (?:\w+ )?({RELATIONS})\b", re.IGNORECASE)
_FAVOURITE = re.compile(rf"\b{_WHAT} my favou?rite (\w+)", re.IGNORECASE)


@lru_cache(maxsize=2048)
def filled(text: str, time: datetime) -> Mapping[tuple[str, str], str]:
    """The slots of one value at a time that a message of the user fills: (subject, attribute) to value, lower case."""
    from app.sleep.rules import extract  # its patterns take longer to compile than a recall takes

    return {
        (c.subject, c.attribute): c.value.lower()
        for c in extract(text[:READ], "user", time)
        if c.subject and c.attribute and c.value and is_single_valued(c.attribute)
    }


def asked(question: str) -> tuple[str, str] | None:
    """The slot of its user, or of a relative, that the words of a question ask for: (subject, attribute)."""
    favourite = _FAVOURITE.search(question)
    if favourite:
        return "user", f"favourite {favourite[1].lower()}"
    for pattern, slot in _ASKED:
        if m := pattern.search(question):
            kin = next((name for name in m.groupdict().values() if name), None)
            return f"user's {kin.lower()}" if kin else "user", slot.format(*m.groups())
    return None


def asked_by_meaning(question: str, embedder: Embedder) -> tuple[str, str] | None:
    """The same by what the question means; None where no head reads this embedder's vectors."""
    chances = heard(ASKED, question, embedder, READ)
    slot = max(chances, key=chances.__getitem__, default=NONE)
    if slot == NONE or chances[slot] < LEAST:
        return None
    if slot != KIN:
        return "user", slot
    kin = _MY_KIN.search(question)
    return (f"user's {kin[1].lower()}", "home city") if kin else None
