"""The formats that can be imported, by name, and how to tell which one a path holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from app.errors import BadInput, BadRequest
from app.exchange import bundle
from app.exchange.archive import member, members
from app.exchange.chatgpt import read_chatgpt
from app.exchange.claude import read_claude
from app.exchange.documents import NOTE_SUFFIXES, read_markdown, read_plain
from app.exchange.html import read_bookmarks
from app.exchange.items import Importer, open_binary
from app.exchange.jsonl import read_jsonl
from app.exchange.mail import read_mbox
from app.exchange.others import read_mcp, read_mem0
from app.exchange.own import MARK, read_own
from app.exchange.pdf import read_pdf
from app.exchange.whatsapp import looks_like_whatsapp, read_whatsapp

IMPORTERS: Mapping[str, Importer] = {
    "jsonl": read_jsonl,
    "chatgpt": read_chatgpt,
    "claude": read_claude,
    "markdown": read_markdown,
    "whatsapp": read_whatsapp,
    "mbox": read_mbox,
    "text": read_plain,
    "pdf": read_pdf,
    "bookmarks": read_bookmarks,
    "mem0": read_mem0,
    "mcp": read_mcp,
    "mem": read_own,
    "bundle": bundle.read_bundle,
}

SIGNS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    ("pdf", re.compile(rb"\A%PDF-")),
    ("mem", re.compile(rb'\A\{"' + MARK.encode() + rb'":')),
    ("bundle", re.compile(rb'\A\{"' + bundle.MARK.encode() + rb'":')),
    ("mbox", re.compile(rb"\AFrom \S+.*\r?\n[\w-]+:")),
    ("bookmarks", re.compile(rb"\A\s*<!DOCTYPE NETSCAPE-Bookmark-file-1>", re.IGNORECASE)),
    ("chatgpt", re.compile(rb'\A\s*\[.*"mapping"\s*:', re.DOTALL)),
    ("claude", re.compile(rb'\A\s*\[.*"chat_messages"\s*:', re.DOTALL)),
    ("mem0", re.compile(rb'\A\s*[\[{].*"(?:memory|results|memories)"\s*:', re.DOTALL)),
    ("mcp", re.compile(rb'\A\s*\{"type"\s*:\s*"(?:entity|relation)"')),
    ("jsonl", re.compile(rb'\A\s*\{[^\n]*"text"\s*:')),
)
"""How the first bytes of each format look; the first that fits is taken."""

HEAD = 1 << 16


def importer_for(path: Path, name: str = "auto", *, month_first: bool | None = None) -> tuple[str, Importer]:
    """The importer of that name, or the one that fits what is at `path`. Raises BadRequest, BadInput.

    `month_first`: whether 7/5 is in July where a format leaves it open and its content does not tell.
    """
    if not path.exists():
        raise BadInput(f"There is no {path}.", "Check the name.")
    if name == "auto":
        name = guess(path)
    if name not in IMPORTERS:
        raise BadRequest(f"There is no format {name!r}.", f"It is one of: auto, {', '.join(IMPORTERS)}.")
    return name, partial(read_whatsapp, month_first=month_first) if name == "whatsapp" else IMPORTERS[name]


def guess(path: Path) -> str:
    """The format by what is in it, else by its name. Raises BadInput for what none of them reads."""
    packed = path.is_dir() or path.suffix.lower() == ".zip"
    head = _packed_head(path) if packed else _head(path)
    for name, sign in SIGNS:
        if head is not None and sign.search(head):
            return name
    if path.is_dir():
        return "markdown"
    if head is not None and looks_like_whatsapp(head.decode("utf-8-sig", errors="replace")):
        return "whatsapp"
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    by_name = {".jsonl": "jsonl", ".ndjson": "jsonl", **dict.fromkeys(NOTE_SUFFIXES, "markdown")}
    if plain.suffix.lower() in by_name:
        return by_name[plain.suffix.lower()]
    data = plain.suffix.lower() == ".json"  # of a program that is none of those known
    if head is None or data or (b"\x00" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))):
        raise BadInput(f"{path} is nothing that can be read.", f"Formats: {', '.join(IMPORTERS)}.")
    return "text"


def _head(path: Path) -> bytes:
    with open_binary(path) as file:
        try:
            return file.read(HEAD)
        except (OSError, EOFError) as error:
            raise BadInput(f"{path} is damaged: {error}.", "Export or copy it again.") from error


def _packed_head(path: Path) -> bytes | None:
    """The first bytes of the member that tells what an archive or a folder is; None where there is none."""
    for pattern in ("conversations*.json", "*chat*.txt"):
        for name in members(path, pattern):
            with member(path, name) as file:
                return file.read(HEAD)
    return None
