"""Two commands at once, a full disk, a home that takes no writes, a kill in the middle: nothing kept is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import Mem

ROOT = Path(__file__).parents[1]


def start(home: Path, *argv: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli", *argv],
        cwd=ROOT,
        env={**os.environ, "MEM_HOME": str(home), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def lines(path: Path, name: str, count: int) -> Path:
    path.write_text(
        "".join(json.dumps({"text": f"{name} {n}", "id": f"{name}{n}"}) + "\n" for n in range(count))
    )
    return path


def test_several_first_commands_at_once(mem: Mem, home: Path, tmp_path: Path) -> None:
    files = [lines(tmp_path / f"{name}.jsonl", name, 700) for name in ("a", "b")]
    running = [start(home, "import", str(file)) for file in files]
    running += [start(home, "remember", f"by hand {n}") for n in range(3)]

    for process in running:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert mem("stats", "--json").json["memories"] == 1403
    assert mem("verify", "--json").json["ok"]


def test_the_same_import_twice_at_once_adds_each_turn_once(mem: Mem, home: Path, tmp_path: Path) -> None:
    file = lines(tmp_path / "a.jsonl", "a", 600)
    mem("list")
    for process in [start(home, "import", str(file)) for _ in range(2)]:
        process.communicate(timeout=60)
    assert mem("stats", "--json").json["memories"] == 600


def test_a_kill_in_the_middle_of_an_import_keeps_whole_batches_and_can_go_on(
    mem: Mem, home: Path, tmp_path: Path
) -> None:
    file = lines(tmp_path / "a.jsonl", "a", 4000)
    process = start(home, "import", str(file))
    for _ in range(400):
        if (
            (home / "mem.db").exists()
            and (found := mem("stats", "--json")).code == 0
            and found.json["memories"]
        ):
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=20)

    assert mem("verify", "--json").json["ok"]
    kept = mem("stats", "--json").json["memories"]
    again = mem("import", str(file), "--json").json
    assert again["added"] + kept == 4000
    assert again["known"] == kept


def test_a_disk_that_is_full_is_two_lines_and_loses_nothing(mem: Mem, home: Path) -> None:
    mem("remember", "kept")
    done = subprocess.run(
        f"ulimit -f 300; yes words | head -c 900000 | {sys.executable} -m cli remember -",  # 300 kB a file
        shell=True,
        executable="/bin/bash",
        cwd=ROOT,
        env={**os.environ, "MEM_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (4, "")
    assert len(done.stderr.splitlines()) == 2
    assert "does not take writes" in done.stderr
    assert [r["text"] for r in mem("list", "--json").json] == ["kept"]
    assert mem("verify", "--json").json["ok"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc, which takes no folders")
def test_a_home_where_nothing_can_be_made(mem: Mem) -> None:
    for argv in (
        ["remember", "x"],
        ["list"],
        ["import", "/etc/hostname"],
        ["setup", "--yes"],
        ["config", "set", "night.at", "1"],
    ):
        done = mem(*argv, "--home", "/proc/nowhere")
        assert (done.code, len(done.err.splitlines())) == (4, 2), done.err
    assert mem("--home", "/proc/nowhere").code == 0


def test_a_clock_set_back(mem: Mem, monkeypatch: pytest.MonkeyPatch) -> None:
    mem("remember", "from the future")
    monkeypatch.setenv("MEM_NOW", "2001-01-01T00:00:00+00:00")
    mem("remember", "from the past")

    assert mem("list").code == 0
    assert mem("recall", "from the past", "--json").json["hits"][0]["text"] == "from the past"
    assert mem("faded").code == 3
    assert mem("verify", "--json").json["ok"]


def test_a_locale_that_knows_no_such_letters_loses_none(mem: Mem, home: Path) -> None:
    poor = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    mem("list")
    _, err = start(home, "remember", "Grüße, 漢字", **poor).communicate(timeout=60)
    assert err == ""
    shown = subprocess.run(
        [sys.executable, "-m", "cli", "list", "--json"],
        cwd=ROOT,
        env={**os.environ, "MEM_HOME": str(home), **poor},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=True,
    )
    assert json.loads(shown.stdout)[0]["text"] == "Grüße, 漢字"
