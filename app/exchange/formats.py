"""The formats that can be imported, by name, and how to tell which one a path holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from app.errors import BadInput, BadRequest
from app.exchange.documents import NOTE_SUFFIXES, read_markdown, read_plain
from app.exchange.items import Importer, open_binary
from app.exchange.jsonl import read_jsonl
from app.exchange.own import MARK, read_own

IMPORTERS: Mapping[str, Importer] = {
    "jsonl": read_jsonl,
    "markdown": read_markdown,
    "text": read_plain,
    "mem": read_own,
}


def importer_for(path: Path, name: str = "auto") -> tuple[str, Importer]:
    """The importer of that name, or the one that fits what is at `path`. Raises BadRequest, BadInput."""
    if not path.exists():
        raise BadInput(f"There is no {path}.", "Check the name.")
    if name == "auto":
        name = guess(path)
    if name not in IMPORTERS:
        raise BadRequest(f"There is no format {name!r}.", f"It is one of: auto, {', '.join(IMPORTERS)}.")
    return name, IMPORTERS[name]


def guess(path: Path) -> str:
    """The format by name, else by the first bytes. Raises BadInput for what none of them reads."""
    if path.is_dir():
        return "markdown"
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    if plain.suffix.lower() in NOTE_SUFFIXES:
        return "markdown"
    with open_binary(path) as file:
        head = file.read(4096)
    if head.startswith(f'{{"{MARK}":'.encode()):
        return "mem"
    if plain.suffix.lower() in (".jsonl", ".ndjson"):
        return "jsonl"
    if re.match(rb"(?:\xef\xbb\xbf)?\s*\{.*\}\s*(?:\n|$)", head):
        return "jsonl"
    if b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadInput(f"{path} is nothing that can be read.", f"Formats: {', '.join(IMPORTERS)}.")
    return "text"
