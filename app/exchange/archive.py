"""Exports that come as a zip, a folder or a single file: their members, read in memory and within bounds.

Nothing is ever unpacked to the disk, so names with ../ and links inside an archive lead nowhere.
"""

from __future__ import annotations

import codecs
import json
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatch
from pathlib import Path
from typing import IO, Any

from app.errors import BadInput
from app.exchange.items import MAX_FILE, Item, Problem, open_binary

MAX_ITEM = 64 * 2**20  # characters of one element of a JSON array, such as one whole conversation
MAX_MEMBERS = 10_000
CHUNK = 1 << 16


def members(path: Path, pattern: str) -> Iterator[str]:
    """Names of the files in the folder or zip at `path` that fit the pattern, in order; a single file is its own.

    Raises BadInput.
    """
    if path.is_dir():
        found = [p.name for p in path.iterdir() if p.is_file() and not p.is_symlink()]
    elif is_archive(path):
        with _opened(path) as archive:
            if len(archive.infolist()) > MAX_MEMBERS * 10:
                raise BadInput(f"{path} holds too many files.", "This is no export that can be read.")
            found = [info.filename for info in archive.infolist() if not info.is_dir()]
    else:
        yield path.name
        return
    yield from sorted(name for name in found if fnmatch(name.rsplit("/", 1)[-1].lower(), pattern))[
        :MAX_MEMBERS
    ]


def is_archive(path: Path) -> bool:
    """Whether it is, or claims to be, a zip."""
    return path.is_file() and (path.suffix.lower() == ".zip" or zipfile.is_zipfile(path))


@contextmanager
def member(path: Path, name: str) -> Iterator[IO[bytes]]:
    """The bytes of one of `members`. Raises BadInput where it is larger than can be read."""
    if path.is_dir():
        with open_binary(path / name) as file:
            yield file
    elif is_archive(path):
        with _opened(path) as archive:
            info = archive.getinfo(name)
            if info.flag_bits & 0x1:
                raise BadInput(f"{name} in {path.name} is encrypted.", "Unpack it first.")
            with archive.open(info) as file:
                yield file
    else:
        with open_binary(path) as file:
            yield file


def array_items(path: Path, name: str) -> Iterator[tuple[str, Any]]:
    """The elements of the JSON array in a member, one at a time, as (place, value or Problem).

    Where the text is damaged or cut, a Problem ends it: what came before is good.
    """
    decoder = json.JSONDecoder()
    number = 0
    with member(path, name) as file:
        reader = _Reader(file)
        while True:
            place = f"{name}, item {number + 1}"
            try:
                value = reader.next_value(decoder, first=number == 0)
            except (ValueError, RecursionError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
                yield place, Problem(place, f"damaged from here on: {error}")
                return
            if value is _END:
                return
            number += 1
            yield place, value


_END = object()


class _Reader:
    """Decodes an array piece by piece, so that a long export needs the memory of one conversation."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._text = ""
        self._read = 0
        self._ended = False

    def next_value(self, decoder: json.JSONDecoder, *, first: bool) -> Any:
        """The next element, or _END. Raises ValueError and what reading raises."""
        if first and self._next_character() != "[":
            raise ValueError("not a JSON array")
        if first or self._next_character() == ",":
            self._text = self._text.lstrip()[1:]
        if self._next_character() == "]":
            return _END
        self._text = self._text.lstrip()
        while True:
            try:
                value, end = decoder.raw_decode(self._text)
            except json.JSONDecodeError:
                if self._ended or len(self._text) > MAX_ITEM:
                    raise
                self._fill(len(self._text))  # as much again: the work stays in proportion to the length
                continue
            self._text = self._text[end:]
            return value

    def _next_character(self) -> str:
        while not self._text.strip():
            if self._ended:
                raise ValueError("it ends in the middle")
            self._fill(CHUNK)
        return self._text.lstrip()[0]

    def _fill(self, least: int) -> None:
        data = self._file.read(max(CHUNK, least))
        self._read += len(data)
        if self._read > MAX_FILE * 8:
            raise ValueError(f"more than {MAX_FILE * 8 // 2**30} GB")
        self._ended = not data
        self._text += self._decode.decode(data, final=self._ended)


def conversations(path: Path, read: Callable[[Any, str], Iterable[Item]]) -> Iterator[Item]:
    """What `read` makes of each conversation in a zip, a folder or a conversations.json. Raises BadInput.

    One that it cannot read becomes a Problem, and the rest goes on.
    """
    for name in members(path, "conversations*.json"):
        for place, value in array_items(path, name):
            if isinstance(value, Problem):
                yield value
                continue
            try:
                yield from read(value, place)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                yield Problem(place, f"not a conversation: {error}")


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        archive = zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadInput(f"{path} is damaged: {error}.", "Download or copy the export again.") from error
    with archive:
        yield archive
