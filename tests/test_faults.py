"""Failing disks and kill -9, everywhere: a selection here, every call of every scenario with `make soak`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from faults import POINTS, SCENARIOS

HERE = Path(__file__).parent
ACTIONS = ("kill", "EIO", "ENOSPC", "memory")


def lived_through(folder: Path, *arguments: str, preload: Path | None = None) -> list[dict[str, Any]]:
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parent}:{HERE}", "OMP_NUM_THREADS": "1"}
    if preload is not None:
        environment["LD_PRELOAD"] = str(preload)
    command = [sys.executable, str(HERE / "faults.py"), str(folder), *arguments]
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
