"""The daemon's language: JSON lines over a Unix socket in the home folder. Standard library only, cheap to import.

A request is one line, {"op": "recall", ...}. The answer is any number of lines, the last one with "done": true
or with "error": {"kind", "message", "hint"}. While an answer streams, the line {"op": "hush"} ends it early.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAX_LINE = 16 * 1024 * 1024  # bytes; a longer line is no request of ours
CONNECT_SECONDS = 0.5
LONGEST_PATH = 100  # bytes; the kernel's limit is 104 or 108

Values = dict[str, Any]


class NoDaemon(Exception):
    """Nobody answers at the socket: the caller does the work itself."""


class Failed(Exception):
    """The daemon answered with an error; `kind` is the name of its class."""

    def __init__(self, kind: str, message: str, hint: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.hint = hint


class Line:
    """One connection: sends and receives JSON lines."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = connection.makefile("rb")

    def send(self, values: Mapping[str, Any]) -> None:
        """Write one line. Raises OSError when the other side is gone."""
        self._connection.sendall(json.dumps(values, ensure_ascii=False).encode(errors="replace") + b"\n")

    def receive(self) -> Values | None:
        """The next line; None at the end. Raises ValueError for what is no JSON object or too long."""
        raw = self._reader.readline(MAX_LINE + 1)
        if not raw:
            return None
        if len(raw) > MAX_LINE:
            raise ValueError("the line is too long")
        values = json.loads(raw)
        if not isinstance(values, dict):
            raise ValueError("not a JSON object")
        return values

    def close(self) -> None:
        """Hang up."""
        self._reader.close()
        self._connection.close()


def connect(path: Path, timeout: float | None = None) -> Line:
    """Reach the daemon at this socket. Raises NoDaemon where none of this user's answers."""
    if not path.exists():
        raise NoDaemon
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(CONNECT_SECONDS)
        with address(path) as name:
            connection.connect(name)
        if peer_uid(connection) != os.getuid():
            raise NoDaemon
        connection.settimeout(timeout)
    except OSError as error:
        connection.close()
        raise NoDaemon from error
    except NoDaemon:
        connection.close()
        raise
    return Line(connection)


def call(path: Path, request: Mapping[str, Any], timeout: float | None = None) -> Iterator[Values]:
    """Send a request and yield its answer lines, the closing one too. Raises NoDaemon before the first, Failed after.

    A daemon that dies in the middle raises Failed with kind "Gone".
    """
    line = connect(path, timeout)
    try:
        line.send(request)
        yield from answers(line)
    finally:
        line.close()


def answers(line: Line) -> Iterator[Values]:
    """The lines of one answer up to its end. Raises Failed."""
    while True:
        try:
            values = line.receive()
        except (OSError, ValueError) as error:
            raise Failed(
                "Gone", f"The daemon stopped answering: {error}.", "See `mem daemon status`."
            ) from error
        if values is None:
            raise Failed("Gone", "The daemon stopped in the middle of an answer.", "See `mem daemon status`.")
        if "error" in values:
            raise Failed(**{k: str(values["error"].get(k, "")) for k in ("kind", "message", "hint")})
        yield values
        if values.get("done"):
            return


def ask(path: Path, request: Mapping[str, Any], timeout: float | None = None) -> Values:
    """The closing line of an answer that does not stream. Raises NoDaemon, Failed."""
    *_, last = call(path, request, timeout)
    return last


@contextmanager
def address(path: Path) -> Iterator[str]:
    """A name for the socket that the kernel takes: its path, or a short one through its open folder."""
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if Path(f"/proc/self/fd/{folder}").exists():
            yield f"/proc/self/fd/{folder}/{path.name}"
        else:
            here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fchdir(folder)
                yield path.name
            finally:
                os.fchdir(here)
                os.close(here)
    finally:
        os.close(folder)


def peer_uid(connection: socket.socket) -> int:
    """The user id of the process at the other end, as the kernel knows it. Raises OSError."""
    if sys.platform == "linux":
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return int(struct.unpack("3i", raw)[1])
    # macOS and BSD: struct xucred at level SOL_LOCAL (0), option LOCAL_PEERCRED (1): version, uid, ...
    raw = connection.getsockopt(0, 1, 76)
    return int(struct.unpack_from("=II", raw)[1])
