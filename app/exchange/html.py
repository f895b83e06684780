"""What a person would read of an HTML page, and the bookmarks that every browser exports as one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path

from app.exchange.items import Item, Turn, parse_time, read_text
from app.records import Kind

SILENT = frozenset({"script", "style", "head", "template", "noscript"})
BREAKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote"})


def text_of(html: str) -> str:
    """The words of a page, a line per block."""
    reader = _Words()
    reader.feed(html)
    lines = (" ".join(line.split()) for line in "".join(reader.pieces).split("\n"))
    return "\n".join(line for line in lines if line)


def read_bookmarks(path: Path) -> Iterator[Item]:
    """One document per bookmark: its title, address and folder. Raises BadInput."""
    reader = _Bookmarks()
    reader.feed(read_text(path))
    for number, (title, address, folder, moment) in enumerate(reader.found, 1):
        where = f" (in {folder})" if folder else ""
        yield Turn(
            f"Bookmark: {title or address}{where} {address}",
            f"bookmark {number}",
            time=moment,
            session=f"bookmarks: {folder or 'top'}",
            kind=Kind.RESOURCE,
            extra={"url": address},
        )


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in SILENT
        if tag in BREAKS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in SILENT))

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.pieces.append(data)


class _Bookmarks(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str, datetime | None]] = []
        self._folders: list[str] = []
        self._in = ""
        self._words = ""
        self._link: tuple[str, datetime | None] = ("", None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("a", "h3"):
            self._in, self._words = tag, ""
        if tag == "a":
            values = dict(attrs)
            self._link = (values.get("href") or "", _when(values.get("add_date")))

    def handle_endtag(self, tag: str) -> None:
        words = " ".join(self._words.split())
        if tag == "h3" and self._in == "h3":
            self._folders.append(words)
        elif tag == "a" and self._in == "a" and self._link[0].startswith(("http://", "https://")):
            self.found.append((words, self._link[0], " / ".join(self._folders), self._link[1]))
        elif tag == "dl" and self._folders:
            self._folders.pop()
        self._in = "" if tag in ("a", "h3") else self._in

    def handle_data(self, data: str) -> None:
        if self._in:
            self._words += data


def _when(seconds: str | None) -> datetime | None:
    try:
        return parse_time(float(seconds)) if seconds else None
    except ValueError:
        return None
