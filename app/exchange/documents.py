"""Plain text and Markdown (a file or a folder of notes, Obsidian's way): documents, in chunks that can be found.

Their user wrote them, so they inform as the user's own files. A chunk carries its title and headings as context.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from app.errors import BadInput
from app.exchange.items import Item, Problem, Turn, parse_time, read_text
from app.records import Kind, Source

CHUNK = 800  # characters: about what a small embedding model reads
NOTE_SUFFIXES = (".md", ".markdown")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
WIKI_LINK = re.compile(r"\[\[([^\]|#^]+)[^\]]*\]\]")
FRONT_MATTER = re.compile(r"\A---\s*\n(.*?)\n(?:---|\.\.\.)\s*(?:\n|\Z)", re.DOTALL)


def read_plain(path: Path) -> Iterator[Item]:
    """A text file as a document in chunks of whole paragraphs."""
    text = read_text(path)
    if "\x00" in text[:4096]:
        raise BadInput(f"{path} is not text.", "Say what it is with --format.")
    for place, chunk in enumerate(chunks(text), 1):
        yield _chunk(chunk, path.name, place, _changed(path), extra={"path": str(path.absolute())})


def read_markdown(path: Path) -> Iterator[Item]:
    """A Markdown file, or every one in a folder and below it, links to other places not followed."""
    for note in [path] if path.is_file() else _notes(path):
        name = note.name if note == path else str(note.relative_to(path))
        try:
            yield from _read_note(note, name)
        except BadInput as error:
            if note == path:
                raise
            yield Problem(name, str(error))


def chunks(text: str) -> Iterator[str]:
    """Whole paragraphs put together up to CHUNK characters; a longer paragraph is cut between sentences or words."""
    held = ""
    for paragraph in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        for piece in _pieces(paragraph.strip()):
            if held and len(held) + len(piece) + 2 > CHUNK:
                yield held
                held = ""
            held = f"{held}\n\n{piece}" if held else piece
    if held:
        yield held


def _pieces(paragraph: str) -> Iterator[str]:
    while len(paragraph) > CHUNK:
        window = paragraph[:CHUNK]
        ends = [m.end() for m in re.finditer(r"[.!?\n]\s", window)] or [
            m.end() for m in re.finditer(r"\s", window)
        ]
        cut = ends[-1] if ends and ends[-1] > CHUNK // 4 else CHUNK
        yield paragraph[:cut].strip()
        paragraph = paragraph[cut:].strip()
    if paragraph:
        yield paragraph


def _notes(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            note = Path(place) / name
            if name.lower().endswith(NOTE_SUFFIXES) and not name.startswith(".") and not note.is_symlink():
                yield note


def _read_note(note: Path, name: str) -> Iterator[Turn]:
    text = read_text(note)
    front = FRONT_MATTER.match(text)
    fields = _fields(front[1]) if front else {}
    title = str(fields.get("title") or note.stem)
    moment = _date(fields) or _changed(note)
    extra: dict[str, Any] = {"path": str(note.absolute()), "title": title}
    if fields.get("tags"):
        extra["tags"] = fields["tags"]
    place = 0
    for headings, body in _sections(text[front.end() :] if front else text):
        for chunk in chunks(body):
            place += 1
            refers = tuple(dict.fromkeys(m.strip() for m in WIKI_LINK.findall(chunk)))
            context = " > ".join(dict.fromkeys([title, *headings]))
            yield _chunk(chunk, name, place, moment, context=context, refers_to=refers, extra=extra)


def _chunk(text: str, name: str, place: int, moment: datetime, **more: Any) -> Turn:
    return Turn(
        text,
        f"{name}, part {place}",
        time=moment,
        session=name,
        kind=Kind.RESOURCE,
        source=Source.USER_FILE,
        **more,
    )


def _sections(text: str) -> Iterator[tuple[list[str], str]]:
    """Bodies with the headings above them; code fences are left alone."""
    path: list[tuple[int, str]] = []
    body: list[str] = []
    fenced = False
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
        found = None if fenced else HEADING.match(line)
        if found is None:
            body.append(line)
            continue
        yield [title for _, title in path], "\n".join(body)
        path = [(level, title) for level, title in path if level < len(found[1])] + [
            (len(found[1]), found[2])
        ]
        body = [line]
    yield [title for _, title in path], "\n".join(body)


def _fields(front_matter: str) -> dict[str, Any]:
    """The few shapes of YAML that notes use: `key: value`, `key: [a, b]` and a dashed list under a key."""
    fields: dict[str, Any] = {}
    key = ""
    for line in front_matter.splitlines():
        if match := re.match(r"^([\w-]+):\s*(.*)$", line):
            key, value = match[1].lower(), match[2].strip()
            listed = value.startswith("[") and value.endswith("]")
            fields[key] = [_bare(v) for v in value[1:-1].split(",") if v.strip()] if listed else _bare(value)
        elif (item := re.match(r"^\s*-\s+(.*)$", line)) and key:
            held = fields.get(key)
            fields[key] = [*(held if isinstance(held, list) else []), _bare(item[1])]
    tags = fields.get("tags")
    if isinstance(tags, str):
        fields["tags"] = [t for t in re.split(r"[,\s]+", tags) if t]
    return fields


def _bare(value: str) -> str:
    return value.strip().strip("\"'").lstrip("#")


def _date(fields: dict[str, Any]) -> datetime | None:
    for key in ("date", "created", "time"):
        try:
            if moment := parse_time(fields.get(key)):
                return moment
        except ValueError:
            continue  # a note's own date format; the file's date stands in
    return None


def _changed(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime).astimezone()
