"""Whether a derived sentence is borne out by its source: numbers, names, words and polarity. Code's veto over a model.

Pure. It would rather refuse a true sentence than let an invented one pass.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.sleep.forms import NO_STATEMENT, OF_OTHERS
from app.sleep.rules import sentences

COVERED = 0.65  # share of a statement's content words that its source must hold
ECHO = 0.8  # share of shared words at which a statement only repeats what was recalled

_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty".split()
    )
} | {
    "thirty": "30",
    "forty": "40",
    "fifty": "50",
    "hundred": "100",
    "thousand": "1000",
    "once": "1",
    "twice": "2",
}
_STOP = frozenset(
    """
    a an the and or but of to in on at for with by from as is are was were
    be been being has have had do does did will would can could should may might it its this that
    these those there here who whom which what when where how than then so very just also now too up
    out about into over user their them they he she his her him we our us i my me you
    your
    """.split()
)
_NEGATIONS = re.compile(
    r"\b(?:not|no|never|none|neither|nor|without|hardly|no longer|stopped|quit)\b|n't\b", re.IGNORECASE
)
_TURNED_TO = re.compile(
    r"\b(?:stop|quit|start|tr[iy]|like|love|enjoy|hate|dislike|prefer|g[ai]ve up|given up|took up|taken up|began|begun)"
    r"(?:e?d|ied|s|es|ped)? (?:to )?(?P<what>[a-z-]{3,})",
)
"""What was begun, ended or liked: models take it from another turn."""
_NAME = re.compile(r"\b[A-Z][\w'’-]+")
_TITLES = frozenset("The A An In On At User I It He She They We This That His Her Their My".split())


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a statement holds, and every reason why not."""

    reasons: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def supported(statement: str, source: str, *, speaker: str, also: Sequence[str] = ()) -> bool:
    """Whether `source`, said by `speaker`, bears out the statement. `also`: names that need no evidence."""
    return judge(statement, source, speaker=speaker, also=also).ok


def judge(statement: str, source: str, *, speaker: str, also: Sequence[str] = ()) -> Verdict:
    """The verdict with its reasons."""
    known = {word for name in (speaker, *also) for word in _stems(name)}
    said = _stems(source) | known
    reasons = [f"the number {n} is not in its source" for n in sorted(_numbers(statement) - _numbers(source))]
    reasons += [f"the name {n} is not in its source" for n in _names(statement) if not _stems(n) <= said]
    content = [stem for stem in _stems(statement) if stem not in known]
    if not content:
        reasons.append("it says nothing")
    elif sum(stem in said for stem in content) < COVERED * len(content):
        reasons.append("its words are not those of its source")
    dealt = [m["what"] for m in _TURNED_TO.finditer(statement)]
    reasons += [f"the {what} is not in its source" for what in dealt if not _stems(what) <= said]
    near = _nearest(statement, source)
    if (_NEGATIONS.search(statement) is None) != (_NEGATIONS.search(near) is None):
        reasons.append("it turns yes into no, or no into yes")
    if NO_STATEMENT.search(near):
        reasons.append("its source asks, wishes or jokes")
    elif OF_OTHERS.search(near.rstrip(" .!?")) and not OF_OTHERS.search(statement):
        reasons.append("its source quotes somebody else")
    return Verdict(tuple(reasons))


def echoes(statement: str, recalled: Sequence[str]) -> bool:
    """Whether the statement only says again what recall had put into the prompt."""
    words = _stems(statement)
    return bool(words) and any(len(words & _stems(text)) >= ECHO * len(words) for text in recalled)


def _nearest(statement: str, source: str) -> str:
    """The sentence of the source that shares most with the statement; the first of equals."""
    wanted = _stems(statement)
    found = [sentence for _, sentence in sentences(source)]
    return max(found, key=lambda s: len(wanted & _stems(s)), default=source)


def _numbers(text: str) -> set[str]:
    digits = {number.replace(",", "") for number in re.findall(r"\d+(?:[.,]\d+)*", text)}
    return digits | {
        _NUMBER_WORDS[w] for w in re.findall(r"[a-z]+", text.lower()) if w in _NUMBER_WORDS and w != "one"
    }


def _names(text: str) -> list[str]:
    """Capitalised words, the first of the sentence only where it is not an ordinary one."""
    return [m.group().removesuffix("'s") for m in _NAME.finditer(text) if m.group() not in _TITLES]


def _stems(text: str) -> set[str]:
    words = re.findall(r"[^\W_]+", text.lower().replace("'s ", " "))
    return {_stem(_NUMBER_WORDS.get(word, word)) for word in words if word not in _STOP}


def _stem(word: str) -> str:
    for ending in ("ings", "ing", "ies", "ied", "es", "ed", "ly", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)].rstrip("ey")
    return word.rstrip("ey") or word
