"""What importers yield: turns to keep, and problems to report. Importers are pure: a file in, items out, no store."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, TypeAlias, cast

from app.errors import BadInput
from app.records import Kind, Source

MAX_TEXT = 1_000_000  # characters of one turn; longer is a file, not something said
MAX_FILE = 512 * 2**20  # bytes that an importer which needs the whole file takes into memory


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing to keep. `time` None means the time of the import; `external_id` None means known by its content."""

    text: str
    place: str = ""  # where in the file, for reports: "line 3"
    speaker: str | None = None
    role: str = "user"
    time: datetime | None = None
    session: str | None = None
    external_id: str | None = None
    kind: Kind = Kind.EPISODIC
    source: Source = Source.IMPORTED
    context: str = ""
    refers_to: tuple[str, ...] = ()  # sessions (documents) that its words point at
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """By what it is known when it comes again: the caller's id, else a hash of its content."""
        if self.external_id is not None:
            return self.external_id
        dated = (
            self.time is not None and self.kind is not Kind.RESOURCE
        )  # a file's date says nothing of a part of it
        when = self.time.isoformat() if dated and self.time else ""
        parts = "\x1f".join((self.session or "", self.speaker or "", when, self.text))
        return "#" + hashlib.blake2b(parts.encode(errors="replace"), digest_size=9).hexdigest()


@dataclass(frozen=True, slots=True)
class Problem:
    """An item that could not be read; the rest goes in."""

    place: str
    reason: str


@dataclass(frozen=True, slots=True)
class Row:
    """One row of an export of this program, checked."""

    table: str
    values: Mapping[str, Any]
    place: str = ""


Item: TypeAlias = Turn | Row | Problem
Importer: TypeAlias = Callable[[Path], Iterator[Item]]


def open_binary(path: Path) -> IO[bytes]:
    """The file's bytes, unpacked where its name ends in .gz. Raises BadInput."""
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        return cast(IO[bytes], opened(path, "rb"))
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}.", "Check the name and the permissions."
        ) from error


def read_text(path: Path) -> str:
    """The whole file as text: UTF-8 or UTF-16 by its mark, else Western European. Raises BadInput."""
    with open_binary(path) as file:
        data = read_limited(file, path)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def read_limited(file: IO[bytes], path: Path, limit: int = MAX_FILE) -> bytes:
    """At most `limit` bytes. Raises BadInput when there are more (also when unpacking makes more), or on a broken
    file."""
    try:
        data = file.read(limit + 1)
    except (OSError, EOFError) as error:
        raise BadInput(f"{path} is damaged: {error}.", "Export or copy it again.") from error
    if len(data) > limit:
        raise BadInput(f"{path} holds more than {limit // 2**20} MB.", "Split it into smaller files.")
    return data


def parse_time(value: object) -> datetime | None:
    """An ISO 8601 text or seconds since 1970, aware; one without a zone is in this computer's. Raises ValueError."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"time {value!r} is neither text nor a number")
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            return moment.astimezone() if moment.tzinfo is None else moment
        return datetime.fromtimestamp(value).astimezone()
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"time {value!r} is not ISO 8601") from error
