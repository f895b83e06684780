"""What others on the same machine can reach of a home: nothing, whatever the umask, with the daemon running."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import service
from app.clock import now
from app.config import Config, Home, replaced, save_setting
from app.daemon import Daemon
from app.open import open_memory
from app.remote import RemoteAssistant
from bench.canaries import live

NOBODY = 65534


@pytest.fixture(scope="module")
def place() -> Iterator[Home]:
    """A home that has lived under umask 000, in a folder that everyone may enter, its daemon running."""
    before = os.umask(0)
    try:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            place = Home(Path(folder) / "home", Path(folder) / "models")
            place.create()
            for name in ("embed", "chat"):
                save_setting(place.config, f"models.{name}", "fake")
            memory = open_memory(
                place, replaced(replaced(Config(), "models.embed", "fake"), "models.chat", "fake")
            )
            live(memory, nights=1)
            memory.close()
            daemon = Daemon(place, now)
            thread = threading.Thread(target=daemon.serve)
            thread.start()
            while not service.status(place):
                time.sleep(0.01)
            list(RemoteAssistant(place, "s1").reply("My shoe size is 44.", now()))
            yield place
            daemon.stop()
            thread.join(20)
    finally:
        os.umask(before)


def everything(place: Home) -> list[Path]:
    return [place.path, *(p for p in place.path.rglob("*") if p.name != "old.state")]


def test_nothing_is_open_to_others(place: Home) -> None:
    found = everything(place)
    assert {"mem.db", "mem.sock", "config.toml", "backups", "logs"} <= {p.name for p in found}
    assert [p for p in found if stat.S_IMODE(p.stat().st_mode) & 0o077] == []


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # a fork beside threads, on newer Pythons
@pytest.mark.skipif(os.getuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("folder_mode", [0o700, 0o777], ids=["as it is", "opened by mistake"])
def test_another_user_is_refused(place: Home, folder_mode: int) -> None:
    paths = [p for p in everything(place) if not p.is_dir()]
    for folder in (p for p in everything(place) if p.is_dir()):
        folder.chmod(folder_mode)
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os._exit(sum(map(reached, paths)))
    got = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    for folder in (p for p in everything(place) if p.is_dir()):
        folder.chmod(0o700)
    assert len(paths) > 5
    assert got == 0


def reached(path: Path) -> bool:
    """Whether this process may read a file, or call a socket."""
    try:
        if path.name == "mem.sock":
            with socket.socket(socket.AF_UNIX) as caller:
                caller.connect(str(path))
        else:
            path.open("rb").close()
    except PermissionError:
        return False
    return True
