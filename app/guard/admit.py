"""The door of the store: what every record passes before it is kept."""

from __future__ import annotations

from dataclasses import replace

from app.guard.hostile import looks_like_instruction
from app.guard.secrets import Secret, redact
from app.guard.trust import INFORMS_ONLY
from storage.records import Record


def checked_record(record: Record) -> tuple[Record, list[Secret]]:
    """The record as it may be kept, and the secrets that were taken out of it.

    Lone surrogates, which no file can hold, become marks. What only informs and speaks like an order is marked
    for quarantine (`extra["quarantine"]`): it can be found, and never steers.
    """
    text, secrets = redact(storable(record.text))
    extra = dict(record.extra)
    if secrets:
        extra["secrets"] = [secret.kind for secret in secrets]
    if record.source in INFORMS_ONLY and (reasons := looks_like_instruction(text)):
        extra["quarantine"] = list(reasons)
    return replace(record, text=text, context=redact(storable(record.context))[0], extra=extra), secrets


def storable(text: str) -> str:
    """The text with characters that have no UTF-8 form replaced."""
    return text.encode("utf-8", "replace").decode("utf-8")
