"""Memories that other programs kept: mem0's export, and the memory.json of the MCP reference server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from app.errors import BadInput
from app.exchange.items import MAX_TEXT, Item, Problem, Turn, parse_time, read_text
from app.exchange.lines import numbered_lines
from app.records import Kind


def read_mem0(path: Path) -> Iterator[Item]:
    """One fact per memory of a JSON list, or of the list under "results" or "memories". Raises BadInput."""
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON: {error}.", "Export it again.") from error
    if isinstance(value, dict):
        value = value.get("results") or value.get("memories")
    if not isinstance(value, list):
        raise BadInput(f"{path} holds no list of memories.", "Say what it is with --format.")
    for number, item in enumerate(value, 1):
        place = f"memory {number}"
        try:
            yield _mem0(item, place)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            yield Problem(place, f"not a memory: {error}")


def read_mcp(path: Path) -> Iterator[Item]:
    """One fact per observation and per relation of a knowledge graph in JSON lines. Raises BadInput."""
    for place, line in numbered_lines(path):
        if isinstance(line, Problem):
            yield line
            continue
        try:
            yield from _graph(json.loads(line), place)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            yield Problem(place, f"not an entity or relation: {error}")


def _mem0(item: Mapping[str, Any], place: str) -> Turn:
    text = item.get("memory") or item.get("text") or item["content"]
    if not isinstance(text, str) or not text.strip():
        raise ValueError("it has no words")
    return Turn(
        text[:MAX_TEXT],
        place,
        role="other",
        time=parse_time(item.get("created_at")),
        session="mem0",
        external_id=str(item["id"]) if item.get("id") else None,
        kind=Kind.SEMANTIC,
    )


def _graph(item: Mapping[str, Any], place: str) -> list[Turn]:
    if item["type"] == "relation":
        texts = [f"{item['from']} {item['relationType'].replace('_', ' ')} {item['to']}"]
    elif item["type"] == "entity":
        texts = [f"{item['name']}: {words}" for words in item.get("observations") or [item["entityType"]]]
    else:
        raise ValueError(f"type is {item['type']!r}")
    return [Turn(t[:MAX_TEXT], place, role="other", session="mcp memory", kind=Kind.SEMANTIC) for t in texts]
