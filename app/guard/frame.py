"""Whether two texts say the same with another word in it: "I play the cello" beside "I play the drums". Pure."""

from __future__ import annotations

import re
from itertools import product, takewhile

LEAST, SHARE = 3, 0.6  # words that the frame holds, and of all the words of the longer sentence
MOST_OTHER = 4  # words that differ


def rewords(one: str, other: str) -> bool:
    """Whether a sentence of `one` has the frame of a sentence of `other`, and other words in one place of it."""
    return any(_same_frame(a, b) for a, b in product(_sentences(one), _sentences(other)))


def _sentences(text: str) -> list[list[str]]:
    parts = re.split(r"[.!?\n]+(?:\s|$)", text.lower())
    return [words for part in parts if (words := re.findall(r"[^\W_]+(?:['’][^\W_]+)?", part))]


def _same_frame(a: list[str], b: list[str]) -> bool:
    before = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    room = min(len(a), len(b)) - before
    tail = zip(a[::-1][:room], b[::-1][:room], strict=False)
    kept = before + sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], tail))
    others = len(a) - kept, len(b) - kept
    return kept >= max(LEAST, SHARE * max(len(a), len(b))) and min(others) > 0 and max(others) <= MOST_OTHER
