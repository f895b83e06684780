"""Words of questions and memories: what counts as a term, and when two terms are the same. Knows no store."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_STOP = """
    a an the and or but if then of at by for with about to from in on off is are was were be been being am do
    does did doing done have has had having i me my mine you your yours he him his she her hers it its we us our ours
    they them their theirs this that these those what which who whom whose when where why how not no nor so than too
    very can will just should now would could might may must shall s t ll ve re d m there here as into over under
    again any some all each both more most other such only own same out up down during before after because while
    until also ever yet still please tell
"""
STOP = frozenset(_STOP.split())
WORD = re.compile(r"[^\W_]+(?:['’][a-z]+)?")
_ENDINGS = ("ingly", "edly", "ings", "ing", "ies", "ied", "ed", "es", "s", "ly")


def words(text: str) -> list[str]:
    """The words of a text in order, lower case."""
    return WORD.findall(text.lower().replace("’", "'"))


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """A rough common form of a word's inflections; close to what full text does, and fast."""
    word = word.removesuffix("'s")
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)] + ("i" if ending in ("ies", "ied") else "")
            break
    word = word.rstrip("e")
    return word[:-1] + "i" if word.endswith("y") and len(word) > 3 else word


def stems(text: str) -> list[str]:
    """The stems of the words that carry meaning, in order, with repetitions."""
    return [stem(word) for word in words(text) if word not in STOP]


def match_any(terms: Iterable[str], column: str | None = None) -> str:
    """An FTS5 expression that any of the terms meets, each quoted; "" for none."""
    quoted = " OR ".join(f'"{term}"' for term in terms)
    return f"{{{column}}} : ({quoted})" if column and quoted else quoted
