"""The daemon's language: lines in and out, whose socket it is, paths longer than the kernel takes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app import wire
from app.events import Answered, Evidence, Recalled, Reminded, Said, from_dict, to_dict

ECHO = b'{"n": 1}\n{"n": 2, "done": true}\n'


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[None]:
    """A socket at `path` whose first client gets `answer`, whatever it asks."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with wire.address(path) as name:
        listener.bind(name)
    listener.listen()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.makefile("rb").readline()
            connection.sendall(answer)

    thread = threading.Thread(target=serve)
    thread.start()
    yield
    thread.join()
    listener.close()


def test_an_answer_is_the_lines_up_to_the_closing_one(tmp_path: Path) -> None:
    with answering(tmp_path / "s", ECHO):
        assert list(wire.call(tmp_path / "s", {"op": "x"})) == [{"n": 1}, {"n": 2, "done": True}]


@pytest.mark.parametrize("answer", [b"", b'{"n": 1}\n', b"no json\n", b"[1]\n", b'{"half": '])
def test_a_daemon_that_dies_in_the_middle_is_told_from_one_that_is_not_there(
    tmp_path: Path, answer: bytes
) -> None:
    with answering(tmp_path / "s", answer), pytest.raises(wire.Failed) as caught:
        wire.ask(tmp_path / "s", {"op": "x"})
    assert caught.value.kind == "Gone"


def test_an_error_keeps_its_class_and_its_hint(tmp_path: Path) -> None:
    line = b'{"error": {"kind": "StoreLocked", "message": "busy", "hint": "wait"}}\n'
    with answering(tmp_path / "s", line), pytest.raises(wire.Failed) as caught:
        wire.ask(tmp_path / "s", {"op": "x"})
    assert (caught.value.kind, str(caught.value), caught.value.hint) == ("StoreLocked", "busy", "wait")


def test_nobody_there_and_a_socket_left_behind_are_no_daemon(tmp_path: Path) -> None:
    with pytest.raises(wire.NoDaemon):
        wire.connect(tmp_path / "none")
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(tmp_path / "left"))
    left.close()
    with pytest.raises(wire.NoDaemon):
        wire.connect(tmp_path / "left")
    (tmp_path / "file").write_text("no socket")
    with pytest.raises(wire.NoDaemon):
        wire.connect(tmp_path / "file")


def test_a_path_longer_than_the_kernel_takes_still_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30) / ("longer" * 20)
    folder.mkdir(parents=True)
    before = Path.cwd()
    with answering(folder / "mem.sock", ECHO):
        assert wire.ask(folder / "mem.sock", {"op": "x"})["n"] == 2
    assert Path.cwd() == before


def test_the_other_end_is_known_by_its_user(tmp_path: Path) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    assert wire.peer_uid(one) == os.getuid()
    one.close()
    other.close()


def test_events_cross_the_wire_unchanged() -> None:
    moment = datetime(2024, 3, 2, tzinfo=UTC)
    for event in (
        Said("sagt „ja“"),
        Recalled((Evidence("m2", "text", moment, speaker="me", current=False),), "a question", 1.5, 30),
        Reminded("m3", "call", moment),
        Reminded("m3", "call", None),
        Answered("Yes [m2].", ("m2",), ("m2",), ("m4", "m5"), abstained=True, model="x"),
    ):
        assert from_dict(to_dict(event)) == event
    assert from_dict({"event": "Said", "piece": "x", "new": 1}) == Said("x")


def test_importing_the_client_costs_nothing_heavy() -> None:
    code = "import sys, app.wire; print(*(m for m in ('numpy', 'sqlcipher3', 'typer', 'asyncio') if m in sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
