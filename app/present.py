"""What memories look like to other programs: the stable keys of the contract, as plain JSON-able values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storage.records import Link, Record


def record_keys(record: Record) -> dict[str, Any]:
    """The keys that every listing of memories has."""
    return {
        "id": record.id,
        "external_id": record.external_id,
        "kind": str(record.kind),
        "text": record.text,
        "speaker": record.speaker,
        "session": record.session,
        "time": said_at(record),
        "valid_from": iso(record.valid_from),
        "valid_to": iso(record.valid_to),
        "state": str(record.state),
        "trust": str(record.trust),
    }


def record_detail(record: Record, links: Sequence[Link]) -> dict[str, Any]:
    """All of one memory."""
    return record_keys(record) | {
        "role": record.role,
        "source": str(record.source),
        "recorded_at": iso(record.recorded_at),
        "superseded_by": record.superseded_by,
        "subject": record.subject,
        "attribute": record.attribute,
        "importance": record.importance,
        "stability": record.stability,
        "last_used": iso(record.last_used),
        "use_count": record.use_count,
        "pinned": record.pinned,
        "protected": record.protected,
        "language": record.language,
        "derived_by": record.derived_by,
        "context": record.context,
        "tags": tags_of(record),
        "links": [link_keys(link) for link in links],
    }


def link_keys(link: Link) -> dict[str, Any]:
    """One edge; `start` and `end` are the quoted span of the source, else null."""
    return {
        "from": link.src,
        "to": link.dst,
        "kind": str(link.kind),
        "weight": link.weight,
        "start": link.start,
        "end": link.end,
    }


def tags_of(record: Record) -> list[str]:
    """The labels that its user gave it."""
    return list(record.extra.get("tags", []))


def iso(moment: datetime | None) -> str | None:
    """ISO 8601 with its offset, or None."""
    return None if moment is None else moment.isoformat()


def said_at(record: Record) -> str:
    """When it was said, in the zone in which it was said."""
    return record.event_time.astimezone(zone(record.tz)).isoformat()


def zone(offset: str) -> timezone:
    """The zone of an offset like "+01:00"; UTC for one that is unreadable."""
    try:
        hours, minutes = offset[1:].split(":")
        delta = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-delta if offset.startswith("-") else delta)
    except ValueError:
        return UTC
