"""What scripts rely on: every command is there and explains itself, JSON keys are exact, each exit code is reached."""

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

from app.config import Home
from app.errors import StorageError
from app.open import open_memory
from cli import main
from cli.commands import COMMANDS
from cli.reference import every_command, man_page, reference

ROOT = Path(__file__).parents[1]
PROMISED = """
setup chat ask remember recall list show edit history pin unpin forget archive restore faded log undo replay verify
sleep daemon review profile tasks procedures sessions entities timeline stats import export doctor vault model sql
tui config
""".split()
SUB = {
    "daemon": {"start", "stop", "status", "run", "install", "uninstall"},
    "vault": {"set", "get", "list", "rm"},
    "model": {"list", "pull", "use", "info", "ps", "bench"},
    "config": {"get", "set", "path", "edit"},
}
HIT = {
    "id", "external_id", "kind", "text", "speaker", "session", "time", "valid_from", "valid_to", "score", "channels",
    "state", "strength", "trust", "sources",
}  # fmt: skip
JOB = {
    "name",
    "seconds",
    "read",
    "added",
    "superseded",
    "merged",
    "faded",
    "rejected",
    "model_calls",
    "tokens",
}


class TestCommands:
    def test_all_that_was_promised_is_there(self) -> None:
        assert set(PROMISED) <= set(COMMANDS)
        names = {name for name, _ in every_command()}
        assert {f"{group} {sub}" for group, subs in SUB.items() for sub in subs} <= names

    @pytest.mark.parametrize(
        ("name", "found"), every_command(), ids=lambda x: x if isinstance(x, str) else ""
    )
    def test_each_explains_itself_with_an_example(self, name: str, found: object) -> None:
        assert "Example: mem " + name.split(" ")[0] in (found.help or ""), name  # type: ignore[attr-defined]
        for parameter in found.params:  # type: ignore[attr-defined]
            assert parameter.help or parameter.name == "help", f"{name}: {parameter.name}"

    def test_each_takes_a_home(self) -> None:
        without = {"tui", "completion"} | set(SUB)
        for name, found in every_command():
            options = {o for p in found.params for o in p.opts}
            assert "--home" in options or name in without or hasattr(found, "commands"), name

    def test_the_reference_is_what_the_help_says(self) -> None:
        assert (ROOT / "docs" / "commands.md").read_text() == reference(), (
            "make it anew: python -m cli.reference > docs/commands.md"
        )
        assert (ROOT / "docs" / "mem.1").read_text() == man_page(), (
            "make it anew: python -m cli.reference man > docs/mem.1"
        )


class TestBatch:
    def test_one_result_per_query_in_order_with_the_promised_keys(self, mem: Mem, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text(
            '{"text": "I adopted a cat called Miso", "speaker": "me", "session": "s1", "id": "D1:3",'
            ' "time": "2024-03-02T18:05:00+01:00"}\n{"text": "The weather is dull", "id": "D1:4", "session": "s1",'
            ' "time": "2024-03-02T18:06:00+01:00"}\n'
        )
        mem("import", str(tmp_path / "a.jsonl"))
        queries = [
            {"id": "q1", "query": "a cat called Miso", "k": 20, "now": "2024-05-01T00:00:00Z", "kind": None},
            {"query": "weather", "as_of": None},
            {"id": 3, "query": "cat", "k": 1},
        ]  # fmt: skip
        done = mem("recall", "--batch", "-", "--json", stdin="".join(json.dumps(q) + "\n" for q in queries))
        first, second, third = (json.loads(line) for line in done.out.splitlines())

        assert done.code == 0
        assert set(first) == {"id", "abstain", "ms", "hits"}
        assert [r["id"] for r in (first, second, third)] == ["q1", None, "3"]
        hit = next(h for h in first["hits"] if h["external_id"] == "D1:3")
        assert set(hit) == HIT
        assert (hit["external_id"], hit["sources"], hit["speaker"], hit["session"]) == (
            "D1:3",
            ["D1:3"],
            "me",
            "s1",
        )
        assert hit["time"] == "2024-03-02T18:05:00+01:00"
        assert 0 < hit["strength"] <= 1
        assert len(third["hits"]) == 1

    def test_from_a_file_and_with_bad_lines(self, mem: Mem, tmp_path: Path) -> None:
        mem("remember", "hello there")
        (tmp_path / "q.jsonl").write_bytes(
            b'{"query": "hello"}\n\nrubbish\n{"query": 3}\n{"query": "x", "k": 0}\n\xff\n'
        )
        done = mem("recall", "--batch", str(tmp_path / "q.jsonl"), "--json")
        results = [json.loads(line) for line in done.out.splitlines()]

        assert done.code == 9
        assert [("error" in r) for r in results] == [False, True, True, True, True]
        assert results[1]["error"].startswith("line 3: not JSON")
        assert mem("recall", "--batch", str(tmp_path / "none")).code == 9


class TestRecall:
    def test_context_is_what_a_prompt_would_hold(self, mem: Mem) -> None:
        id = mem("remember", "I adopted a cat called Miso", "--json").json["id"]
        block = mem("recall", "--context", "which cat", "--budget", "200", "--json").json

        assert set(block) == {"text", "tokens", "sources"}
        assert "Miso" in block["text"]
        assert block["sources"] == [id]
        assert 0 < block["tokens"] <= 200

    def test_about_names_a_person(self, mem: Mem) -> None:
        mem("remember", "Anna lives in Bergen")
        mem("remember", "Bo lives in Oslo")

        hits = mem("recall", "who lives where", "--about", "Bo", "--json").json["hits"]
        assert [h["text"] for h in hits] == ["Bo lives in Oslo"]

    @pytest.mark.parametrize("query", ["", " ", "\n"])
    def test_an_empty_question(self, mem: Mem, query: str) -> None:
        assert mem("recall", query).code == 2

    def test_a_megabyte_of_question_and_odd_characters(self, mem: Mem) -> None:
        mem("remember", "hello there")

        assert mem("recall", "-", stdin="hello " * 170_000).code in (0, 3)
        assert mem("recall", 'a" OR * NEAR(\x00) שלום 👩‍👩‍👧 hello', "--json").code in (0, 3)

    def test_why(self, mem: Mem) -> None:
        mem("remember", "I adopted a cat called Miso")
        out = mem("recall", "cat called Miso", "--why").out

        assert "score" in out
        assert "strength" in out


def test_sleep_keys(mem: Mem) -> None:
    mem("remember", "My name is Kim and I live in Bergen", "--session", "s")
    done = mem("sleep", "--json")

    assert done.code == 0
    assert {"run", "jobs", "interrupted"} <= set(done.json)
    assert all(set(job) >= JOB for job in done.json["jobs"])
    assert mem("sleep", "--report", "--json").json["run"] == done.json["run"]
    assert mem("sleep", "--report", done.json["run"], "--json").json == done.json
    assert mem("sleep", "--job", "daydream").code == 2
    assert mem("sleep", "--report", "nonsense").code == 3


def test_ask_keys(mem: Mem) -> None:
    mem("remember", "I adopted a cat called Miso")
    found = mem("ask", "Which cat did I adopt?", "--json").json

    assert {"answer", "abstained", "citations", "context_tokens", "timings", "model"} <= set(found)
    assert {"recall_ms", "first_token_ms", "total_ms"} <= set(found["timings"])


class TestExitCodes:
    def test_1_an_unexpected_failure_names_the_log_and_shows_no_traceback(
        self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def broken(name: str) -> None:
            raise ZeroDivisionError("nobody saw this coming")

        monkeypatch.setattr(main, "command", broken)
        done = mem("list")

        assert done.code == 1
        assert done.err.splitlines() == [
            "Unexpected failure: ZeroDivisionError: nobody saw this coming",
            f"Details are in {home / 'logs' / 'mem.log'}.",
        ]
        assert "Traceback" in (home / "logs" / "mem.log").read_text()
        monkeypatch.setenv("MEM_DEBUG", "1")
        with pytest.raises(ZeroDivisionError):
            mem("list")

    def test_4_a_store_from_a_newer_version(self, mem: Mem, home: Path) -> None:
        mem("remember", "x")
        memory = open_memory(Home(home, home))
        memory.store.connection.execute("PRAGMA user_version = 999")
        memory.close()
        done = mem("list")

        assert done.code == 4
        assert "newer version" in done.err
        assert len(done.err.splitlines()) == 2

    @pytest.mark.parametrize(
        "argv", [["nonsense"], ["list", "--loud"], ["list", "-n", "many"], ["show"], ["recall"]]
    )
    def test_2_wrong_usage(self, mem: Mem, argv: list[str]) -> None:
        done = mem(*argv)
        assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 2)

    @pytest.mark.parametrize(
        "argv", [["list"], ["recall", "anything"], ["show", "mzzz"], ["log"], ["sessions"], ["entities"], ["timeline"],
                 ["profile"], ["tasks"], ["procedures"], ["faded"], ["review"], ["undo"], ["vault", "list"]],
    )  # fmt: skip
    def test_3_nothing_found(self, mem: Mem, argv: list[str]) -> None:
        done = mem(*argv)
        assert (done.code, done.out, len(done.err.splitlines())) == (3, "", 2)

    def test_4_a_question_that_nobody_can_answer(self, mem: Mem) -> None:
        id = mem("remember", "x", "--json").json["id"]
        done = mem("forget", id)

        assert done.code == 4
        assert done.err.splitlines()[-2:] == [
            "This needs a yes, and nobody is at the keyboard.",
            "Add --yes.",
        ]

    def test_4_a_home_on_a_file(self, mem: Mem, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert mem("list", "--home", str(tmp_path / "file")).code == 4

    def test_5_another_night_at_work(self, mem: Mem, home: Path) -> None:
        from storage.lock import WriterLock

        mem("remember", "x")
        lock = WriterLock(home / "night.lock")
        lock.acquire()
        assert mem("sleep").code == 5
        lock.release()
        assert mem("sleep").code == 0

    def test_6_a_damaged_store_says_what_the_doctor_does(self, mem: Mem, home: Path) -> None:
        mem("remember", "x")
        (home / "mem.db").write_bytes(b"SQLite format 3\x00" + b"\xa5" * 8000)
        for name in ("mem.db-wal", "mem.db-shm"):
            (home / name).unlink(missing_ok=True)
        done = mem("list")

        assert done.code == 6
        assert "mem doctor" in done.err
        assert mem("doctor").code == 6

    def test_7_a_missing_model_says_how_to_fetch_it(
        self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MEM_MODELS", str(home / "none"))
        (home / "config.toml").write_text('[models]\nchat = "qwen2.5-coder-0.5b"\nembed = "fake"\n')
        mem("remember", "I adopted a cat called Miso")
        done = mem("ask", "Which cat did I adopt?")

        assert done.code == 7
        assert "mem model pull qwen2.5-coder-0.5b" in done.err

    def test_8_a_wrong_key(self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        mem("config", "set", "encryption.mode", "passphrase")
        monkeypatch.setenv("MEM_PASSPHRASE", "correct horse")
        assert mem("remember", "x").code == 0
        assert b"SQLite" not in (home / "mem.db").read_bytes()[:16]
        monkeypatch.setenv("MEM_PASSPHRASE", "wrong horse")
        assert mem("list").code == 8
        monkeypatch.delenv("MEM_PASSPHRASE")
        assert mem("list").code == 8

    def test_9_a_bad_file(self, mem: Mem, tmp_path: Path) -> None:
        assert mem("import", str(tmp_path / "none.jsonl")).code == 9

    def test_130_interrupted(self, home: Path) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "recall", "--batch", "-"],
            cwd=ROOT,
            env={**os.environ, "MEM_HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stdin and process.stdout
        process.stdin.write('{"query": "x"}\n')
        process.stdin.flush()
        assert process.stdout.readline()  # it is at work
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)

        assert process.returncode == 130
        assert "Traceback" not in err

    def test_every_error_class_has_its_code(self) -> None:
        assert len(dict(main.EXIT_CODES)) == len(main.EXIT_CODES)
        assert {code for _, code in main.EXIT_CODES} == {2, 3, 4, 5, 6, 7, 8, 9}
        assert main.run(["list", "--home", "\x00"]) != 0
        assert issubclass(main.StoreLocked, StorageError)


def test_a_reader_that_goes_away_is_no_error(home: Path, mem: Mem) -> None:
    for number in range(3):
        mem("remember", f"note {number} " + "words " * 5000)
    done = subprocess.run(
        f"{sys.executable} -m cli list --json | head -c 10; echo ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=ROOT,
        env={**os.environ, "MEM_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stderr == ""
    assert done.stdout.splitlines()[-1].endswith("0")
