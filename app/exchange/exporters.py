"""Export: everything as JSON lines that another home takes in unchanged, or a book in Markdown for reading."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from app.memory import Memory
from app.present import zone
from app.records import Filter, Kind, Record
from storage.journal import state_hash
from storage.transfer import all_rows

VERSION = 1
FACTS = frozenset({Kind.CORE, Kind.SEMANTIC, Kind.PROCEDURAL, Kind.TASK})


def jsonl_lines(memory: Memory) -> Iterator[str]:
    """A header with the state hash, then one line per row of every table that the hash covers."""
    connection = memory.store.connection
    yield _line({"mem_export": VERSION, "state_hash": state_hash(connection)})
    for table, row in all_rows(connection):
        yield _line({"table": table, **row})


def book(memory: Memory, now: datetime) -> dict[str, str]:
    """The chapters of the book by file name: what is known, then a chapter for each month."""
    told = memory.store.records(Filter(kinds=frozenset(Kind) - FACTS), newest_first=False)
    months = {name: list(group) for name, group in groupby(told, lambda r: f"{_local(r):%Y-%m}")}
    chapters = {"README.md": _front(memory, list(months), now)}
    return chapters | {f"{name}.md": _month(name, records) for name, records in months.items()}


def write_book(chapters: dict[str, str], path: Path) -> list[Path]:
    """Write the chapters into the folder `path`, or as one file where its name ends in .md; returns the files."""
    if path.suffix == ".md":
        write_private(path, ("\n".join(chapters.values()),))
        return [path]
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, text in chapters.items():
        write_private(path / name, (text,))
    return [path / name for name in chapters]


def write_private(path: Path, pieces: Iterator[str] | tuple[str, ...]) -> int:
    """Write a file that only its user can read, whole or not at all; returns how many pieces it has."""
    from storage.files import replacing

    count = 0
    with replacing(path) as draft, draft.open("w", encoding="utf-8", errors="replace") as file:
        for piece in pieces:
            file.write(piece)
            count += 1
    return count


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def _front(memory: Memory, months: list[str], now: datetime) -> str:
    lines = [f"# What {memory.config.user.name} remembers", "", f"Written on {now:%Y-%m-%d}.", ""]
    for title, kind in (
        ("Portrait", Kind.CORE),
        ("Facts", Kind.SEMANTIC),
        ("How-to and lessons", Kind.PROCEDURAL),
        ("Tasks", Kind.TASK),
    ):
        records = memory.store.records(Filter(kinds=frozenset({kind})), newest_first=False)
        if records:
            lines += [f"## {title}", "", *(f"- {_words(r)}{_validity(r)}" for r in records), ""]
    if months:
        lines += ["## Months", "", *(f"- [{name}]({name}.md)" for name in months), ""]
    return "\n".join(lines)


def _month(name: str, records: list[Record]) -> str:
    lines = [f"# {name}", ""]
    for (date, session), group in groupby(records, lambda r: (f"{_local(r):%Y-%m-%d}", r.session or "")):
        lines += [f"## {date}{' · ' + _plain(session) if session else ''}", ""]
        for record in group:
            who = f"**{_plain(record.speaker)}** " if record.speaker else ""
            mark = " (summary)" if record.kind is Kind.GIST else ""
            quoted = record.text.replace("\r", "").replace("\n", "\n> ")
            lines += [f"{who}{_local(record):%H:%M}{mark}", "", f"> {quoted}", ""]
    return "\n".join(lines)


def _local(record: Record) -> datetime:
    return record.event_time.astimezone(zone(record.tz))


def _words(record: Record) -> str:
    return " ".join(record.text.split())


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("[", "(").replace("]", ")")


def _validity(record: Record) -> str:
    if record.valid_to is not None:
        return f" (until {record.valid_to:%Y-%m-%d})"
    return f" (since {record.valid_from:%Y-%m-%d})" if record.valid_from is not None else ""
