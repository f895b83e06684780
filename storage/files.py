"""Files that survive a crash and that nobody else can read: replace, hash, sweep. Knows nothing of what is in them.

`fault` is where the crash tests step in; unless MEM_FAULT is set it does nothing.
"""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from storage.errors import StoreReadOnly

FAULT_POINTS = (
    "file.write",
    "file.fsync",
    "file.rename",
    "file.folder",
    "store.begin",
    "store.write",
    "store.commit",
    "store.committed",
    "schema.migrate",
    "index.add",
    "index.row",
    "index.sweep",
    "backup.copy",
    "backup.compress",
    "backup.verify",
    "backup.rotate",
    "restore.unpack",
    "restore.keep",
    "restore.swap",
)
"""Every place where a crash or a failing disk can be simulated. The names up to the dot say whose step it is."""

SUFFIX = ".tmp"


def fault(point: str) -> bool:
    """Fail here if the environment says so (MEM_FAULT=point:action); True asks the caller to write short.

    Actions: kill, EIO, ENOSPC, memory, short. Raises OSError or MemoryError, or never returns.
    """
    wanted, _, action = os.environ.get("MEM_FAULT", "").partition(":")
    if wanted != point:
        return False
    os.kill(os.getpid(), signal.SIGKILL if action == "kill" else 0)  # 0 does nothing
    if action == "memory":
        raise MemoryError(point)
    if action in ("EIO", "ENOSPC"):
        number = int(getattr(errno, action))
        raise OSError(number, os.strerror(number), point)
    return action == "short"


def make_private(folder: Path) -> Path:
    """Create the folder for its owner's eyes only, whatever the umask; returns it. Raises StoreReadOnly."""
    with _in_our_words(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    return folder


def private(path: Path) -> Path:
    """An empty file beside `path`, readable by its owner alone, which `sweep` removes when this process is gone."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}{SUFFIX}")
    temporary.unlink(missing_ok=True)
    os.close(os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    return temporary


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A private temporary file beside `path`, which takes its place, durably, when the block ends well.

    Raises StoreReadOnly when the disk does not take it; `path` is then as it was before.
    """
    with _in_our_words(path.parent):
        temporary = private(path)
        try:
            yield temporary
            if fault("file.write"):
                os.truncate(temporary, temporary.stat().st_size // 2)
            _sync(temporary, "file.fsync")
            fault("file.rename")
            temporary.rename(path)
            _sync(path.parent, "file.folder")
        except BaseException:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise


def write_atomic(path: Path, data: bytes) -> None:
    """Replace the contents of `path`: after a crash it holds all of the old or all of the new bytes."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def sha256(*paths: Path) -> str:
    """One digest over the files' contents in the order given. Raises OSError when one cannot be read."""
    import hashlib

    digest = hashlib.sha256()
    block = memoryview(bytearray(1 << 20))
    for path in paths:
        with path.open("rb", buffering=0) as file:
            while size := file.readinto(block):
                digest.update(block[:size])
    return digest.hexdigest()


def overwrite(file: IO[bytes]) -> None:
    """Write zeros over an open file's bytes: where the disk allows it, what stood there cannot be read again."""
    left = os.fstat(file.fileno()).st_size
    file.seek(0)
    while left > 0:
        left -= file.write(bytes(min(left, 1 << 20)))
    file.flush()
    os.fsync(file.fileno())


@contextmanager
def scratch(folder: Path) -> Iterator[Path]:
    """A folder in `folder` for its owner's eyes alone, of which nothing is left at the end: overwritten and removed.

    `sweep` does the same for one that a crash left. Raises StoreReadOnly.
    """
    inside = make_private(folder) / f".scratch.{os.getpid()}{SUFFIX}"
    _erase(inside)
    make_private(inside)
    try:
        yield inside
    finally:
        _erase(inside)


def _erase(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for inner in path.iterdir():
            _erase(inner)
        path.rmdir()
    elif path.exists() and not path.is_symlink():
        with path.open("r+b") as file:
            overwrite(file)
        path.unlink()
    else:
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> int:
    """Remove temporary files of processes that are gone, and what SQLite left beside them; returns how many."""
    removed = 0
    for path in sorted(folder.glob(f".*{SUFFIX}*")):
        pid = path.name.rpartition(SUFFIX)[0].rpartition(".")[2]
        if not (pid.isdigit() and _lives(int(pid))):
            _erase(path) if path.is_dir() else path.unlink(missing_ok=True)
            removed += 1
    return removed


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return error.errno == errno.EPERM  # it is somebody else's
    return True


def _sync(path: Path, point: str) -> None:
    fault(point)
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _in_our_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        hint = "Check the permissions of the folder and the free space of its disk; nothing was lost."
        raise StoreReadOnly(f"{folder} does not take writes: {error.strerror or error}.", hint) from error
