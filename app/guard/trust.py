"""Who is believed: what a source may become. Set by code from where words came from, never by what they say."""

from __future__ import annotations

from storage.records import TRUST_ORDER, Kind, Record, Source

INFORMS_ONLY = frozenset({Source.IMPORTED, Source.TOOL})
"""Sources that tell something and decide nothing: other people's words, pages, files of other programs."""

BINDING = ("instruction", "preference", "procedure")
"""Attributes that would steer what the assistant does."""


def may_influence(record: Record) -> bool:
    """Whether a memory may become a preference, an instruction, a line of the portrait or an action."""
    return record.trust not in INFORMS_ONLY and "quarantine" not in record.extra


def outranks(one: Source, other: Source) -> bool:
    """Whether what has the trust `one` stands above what has the trust `other`: the lesser may never undo it."""
    return TRUST_ORDER.index(one) > TRUST_ORDER.index(other)


def is_binding(record: Record) -> bool:
    """Whether a memory would steer the assistant: then it has to come from its user."""
    attribute = record.attribute or ""
    return record.kind in (Kind.PROCEDURAL, Kind.CORE) or any(word in attribute for word in BINDING)
