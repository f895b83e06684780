"""What a record is found by: the words that are embedded, and the context that it takes from the turns before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.records import Record

TURNS = 2  # turns before it that a turn is read with
MOST_WORDS = 60  # of each


def context_of(record: Record, previous: Sequence[Record]) -> str:
    """Words from the turns just before `record` (oldest first) that it needs to be understood; "" for none.

    Only between people: beside an assistant's long turns a person's own words would drown.
    """
    turns = previous[-TURNS:]
    if record.role == "assistant" or any(turn.role == "assistant" for turn in previous):
        return ""
    return "\n".join(_spoken(turn, MOST_WORDS) for turn in turns)


def views_of(record: Record) -> Mapping[str, str]:
    """The texts to embed, by the name of the view; "text" is always there."""
    spoken = _spoken(record)
    return {"text": spoken} | ({"context": f"{record.context}\n{spoken}"} if record.context else {})


def _spoken(record: Record, most_words: int | None = None) -> str:
    text = record.text
    if most_words is not None and len(text) > 4 * most_words:
        text = " ".join(text.split(None, most_words)[:most_words])
    return f"{record.speaker}: {text}" if record.speaker and record.role == "other" else text
