"""Which slots of its user a message fills ("home city" is Porto), and which one a question asks for. Read by rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from app.sleep.attributes import is_single_valued

READ = 400  # characters of a message that are read
_I = r"(?:do|did|am|was|have) i\b(?: \w+)?"
_ASKED = tuple(
    (re.compile(pattern, re.IGNORECASE), slot)
    for pattern, slot in (
        (rf"\bwhere {_I} (?:liv|stay|resid|based|mov)", "home city"),
        (rf"\b(?:which|what) (?:city|town|country|place) {_I} (?:liv|mov|based)", "home city"),
        (rf"\b(?:where {_I} work|who(?:m)? {_I} work for|who employs me)", "employer"),
        (r"\bwhat do i (?:do for a living|work as)", "job title"),
        (r"\bwhat(?:'s| is| was) my (?:job|profession|occupation)\b", "job title"),
        (r"\bwhat(?:'s| is) my name\b|\bwho am i\b", "name"),
        (r"\bhow old am i\b", "age"),
        (r"\bwhen (?:is my birthday|was i born)\b", "birthday"),
    )
)  # fmt: skip


@lru_cache(maxsize=2048)
def filled(text: str, time: datetime) -> Mapping[tuple[str, str], str]:
    """The slots of one value at a time that a message of the user fills: (subject, attribute) to value, lower case."""
    from app.sleep.rules import extract  # its patterns take longer to compile than a recall takes

    return {
        (c.subject, c.attribute): c.value.lower()
        for c in extract(text[:READ], "user", time)
        if c.subject and c.attribute and c.value and is_single_valued(c.attribute)
    }


def asked(question: str) -> str | None:
    """The slot of its user that a question asks for, or None."""
    return next((slot for pattern, slot in _ASKED if pattern.search(question)), None)
