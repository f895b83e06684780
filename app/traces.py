"""The proof that something was forgotten: every place of a home that keeps words, searched for those that went."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from app.config import Home
from app.memory import Memory
from app.records import Record
from storage.check import checkpoint, full_text_problem, vector_problems
from storage.scrub import tables_holding

BLOCK = 1 << 20
RARE_WORD = re.compile(r"\w{5,}")
KINDS = ("store and its log", "index files", "prompt states", "logs", "backups", "other files")


@dataclass(frozen=True, slots=True)
class Place:
    """A kind of place: how many files or tables of it were searched, and in which the words still stand."""

    name: str
    searched: int
    found: tuple[str, ...]


def places(memory: Memory, records: Sequence[Record]) -> list[Place]:
    """Search for the words of `records`, which were erased; it is proven where nothing was found in any place.

    Looked for are the texts and those of their words that no other memory has; a packed backup is unpacked for it. In
    an encrypted home the files tell nothing, and the tables are the proof.
    """
    db, words = memory.store.connection, telling_words(memory, records)
    checkpoint(db, memory.store.path)
    tables, holding = tables_holding(db, words)
    files: dict[str, list[Path]] = {kind: [] for kind in KINDS}
    for path in sorted(memory.home.path.rglob("*")):
        if path.is_file() and not path.is_symlink():
            files[_kind(memory.home, path)].append(path)
    return [
        Place("tables and journal", tables, tuple(holding)),
        Place("full text", 1, tuple(filter(None, [full_text_problem(db)]))),
        Place("vectors", 1, tuple(vector_problems(db))),
        *(
            Place(kind, len(here), tuple(p.name for p in here if words_in(p, words)))
            for kind, here in files.items()
        ),
    ]


def telling_words(memory: Memory, records: Sequence[Record]) -> list[str]:
    """The texts of erased records, and their longer words, without what another memory says too."""
    return list(dict.fromkeys(words for record in records for words in _telling(memory, record.text)))


def words_in(path: Path, words: Sequence[str]) -> set[str]:
    """Those of `words` that stand in a file's bytes, in any case of letters; none where there is no file any more."""
    wanted = {words_: words_.lower().encode() for words_ in words}
    overlap = max(map(len, wanted.values()), default=0)
    found: set[str] = set()
    # What is no whole archive is read as far as it goes.
    with suppress(FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error), _reading(path) as file:
        held = b""
        while block := file.read(BLOCK):
            held = held[-overlap:] + block.lower() if overlap else block.lower()
            found |= {words_ for words_, raw in wanted.items() if raw in held}
    return found


def _telling(memory: Memory, text: str) -> Iterator[str]:
    if len(text) >= 8 and not _still_said(memory, text):
        yield text
    for word in dict.fromkeys(w.lower() for w in RARE_WORD.findall(text)):
        if not _still_said(memory, word):
            yield word


def _still_said(memory: Memory, words: str) -> bool:
    quoted = " ".join(re.findall(r"\w+", words))
    return bool(quoted) and bool(memory.store.search_text(f'"{quoted}"', 1))


def _reading(path: Path) -> IO[bytes]:
    return cast(IO[bytes], gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _kind(home: Home, path: Path) -> str:
    """Which of KINDS a file of the home is."""
    if path.name.startswith(f"{home.database.name}.before-restore-"):
        return "backups"
    if path.name.startswith(home.database.name):
        return "store and its log"
    folders = {home.path / "index": "index files", home.path / "prefix": "prompt states", home.logs: "logs"}
    folders[home.backups] = "backups"
    return next((name for folder, name in folders.items() if folder in path.parents), "other files")
