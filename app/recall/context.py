"""What a record is found by: the words that are embedded, and the context that it takes from the turns before it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from storage.records import Record


def context_of(record: Record, previous: Sequence[Record]) -> str:
    """Words from the turns just before `record` (oldest first) that it needs to be understood; "" for none."""
    del record, previous
    return ""


def views_of(record: Record) -> Mapping[str, str]:
    """The texts to embed, by the name of the view; "text" is always there."""
    spoken = f"{record.speaker}: {record.text}" if record.speaker else record.text
    return {"text": spoken} | ({"context": f"{record.context}\n{spoken}"} if record.context else {})
