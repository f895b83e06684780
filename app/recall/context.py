"""What a record is found by: the words that are embedded, and the context that it takes from the turns before it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from storage.records import Record

TURNS = 2  # turns before it that a turn is read with
MOST_WORDS = 60  # of each
SHORT = 8  # words of a turn that leaves its subject to a question
END = 300  # characters in which a turn's last question is looked for
_OFFER = re.compile(r"\bI\b")
_QUESTION = re.compile(r"[^.!?\n]*\?\s*$")


def context_of(record: Record, previous: Sequence[Record]) -> str:
    """Words from the turns just before `record` (oldest first) that it needs to be understood; "" for none.

    Beside an assistant, in whose long turns a person's own words would drown, the question that a short answer leaves
    its subject to, and no more.
    """
    turns = previous[-TURNS:]
    if record.role == "assistant":
        return ""
    if any(turn.role == "assistant" for turn in previous):
        return question_of(record.text, previous[-1].text) if previous[-1].role == "assistant" else ""
    return "\n".join(_spoken(turn, MOST_WORDS) for turn in turns)


def question_of(text: str, before: str) -> str:
    """The question at the end of what was said `before` a short `text` that asks nothing itself; "" for none.

    "What can I do for you?" is an offer and no question.
    """
    found = _QUESTION.search(before[-END:])
    if found is None or _OFFER.search(found[0]) or "?" in text or len(text.split(None, SHORT)) > SHORT:
        return ""
    return found[0].strip()


def is_answer(role: str, context: str) -> bool:
    """Whether a turn is read with nothing but the question that it answers."""
    return role == "user" and context.endswith("?") and "\n" not in context


def views_of(record: Record) -> Mapping[str, str]:
    """The texts to embed, by the name of the view; "text" is always there."""
    spoken = _spoken(record)
    return {"text": spoken} | ({"context": f"{record.context}\n{spoken}"} if record.context else {})


def _spoken(record: Record, most_words: int | None = None) -> str:
    text = record.text
    if most_words is not None and len(text) > 4 * most_words:
        text = " ".join(text.split(None, most_words)[:most_words])
    return f"{record.speaker}: {text}" if record.speaker and record.role == "other" else text
