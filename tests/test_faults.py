"""Failing disks and kill -9, everywhere: a selection here, every call of every scenario with `make soak`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from faults import POINTS, SCENARIOS

from storage.files import FAULT_POINTS

HERE = Path(__file__).parent
ACTIONS = ("kill", "EIO", "ENOSPC", "memory")
COUNTED = frozenset(
    """
    write pwrite64 writev sendfile fsync fdatasync ftruncate rename link unlink openat mkdir rmdir chmod fchmod fchown
    """.split()
)
"""What tests/faulty.c lets go wrong; it takes an `openat` that makes or empties a file."""
QUIET = frozenset(
    """
    read pread64 lseek close fcntl flock ioctl getdents64 mmap access readlink
    stat lstat fstat newfstatat statx statfs fstatfs
    """.split()
)
"""What changes no file that outlives the process: the only one that is mapped for writing is SQLite's -shm."""


def lived_through(
    folder: Path, *arguments: str, preload: Path | None = None, under: Sequence[str] = ()
) -> list[dict[str, Any]]:
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE}", "OMP_NUM_THREADS": "1"}
    if preload is not None:
        environment["LD_PRELOAD"] = str(preload)
    command = [*under, sys.executable, str(HERE / "faults.py"), str(folder), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="session")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that stands between a process and its disk."""
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs a C compiler, on Linux")
    library = tmp_path_factory.mktemp("faulty") / "faulty.so"
    subprocess.run(
        [compiler, "-shared", "-fPIC", "-O1", "-o", library, HERE / "faulty.c", "-ldl"], check=True
    )
    return library


def test_every_named_point_is_met_and_survived(tmp_path: Path) -> None:
    [found] = lived_through(tmp_path, "points", "kill")
    assert found["wrong"] == []
    assert [point for point, _ in found["met"]] == list(POINTS)


def test_the_list_of_points_is_that_of_the_code() -> None:
    code = "".join(path.read_text() for path in (HERE.parent / "storage").glob("*.py"))
    assert sorted(set(re.findall(r'(?:fault|_sync)\((?:[\w.]+, )?"(\w+\.\w+)"', code))) == sorted(
        FAULT_POINTS
    )


@pytest.mark.soak
@pytest.mark.skipif("MEM_SOAK" not in os.environ, reason="long: `make soak`")
@pytest.mark.parametrize("name", SCENARIOS)
def test_no_call_that_changes_a_file_is_left_out(tmp_path: Path, name: str) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    trace = tmp_path / "trace"
    lived_through(
        tmp_path, "once", name, under=(strace, "-f", "-y", "-e", "trace=file,desc", "-o", str(trace))
    )
    mine = [line for line in trace.read_text(errors="replace").splitlines() if f"{tmp_path}/act/" in line]
    calls = {
        found[1] for line in mine if " = -1 E" not in line and (found := re.match(r"\d+ +(\w+)\(", line))
    }
    assert "fsync" in calls
    assert calls - COUNTED <= QUIET


@pytest.mark.parametrize("name", SCENARIOS)
def test_some_calls_that_change_a_file(tmp_path: Path, faulty: Path, name: str) -> None:
    [found] = lived_through(tmp_path, "9", name, preload=faulty)
    assert found["wrong"] == []
    assert found["died"] > 0


@pytest.mark.soak
@pytest.mark.skipif("MEM_SOAK" not in os.environ, reason="long: `make soak`")
def test_every_named_point_in_every_way(tmp_path: Path) -> None:
    [found] = lived_through(tmp_path, "points", *ACTIONS)
    assert found["wrong"] == []
    assert {tuple(met) for met in found["met"]} >= {(p, "kill") for p in POINTS}


@pytest.mark.soak
@pytest.mark.skipif("MEM_SOAK" not in os.environ, reason="long: `make soak`")
@pytest.mark.parametrize("name", SCENARIOS)
def test_every_call_that_changes_a_file_in_every_way(tmp_path: Path, faulty: Path, name: str) -> None:
    [found] = lived_through(tmp_path, "0", name, preload=faulty)
    assert found["wrong"] == []
    assert found["runs"] == 5 * found["calls"]
