"""Citations, checked by code: which ids a reply names, which memories it rests on, which sentences none bears out.

Pure functions over text and evidence; the language model's word is never taken for any of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from app.events import Evidence
from app.when import resolved

_ID = r"m[2-9a-hjkmnp-z]{3,7}"
_MARK = re.compile(rf"\s?\[\s*#?({_ID}(?:\s*[,;&]?\s*(?:and\s+)?#?{_ID})*)\s*\]")
_ANY_ID = re.compile(rf"\b{_ID}\b")
_LONGEST_MARK = 60  # characters between the brackets; more than that is no citation
_SENTENCE = re.compile(r"(?<=[.!?])(?:\s*\[[^\]]*\])*\s+(?!\[)|\n+")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_COMMON = frozenset(
    re.findall(
        r"\S+",
        "a an and are as at be been being but by can could did do does for from had has have he her him his i in is "
        "it its just like may me might my no not of on or our she should so some than that the their them then "
        "there these they this those to too up us was we were what when where which who why will with would you "
        "your you're i'm it's also about because into more most very well know said told mentioned memory note "
        "notes according",
    )
)
_ENDING = re.compile(r"(?:['’]s|s|ed|ing)$")
_LONGEST_SENTENCE = 1000
_VERDICTS = frozenset({"yes", "no"})
_SURE = 2  # shared telling words that let another memory take over a mark
_MOST = 3  # memories that an answer without marks is traced to
_REPEATS = 0.5  # the share of a memory's telling words that a reply repeats when it rests on it uncited


def cited(text: str, given: Collection[str]) -> tuple[str, ...]:
    """The ids of `given` that the text names, in order, each once."""
    return tuple(dict.fromkeys(id for id in _ANY_ID.findall(text) if id in given))


class Scrubber:
    """Checks the marks in a stream: ids that were never given go, and a mark beside words that another memory
    says is set right. A mark is held back until it can be checked."""

    def __init__(self, evidence: Sequence[Evidence], question: str = "") -> None:
        """`question` tells two memories apart that both hold a short answer."""
        self._asked = _stems(" ".join(telling(question)))
        self._evidence = {e.id: e for e in evidence}
        self._sentence = ""  # what was said since the last sentence ended
        self._held = ""

    def feed(self, piece: str) -> str:
        """What may be shown now."""
        ready, self._held = _split_mark(self._held + piece)
        return self._checked(ready)

    def rest(self) -> str:
        """What was still held back when the stream ended."""
        held, self._held = self._held, ""
        return self._checked(held)

    def _checked(self, text: str) -> str:
        out, place = "", 0
        for mark in _MARK.finditer(text):
            out += self._heard(text[place : mark.start()])
            ids = [self._right(id) for id in _ANY_ID.findall(mark[1]) if id in self._evidence]
            lead = " " if mark[0].startswith(" ") else ""
            out += f"{lead}[{', '.join(dict.fromkeys(ids))}]" if ids else ""
            place = mark.end()
        return out + self._heard(text[place:])

    def _heard(self, text: str) -> str:
        if text.strip():
            spoken = self._sentence + text
            self._sentence = (
                _SENTENCE.split(spoken.rstrip())[-1][-_LONGEST_SENTENCE:] + spoken[len(spoken.rstrip()) :]
            )
        return text

    def _right(self, id: str) -> str:
        """The id of the memory that holds all that the named one holds of the sentence, and more of it or of the
        question, where there is one."""
        said = _stems(" ".join(telling(self._sentence)))
        held = {
            i: (said & (ground := _stems(_grounds(e))), self._asked & ground)
            for i, e in self._evidence.items()
        }
        own, asked = held[id]
        more = [
            i
            for i, (words, rest) in held.items()
            if len(words | rest) >= _SURE and (words > own or (words == own and len(rest) > len(asked)))
        ]
        return max(more, key=lambda i: (len(held[i][0]), len(held[i][1])), default=id)


def used(text: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """The memories that a reply rests on: those it names, else those whose telling words it plainly repeats."""
    named = cited(text, {e.id for e in evidence})
    if named:
        return named
    said = telling(text)
    scored = []
    for item in evidence:
        words = telling(item.text)
        shared = len(words & said)
        if shared and (shared / len(words) >= _REPEATS or shared >= 3):
            scored.append((-shared, item.id))
    return tuple(id for _, id in sorted(scored)[:3])


def borne_out_by(text: str, question: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """The memories, best first, that together hold what a short answer adds to its question; at most three.

    Each is the one that holds most of what the ones before leave open. A bare yes or no adds nothing: it rests on the
    memory that speaks of most that was asked, if that is half of it.
    """
    left = _stems(" ".join(telling(text) - _VERDICTS)) - _stems(question)
    if not left and _VERDICTS.intersection(_WORD.findall(text.lower())[:1]):
        return _speaking_of(question, evidence)
    found: list[str] = []
    held = {e.id: left & _stems(_grounds(e)) for e in evidence}
    while left and held and len(found) < _MOST:
        best = max(
            held, key=lambda id: len(held[id] & left)
        )  # the first of equals: evidence comes best first
        if not held[best] & left:
            break
        left = left - held.pop(best)
        found.append(best)
    return tuple(found)


def _speaking_of(question: str, evidence: Sequence[Evidence]) -> tuple[str, ...]:
    wanted = _stems(" ".join(telling(question)))
    shared = {e.id: len(wanted & _stems(_grounds(e))) for e in evidence}
    best = max(shared, key=shared.__getitem__, default="")
    return (best,) if best and shared[best] >= max(_SURE, len(wanted) / 2) else ()


def unsupported(text: str, evidence: Sequence[Evidence], known: str = "") -> tuple[str, ...]:
    """Sentences that state a number or a name found nowhere in the evidence or in `known` (what was said here),
    or that cite a memory with which they share no telling word."""
    by_id = {e.id: e for e in evidence}
    ground: set[str] | None = None  # of everything given; most answers state no hard fact and need none of it
    out = []
    for sentence in sentences(text):
        bare = _MARK.sub("", sentence)
        named = [by_id[id] for id in cited(sentence, by_id)]
        invented = _stems(" ".join(_hard_facts(bare)))
        if invented:
            ground = ground or _stems(" ".join([known, *map(_grounds, evidence)]))
            invented = invented - ground
        apart = named and not _stems(" ".join(telling(bare))) & _stems(" ".join(map(_grounds, named)))
        if invented or apart:
            out.append(bare.strip())
    return tuple(out)


def sentences(text: str) -> list[str]:
    """The sentences of a text, each with the marks that follow it."""
    ends = [m.end() for m in _SENTENCE.finditer(text)]
    parts = [text[a:b].strip() for a, b in zip([0, *ends], [*ends, len(text)], strict=True)]
    return [part for part in parts if part]


def telling(text: str) -> set[str]:
    """The words of a text that say something, lower case, without common ones."""
    said = map(str.lower, _WORD.findall(_MARK.sub("", text)))
    return {w for w in said if w not in _COMMON and (len(w) > 1 or w.isdigit())}


def _grounds(item: Evidence) -> str:
    return _grounds_of(item.text, item.time, item.speaker or "")


@lru_cache(maxsize=2048)
def _grounds_of(text: str, time: datetime, speaker: str) -> str:
    said = f"{text} {resolved(text, time)} {speaker}"
    return f"{said} {time:%A %d %B %B %Y} {time.day} {time:%Y-%m-%d}"


def _hard_facts(sentence: str) -> Iterator[str]:
    """Numbers, and capitalised words that do not merely open the sentence."""
    for place, word in enumerate(_WORD.findall(sentence)):
        if word[0].isdigit() or (place and word[0].isupper() and word.lower() not in _COMMON):
            yield word


def _stems(text: str) -> set[str]:
    return {_stem(w.lower()) for w in _WORD.findall(text)}


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    return _ENDING.sub("", word)


def _split_mark(held: str) -> tuple[str, str]:
    """What of a stream is surely complete, and the tail that may still become a mark."""
    start = held.rfind("[")
    if start > held.rfind("]") and len(held) - start <= _LONGEST_MARK and "\n" not in held[start:]:
        cut = start - 1 if held[:start].endswith(" ") else start
        return held[:cut], held[cut:]
    return (held[:-1], " ") if held.endswith(" ") else (held, "")
