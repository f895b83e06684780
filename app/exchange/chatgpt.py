"""ChatGPT's export: conversations as trees of messages, of which the branch that was last shown is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from app.exchange.archive import conversations
from app.exchange.items import MAX_TEXT, Item, Turn, parse_time

SAID = {"user": "user", "assistant": "assistant"}
SPOKEN = ("text", "multimodal_text")


def read_chatgpt(path: Path) -> Iterator[Item]:
    """Turns of every conversation in a zip, a folder or a conversations.json. Raises BadInput."""
    return conversations(path, _conversation)


def _conversation(value: Mapping[str, Any], place: str) -> list[Turn]:
    mapping = value["mapping"]
    session = str(value.get("conversation_id") or value.get("id") or place)
    began = parse_time(value.get("create_time"))
    extra = {"title": str(value["title"])} if value.get("title") else {}
    turns = [
        _turn(mapping[id], session, began, extra, place) for id in _branch(mapping, value.get("current_node"))
    ]
    return [turn for turn in turns if turn is not None]


def _branch(mapping: Mapping[str, Any], current: str | None) -> list[str]:
    """Node ids from the first message to the one last shown; without that, to the newest leaf."""
    if current not in mapping:
        leaves = [id for id, node in mapping.items() if not node.get("children")]
        current = max(leaves, key=lambda id: _created(mapping[id]), default=None)
    path: list[str] = []
    while current is not None and current in mapping and current not in path:
        path.append(current)
        current = mapping[current].get("parent")
    return path[::-1]


def _created(node: Mapping[str, Any]) -> float:
    return float((node.get("message") or {}).get("create_time") or 0.0)


def _turn(
    node: Mapping[str, Any], session: str, began: datetime | None, extra: Mapping[str, str], place: str
) -> Turn | None:
    """The turn of a node; None for what its user never saw: system text, tool calls, hidden messages."""
    message = node.get("message") or {}
    content = message.get("content") or {}
    role = SAID.get((message.get("author") or {}).get("role", ""))
    hidden = (message.get("metadata") or {}).get("is_visually_hidden_from_conversation")
    to_tool = message.get("recipient") not in (None, "all")
    if role is None or hidden or to_tool or content.get("content_type", "text") not in SPOKEN:
        return None
    text = "\n".join(part for part in content.get("parts") or () if isinstance(part, str)).strip()
    if not text:
        return None
    return Turn(
        text[:MAX_TEXT],
        place,
        speaker=role,
        role=role,
        time=parse_time(message.get("create_time")) or began,
        session=session,
        external_id=str(message["id"]) if message.get("id") else None,
        extra=extra,
    )
