"""Claude's export: conversations as lists of messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.exchange.archive import conversations
from app.exchange.items import MAX_TEXT, Item, Turn, parse_time

ROLES = {"human": "user", "user": "user", "assistant": "assistant"}


def read_claude(path: Path) -> Iterator[Item]:
    """Turns of every conversation in a zip, a folder or a conversations.json. Raises BadInput."""
    return conversations(path, _conversation)


def _conversation(value: Mapping[str, Any], place: str) -> list[Turn]:
    session = str(value.get("uuid") or place)
    began = parse_time(value.get("created_at"))
    extra = {"title": str(value["name"])} if value.get("name") else {}
    turns = []
    for message in value["chat_messages"]:
        text, role = _words(message), ROLES.get(message.get("sender", ""))
        if text and role:
            moment = parse_time(message.get("created_at")) or began
            id = str(message["uuid"]) if message.get("uuid") else None
            turns.append(Turn(text[:MAX_TEXT], place, role, role, moment, session, id, extra=extra))
    return turns


def _words(message: Mapping[str, Any]) -> str:
    """What was said: the message's own text blocks; thinking and tool calls are not speech."""
    blocks = [b.get("text") or "" for b in message.get("content") or () if b.get("type") == "text"]
    return ("\n".join(blocks) or message.get("text") or "").strip()
