"""What the words of one turn say of it, whatever is asked: stems, who speaks of whom, whether it asks. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.recall.words import STOP, stem, words

READ = 1200  # characters of a long turn that are read
KEPT = 8192  # turns whose traits stay known: a conversation comes back to the same ones

_FIRST = frozenset("i i'm i've i'd i'll my me we our we're we've mine".split())
_SECOND = frozenset("you your you're you've yours".split())


@dataclass(frozen=True, slots=True)
class Traits:
    """`stems` in order, with repetitions; `size` in words; `first` and `second`: share of words for I, for you."""

    stems: tuple[str, ...]
    size: int
    first: float
    second: float
    asks: bool
    only_asks: bool


@lru_cache(maxsize=KEPT)
def told(text: str) -> frozenset[str]:
    """The stems of what a context says."""
    return frozenset(_told(words(text[:READ])))


@lru_cache(maxsize=KEPT)
def traits(text: str) -> Traits:
    """The traits of a turn."""
    found = words(text[:READ])
    size = len(text.split()) + 1
    end = text[-200:].rstrip()
    return Traits(
        _told(found),
        size,
        sum(map(_FIRST.__contains__, found)) / size,
        sum(map(_SECOND.__contains__, found)) / size,
        "?" in end,
        end.endswith("?"),
    )


def _told(found: list[str]) -> tuple[str, ...]:
    return tuple([stem(word) for word in found if word not in STOP])
