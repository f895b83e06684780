"""Home screen, settings, models, doctor, SQL, vault and completion: what they say, and how they refuse."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Mem

from cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]


class TestHomeScreen:
    def test_an_empty_one_teaches_and_makes_nothing(self, mem: Mem, tmp_path: Path) -> None:
        done = mem("--home", str(tmp_path / "nowhere"))

        assert done.code == 0
        assert "none yet" in done.out
        assert 'mem remember "TEXT"' in done.out
        assert "mem import PATH" in done.out
        assert not (tmp_path / "nowhere").exists()

    @pytest.mark.parametrize("count", [0, 3])
    def test_it_fits_24_lines_of_80_columns(
        self, mem: Mem, monkeypatch: pytest.MonkeyPatch, count: int
    ) -> None:
        monkeypatch.setenv("COLUMNS", "80")
        for number in range(count):
            mem(
                "remember",
                f"{number} " + "a long memory " * 30,
                "--kind",
                ("semantic", "task", "core")[number],
            )

        lines = mem().out.splitlines()
        assert len(lines) <= 24
        assert max(map(len, lines)) <= 80

    def test_as_json(self, mem: Mem, home: Path) -> None:
        id = mem("remember", "hello", "--json").json["id"]
        found = mem("--json").json

        assert (found["memories"], found["kinds"], found["newest"]) == (1, {"episodic": 1}, id)
        assert (found["home"], found["chat"], found["daemon"]) == (
            str(home),
            {"model": "fake", "here": True},
            False,
        )
        assert (found["unembedded"], found["waiting"], found["reviews"], found["last_night"]) == (
            0,
            1,
            0,
            None,
        )

    def test_a_socket_that_a_killed_daemon_left_is_no_daemon(self, mem: Mem, home: Path) -> None:
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(home / "mem.sock"))

        assert mem("--json").json["daemon"] is False

    def test_a_home_may_stand_before_the_command(self, mem: Mem, tmp_path: Path) -> None:
        assert mem("--home", str(tmp_path / "b"), "config", "path").out.strip() == str(
            tmp_path / "b" / "config.toml"
        )

    @pytest.mark.parametrize("argv", [["--hom"], ["--home"], ["--json", "--loud"]])
    def test_odd_options(self, mem: Mem, argv: list[str]) -> None:
        assert mem(*argv).code == 2


class TestHelp:
    def test_the_listing_names_every_command(self, mem: Mem) -> None:
        out = mem("--help").out
        assert all(f"  {name} " in out for name in COMMANDS)
        assert max(map(len, out.splitlines())) <= 100

    def test_a_near_miss_is_guessed(self, mem: Mem) -> None:
        done = mem("remembr", "x")
        assert (done.code, done.err) == (2, "There is no command 'remembr'.\nDid you mean `mem remember`?\n")

    def test_version(self, mem: Mem) -> None:
        assert mem("--version").out.startswith("mem ")


class TestConfig:
    def test_set_and_get(self, mem: Mem) -> None:
        assert mem("config", "set", "night.at", "02:15").code == 0
        assert mem("config", "get", "night.at").out == "02:15\n"
        assert mem("config", "get", "--json").json["night.at"] == "02:15"
        assert mem("config", "get", "night.budget_seconds", "--json").json == {"night.budget_seconds": 1200}

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("night.att", "x"),
            ("nothing", "x"),
            ("night.budget_seconds", "soon"),
            ("forgetting.shape", "linear"),
        ],
    )
    def test_what_makes_no_sense_changes_nothing(self, mem: Mem, home: Path, key: str, value: str) -> None:
        before = (home / "config.toml").read_text()

        assert mem("config", "set", key, value).code == 2
        assert (home / "config.toml").read_text() == before

    def test_a_broken_file_is_named(self, mem: Mem, home: Path) -> None:
        (home / "config.toml").write_text("[night\n")
        done = mem("list")

        assert done.code == 2
        assert "config.toml cannot be read" in done.err
        assert "mem config edit" in done.err

    def test_an_edit_with_a_mistake_is_not_taken_over(
        self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = (home / "config.toml").read_text()
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", "sh -c 'echo broken [ > \"$0\"'")

        assert mem("config", "edit").code == 2
        assert (home / "config.toml").read_text() == before
        assert sorted(p.name for p in home.iterdir()) == ["config.toml"]


class TestModels:
    def test_list_and_info(self, mem: Mem) -> None:
        models = {m["id"]: m for m in mem("model", "list", "--json").json}

        assert models["minilm-int8"]["kind"] == "embed"
        assert models["qwen2.5-coder-1.5b"]["licence"] == "Apache-2.0"
        assert mem("model", "info", "qwen2.5-coder-1.5b", "--json").json["size"] == 1_117_320_768
        assert "32,768 tokens" in mem("model", "info", "qwen2.5-coder-1.5b").out

    def test_use_of_a_known_one_and_of_a_file(self, mem: Mem, tmp_path: Path) -> None:
        (tmp_path / "my.gguf").touch()

        assert mem("model", "use", str(tmp_path / "my.gguf")).code == 0
        assert mem("config", "get", "models.chat").out.strip() == str(tmp_path / "my.gguf")
        assert mem("model", "use", "minilm-fp32").code == 0
        assert mem("config", "get", "models.embed").out.strip() == "minilm-fp32"

    def test_unknown_ones(self, mem: Mem) -> None:
        assert mem("model", "info", "gpt-99").code == 7
        assert mem("model", "pull", "gpt-99", "--yes").code == 7
        assert mem("model", "use", "gpt-99").code == 2

    def test_fetching_needs_a_yes(self, mem: Mem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.setenv("MEM_MODELS", str(tmp_path / "models"))

        assert mem("model", "pull", "qwen3-8b").code == 4
        assert mem("setup", "--chat", "qwen3-8b").code == 4
        assert not (tmp_path / "models").exists()

    def test_a_file_that_is_not_the_model_is_refused(
        self, mem: Mem, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("MEM_MODELS", str(tmp_path / "models"))
        (tmp_path / "fake.gguf").write_bytes(b"GGUF but not this one")
        done = mem("model", "pull", "qwen2.5-coder-0.5b", "--file", str(tmp_path / "fake.gguf"))

        assert done.code == 7
        assert "sha256" in done.err
        assert mem("model", "info", "qwen2.5-coder-0.5b", "--json").json["installed"] is False

    def test_one_in_use_is_not_removed(self, mem: Mem) -> None:
        mem("model", "use", "minilm-fp32")
        assert mem("model", "rm", "minilm-fp32", "--yes").code == 4


class TestDoctor:
    def test_a_sound_home(self, mem: Mem) -> None:
        mem("remember", "hello")
        done = mem("doctor", "--json")

        assert done.code == 0
        checks = {c["name"]: c for c in done.json["checks"]}
        assert {
            "settings",
            "chat model",
            "embedder",
            "home",
            "disk",
            "database",
            "full text",
            "vectors",
        } <= set(checks)
        assert all(checks[name]["ok"] for name in ("database", "full text", "vectors", "embeddings"))

    def test_what_is_missing_has_one_line_that_brings_it(
        self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("MEM_MODELS", str(tmp_path / "none"))
        (home / "config.toml").write_text('[models]\nchat = "qwen2.5-coder-0.5b"\n')
        checks = {c["name"]: c for c in mem("doctor", "--json").json["checks"]}

        assert checks["chat model"]["remedy"] == "mem model pull qwen2.5-coder-0.5b"
        assert checks["embedder"]["remedy"] == "mem model pull minilm-int8"

    def test_fix_embeds_what_waited(self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (home / "config.toml").write_text("")
        monkeypatch.setenv("MEM_MODELS", str(home / "none"))
        mem("remember", "hello")
        (home / "config.toml").write_text('[models]\nembed = "fake"\n')

        assert mem("doctor", "--fix", "--json").json["repaired"] == ["1 memories were embedded"]
        assert mem("doctor", "--fix", "--json").json["repaired"] == []

    def test_fix_writes_a_lost_full_text_index_anew(self, mem: Mem, home: Path) -> None:
        mem("remember", "the red bicycle")
        break_full_text(home)

        assert mem("doctor").code == 6
        assert mem("verify").code == 6
        assert mem("doctor", "--fix").code == 0
        assert mem("verify").code == 0

    def test_a_home_that_others_can_read(self, mem: Mem, home: Path) -> None:
        mem("remember", "x")
        home.chmod(0o755)
        checks = {c["name"]: c for c in mem("doctor", "--json").json["checks"]}

        assert (checks["home"]["ok"], checks["home"]["remedy"]) == (False, f"chmod 700 {home}")

    def test_every_address_is_listed(self, mem: Mem) -> None:
        mem("config", "set", "models.server", "http://127.0.0.1:11434/v1")
        found = [a["address"] for a in mem("doctor", "--network", "--json").json]

        assert "http://127.0.0.1:11434/v1" in found
        assert any(a.startswith("https://huggingface.co/") for a in found)


def break_full_text(home: Path) -> None:
    from sqlcipher3 import dbapi2

    with dbapi2.connect(str(home / "mem.db")) as connection:
        connection.execute("INSERT INTO records_fts (records_fts) VALUES ('delete-all')")


class TestSql:
    def test_reads(self, mem: Mem) -> None:
        mem("remember", "hello")

        assert mem("sql", "SELECT kind, count(*) AS n FROM records GROUP BY kind", "--json").json == [
            {"kind": "episodic", "n": 1}
        ]
        assert mem("sql", "-", stdin="SELECT text FROM records").out == "TEXT\nhello\n"
        assert mem("sql", "SELECT 1 WHERE 0").code == 3

    @pytest.mark.parametrize(
        "query",
        [
            "DELETE FROM records",
            "INSERT INTO meta VALUES ('a', '1')",
            "PRAGMA writable_schema = 1",
            "ATTACH '{tmp}/evil.db' AS evil",
            "VACUUM INTO '{tmp}/evil.db'",
            "SELECT 1; DELETE FROM records",
            "SELEC 1",
            "",
        ],
    )
    def test_does_nothing_else(self, mem: Mem, query: str, tmp_path: Path) -> None:
        mem("remember", "hello")
        before = mem("verify", "--json").json["state_hash"]

        assert mem("sql", query.format(tmp=tmp_path)).code in (2, 3)
        assert mem("verify", "--json").json["state_hash"] == before
        assert not (tmp_path / "evil.db").exists()


class TestVault:
    def test_a_secret_goes_in_and_out_and_is_nowhere_else(
        self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("MEM_VAULT_PASSPHRASE", "correct horse")
        assert mem("vault", "set", "pin", stdin="9753-secret\n").code == 0

        assert mem("vault", "get", "pin").out == "9753-secret\n"
        assert [s["name"] for s in mem("vault", "list", "--json").json] == ["pin"]
        assert "9753" not in mem("export", "-").out
        assert all(b"9753-secret" not in p.read_bytes() for p in home.rglob("*") if p.is_file())
        monkeypatch.setenv("MEM_VAULT_PASSPHRASE", "wrong horse")
        assert mem("vault", "get", "pin").code == 8
        assert mem("vault", "rm", "pin").code == 4
        assert mem("vault", "rm", "pin", "--yes").code == 0
        assert mem("vault", "list").code == 3

    def test_without_a_passphrase_and_without_a_terminal(self, mem: Mem) -> None:
        assert mem("vault", "set", "pin", stdin="x").code == 4


class TestCompletion:
    def complete(self, words: str, home: Path) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "cli"],
            cwd=ROOT,
            env={
                **os.environ,
                "MEM_HOME": str(home),
                "_MEM_COMPLETE": "complete_bash",
                "COMP_WORDS": words,
                "COMP_CWORD": str(len(words.split(" ")) - 1),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        return done.stdout.split()

    def test_commands_ids_kinds_and_sessions(self, mem: Mem, home: Path) -> None:
        id = mem("remember", "hello", "--session", "garden", "--json").json["id"]

        assert self.complete("mem reme", home) == ["remember"]
        assert self.complete("mem show m", home) == [id]
        assert self.complete("mem list --kind se", home) == ["semantic"]
        assert self.complete("mem list --session g", home) == ["garden"]
        assert "--as-of" in self.complete("mem recall --a", home)

    def test_bash_itself_is_given_them_by_the_script(self, mem: Mem, home: Path) -> None:
        id = mem("remember", "hello", "--session", "garden", "--json").json["id"]
        asked = (
            'COMP_WORDS=(mem show m); COMP_CWORD=2; _mem_completion "$0"; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        script = mem("completion", "bash").out
        done = subprocess.run(
            ["bash", "-c", f"{script}\n{asked}", str(Path(sys.executable).with_name("mem"))],
            cwd=ROOT, env={**os.environ, "MEM_HOME": str(home)}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.split() == [id]

    def test_zsh_is_given_the_first_words_as_well(self, mem: Mem, home: Path) -> None:
        id = mem("remember", "hello there", "--session", "garden", "--json").json["id"]
        asked = {"_MEM_COMPLETE": "complete_zsh", "MEM_HOME": str(home)}
        for words, wanted in (("mem pin ", f'"{id}":"hello there"'), ("mem recall --session g", '"garden"')):
            done = subprocess.run(
                [sys.executable, "-m", "cli"],
                cwd=ROOT, env={**os.environ, **asked, "_TYPER_COMPLETE_ARGS": words},
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert wanted in done.stdout

    @pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
    def test_the_script_calls_mem(self, mem: Mem, shell: str) -> None:
        assert "_MEM_COMPLETE" in mem("completion", shell).out
        assert mem("completion", "abacus").code == 2

    def test_without_a_store_it_is_silent(self, tmp_path: Path) -> None:
        assert self.complete("mem show m", tmp_path / "none") == []
        assert not (tmp_path / "none").exists()


def test_a_plain_database_of_another_program_is_no_store(mem: Mem, home: Path) -> None:
    sqlite3.connect(home / "mem.db").execute("CREATE TABLE records (x)").connection.close()

    assert mem("list").code in (1, 6)
