"""Importing into a home and exporting from it: once each, whatever is broken, and back to the same state."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Mem, Result


def lines(*texts: str, **more: object) -> str:
    return "".join(json.dumps({"text": text, "session": "s", **more}) + "\n" for text in texts)


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    path = tmp_path / "chat.jsonl"
    path.write_text(lines("I moved to Bergen", "Anna has a red bicycle", "The ferns need water"))
    return path


class TestImport:
    def test_counts(self, mem: Mem, chat: Path) -> None:
        done = mem("import", str(chat), "--json")
        found = done.json

        assert done.code == 0
        assert found.pop("run").startswith("r")
        assert found == {
            "format": "jsonl", "read": 3, "added": 3, "known": 0, "forgotten": 0, "outdated": 0, "links": 0,
            "dry_run": False, "problems": [],
        }  # fmt: skip
        assert (
            mem("recall", "who has a bicycle", "--json").json["hits"][0]["text"] == "Anna has a red bicycle"
        )

    def test_twice_adds_nothing(self, mem: Mem, chat: Path) -> None:
        mem("import", str(chat))
        before = mem("verify", "--json").json["state_hash"]
        again = mem("import", str(chat), "--json").json

        assert (again["added"], again["known"], again["run"]) == (0, 3, None)
        assert mem("verify", "--json").json["state_hash"] == before

    def test_the_same_words_again_in_one_file_are_a_second_turn(self, mem: Mem, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text(lines("ok", "ok", "ok"))

        assert mem("import", str(tmp_path / "a.jsonl"), "--json").json["added"] == 3
        assert mem("import", str(tmp_path / "a.jsonl"), "--json").json["added"] == 0

    def test_the_same_id_in_another_session_is_another_turn(self, mem: Mem, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text(
            lines("one", id="1") + '{"text": "two", "id": "1", "session": "t"}\n'
        )

        assert mem("import", str(tmp_path / "a.jsonl"), "--json").json["added"] == 2

    def test_a_dry_run_leaves_nothing(self, mem: Mem, chat: Path) -> None:
        done = mem("import", str(chat), "--dry-run")

        assert done.out == "Would add 3 of 3 (jsonl).\n"
        assert mem("list").code == 3

    def test_bad_lines_are_named_and_the_rest_goes_in(self, mem: Mem, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_bytes(b'{"text": "one"}\nnonsense\n{"text": "two"}\n{"role": 1}\n')
        done = mem("import", str(tmp_path / "a.jsonl"), "--json")

        assert done.code == 9
        assert done.json["added"] == 2
        assert [p["place"] for p in done.json["problems"]] == ["line 2", "line 4"]
        assert "a.jsonl, line 2: not JSON" in done.err
        assert done.err.splitlines()[-2] == "2 items could not be read; the rest went in."

    def test_what_was_forgotten_does_not_come_back(self, mem: Mem, chat: Path) -> None:
        mem("import", str(chat))
        id = mem("recall", "bicycle", "--json").json["hits"][0]["id"]
        mem("forget", id, "--yes")
        again = mem("import", str(chat), "--json").json

        assert (again["added"], again["known"], again["forgotten"]) == (0, 2, 1)

    def test_imported_words_are_not_trusted_as_the_users_own(
        self, mem: Mem, chat: Path, tmp_path: Path
    ) -> None:
        (tmp_path / "note.md").write_text("# Mine\n\nMy own note")
        mem("import", str(chat))
        mem("import", str(tmp_path / "note.md"))

        assert {(r["kind"], r["trust"]) for r in mem("list", "--json").json} == {
            ("episodic", "imported"),
            ("resource", "user_file"),
        }

    def test_wiki_links_become_links(self, mem: Mem, tmp_path: Path) -> None:
        notes = tmp_path / "notes"
        notes.mkdir()
        (notes / "Garden.md").write_text("The wall has [[Roses|red ones]] and [[Nothing]].")
        (notes / "Roses.md").write_text("Roses want sun.")

        assert mem("import", str(notes), "--json").json["links"] == 1
        garden, roses = sorted(mem("list", "--json").json, key=lambda r: r["session"])
        (link,) = mem("show", garden["id"], "--json").json["links"]
        assert (link["from"], link["to"], link["kind"]) == (garden["id"], roses["id"], "similar")

    def test_a_note_that_changed_keeps_what_it_said_as_the_past(self, mem: Mem, tmp_path: Path) -> None:
        note = tmp_path / "plan.md"
        note.write_text("# Plan\n\nWe fly to Oslo.\n\n# Food\n\nBread.")
        mem("import", str(note))
        note.write_text("# Plan\n\nWe take the train to Bergen.\n\n# Food\n\nBread.")
        os.utime(note, (2_000_000_000, 2_000_000_000))
        again = mem("import", str(note), "--json").json

        assert (again["added"], again["known"], again["outdated"]) == (1, 1, 1)
        standing = {r["text"].split("\n")[-1]: r["valid_to"] for r in mem("list", "--json").json}
        assert standing["Bread."] is None
        assert standing["We take the train to Bergen."] is None
        assert standing["We fly to Oslo."] is not None
        note.write_text("# Plan\n\nWe fly to Oslo.")
        assert mem("import", str(note), "--json").json["outdated"] == 2
        standing = {r["text"].split("\n")[-1]: r["valid_to"] for r in mem("list", "--json").json}
        assert standing["We fly to Oslo."] is None
        assert mem("verify").code == 0

    def test_another_file_of_the_same_name_is_another_document(self, mem: Mem, tmp_path: Path) -> None:
        for folder in ("a", "b"):
            (tmp_path / folder).mkdir()
            (tmp_path / folder / "n.txt").write_text(f"words of {folder}")

        assert mem("import", str(tmp_path / "a" / "n.txt")).code == 0
        assert mem("import", str(tmp_path / "b" / "n.txt"), "--json").json["outdated"] == 0

    def test_watching_takes_in_what_changes(self, home: Path, tmp_path: Path) -> None:
        notes = tmp_path / "notes"
        notes.mkdir()
        (notes / "a.md").write_text("first")
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "import", str(notes), "--watch", "--json"],
            cwd=Path(__file__).parents[1],
            env={**os.environ, "MEM_HOME": str(home), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout
        assert json.loads(process.stdout.readline())["added"] == 1
        (notes / "b.md").write_text("second")
        assert json.loads(process.stdout.readline())["added"] == 1
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=20)
        assert process.returncode == 130

    def test_wrong_paths_and_formats(self, mem: Mem, tmp_path: Path, chat: Path) -> None:
        assert mem("import", str(tmp_path / "none")).code == 9
        assert mem("import", str(chat), "--format", "telepathy").code == 2
        (tmp_path / "empty.jsonl").touch()
        assert mem("import", str(tmp_path / "empty.jsonl")).code == 3
        (tmp_path / "locked.zip").write_bytes(b"PK\x03\x04 rubbish")
        assert mem("import", str(tmp_path / "locked.zip")).code == 9

    def test_nul_and_half_characters(self, mem: Mem, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text(
            '{"text": "a\\u0000b \\ud800 c", "speaker": "\\udfff", "id": "\\ud801"}\n'
        )

        assert mem("import", str(tmp_path / "a.jsonl")).code == 0
        assert mem("verify").code == 0
        assert mem("import", str(tmp_path / "a.jsonl"), "--json").json["known"] == 1


class TestExport:
    def fill(self, mem: Mem, chat: Path) -> None:
        mem("import", str(chat))
        fact = mem("remember", "Lives in Bergen", "--kind", "semantic", "--tag", "home", "--json").json["id"]
        mem("edit", fact, "--text", "Lives in Bergen, Norway")
        mem("pin", fact)
        gone = mem("remember", "a slip", "--json").json["id"]
        mem("forget", gone, "--yes")
        mem("remember", "the last one")

    def elsewhere(self, mem: Mem, tmp_path: Path, *argv: str) -> Result:
        other = tmp_path / "other"
        other.mkdir(exist_ok=True)
        (other / "config.toml").write_text('[models]\nchat = "fake"\nembed = "fake"\n')
        return mem(*argv, "--home", str(other))

    def test_json_lines_go_back_in_to_the_same_state_hash(self, mem: Mem, chat: Path, tmp_path: Path) -> None:
        self.fill(mem, chat)
        out = tmp_path / "all.jsonl"
        assert mem("export", str(out)).code == 0
        done = self.elsewhere(mem, tmp_path, "import", str(out), "--json")

        assert (done.code, done.json["format"], done.json["added"]) == (0, "mem", 5)
        here, there = mem("verify", "--json").json, self.elsewhere(mem, tmp_path, "verify", "--json").json
        assert there["ok"]
        assert there["state_hash"] == here["state_hash"]
        assert json.loads(out.read_text().splitlines()[0])["state_hash"] == here["state_hash"]
        found = self.elsewhere(mem, tmp_path, "recall", "who has a bicycle", "--json").json["hits"]
        assert found[0]["text"] == "Anna has a red bicycle"
        assert self.elsewhere(mem, tmp_path, "import", str(out), "--json").json["added"] == 0

    def test_into_a_home_with_memories_of_its_own_it_informs(
        self, mem: Mem, chat: Path, tmp_path: Path
    ) -> None:
        self.fill(mem, chat)
        mem("export", str(tmp_path / "all.jsonl"))
        self.elsewhere(mem, tmp_path, "remember", "I was here first")
        assert (
            self.elsewhere(mem, tmp_path, "import", str(tmp_path / "all.jsonl"), "--json").json["added"] == 5
        )

        kept = self.elsewhere(mem, tmp_path, "list", "--json").json
        assert {r["trust"] for r in kept if r["text"] != "I was here first"} == {"imported"}
        assert (
            self.elsewhere(mem, tmp_path, "import", str(tmp_path / "all.jsonl"), "--json").json["added"] == 0
        )
        assert self.elsewhere(mem, tmp_path, "verify").code == 0

    @pytest.mark.parametrize(
        "row",
        [
            '{"table": "secrets", "id": "x"}',
            '{"table": "records", "id": "m222", "seq": 1}',
            '{"table": "links", "src": 1, "dst": 2, "kind": "loves", "weight": 1, "start": null, "end": null}',
            "[]",
        ],
    )
    def test_rows_that_are_none_of_ours_are_left_out(self, mem: Mem, tmp_path: Path, row: str) -> None:
        (tmp_path / "a.jsonl").write_text(f'{{"mem_export":1,"state_hash":"x"}}\n{row}\n')

        assert mem("import", str(tmp_path / "a.jsonl")).code == 9
        assert mem("list").code == 3

    def test_an_id_that_another_number_owns_is_refused(self, mem: Mem, chat: Path, tmp_path: Path) -> None:
        self.fill(mem, chat)
        out = tmp_path / "all.jsonl"
        mem("export", str(out))
        header, first, *_ = out.read_text().splitlines()
        row = json.loads(first)
        out.write_text(header + "\n" + json.dumps(row | {"seq": row["seq"] + 7}) + "\n")
        done = self.elsewhere(mem, tmp_path, "import", str(out), "--json")

        assert (done.code, done.json["added"]) == (9, 0)

    def test_to_standard_output(self, mem: Mem, chat: Path) -> None:
        mem("import", str(chat))
        rows = [json.loads(line) for line in mem("export", "-").out.splitlines()]

        assert rows[0]["mem_export"] == 1
        assert [r["text"] for r in rows[1:]] == [
            "I moved to Bergen",
            "Anna has a red bicycle",
            "The ferns need water",
        ]

    def test_nothing_is_written_over_without_a_yes(self, mem: Mem, chat: Path, tmp_path: Path) -> None:
        mem("import", str(chat))
        out = tmp_path / "all.jsonl"
        out.write_text("precious")

        assert mem("export", str(out)).code == 4
        assert out.read_text() == "precious"
        assert mem("export", str(out), "--yes").code == 0
        assert out.stat().st_mode & 0o077 == 0

    def test_a_book(self, mem: Mem, tmp_path: Path) -> None:
        mem("remember", "Rain\nall day", "--at", "2024-03-02T10:00:00+00:00", "--session", "walk [1]")
        mem("remember", "Likes rain", "--kind", "semantic")
        assert mem("export", str(tmp_path / "book")).code == 0

        front, month = ((tmp_path / "book" / name).read_text() for name in ("README.md", "2024-03.md"))
        assert "## Facts\n\n- Likes rain\n" in front
        assert "- [2024-03](2024-03.md)" in front
        assert "## 2024-03-02 · walk (1)\n" in month
        assert "> Rain\n> all day\n" in month
        assert mem("export", str(tmp_path / "one.md"), "--format", "markdown").code == 0
        assert (tmp_path / "one.md").read_text().count("# 2024-03") >= 1

    def test_an_unknown_format(self, mem: Mem, tmp_path: Path) -> None:
        assert mem("export", str(tmp_path / "x"), "--format", "stone").code == 2

    def test_a_bundle_of_what_was_chosen_tells_its_signer(self, mem: Mem, chat: Path, tmp_path: Path) -> None:
        self.fill(mem, chat)
        id, out = mem("remember", "The ferns like rain", "--json").json["id"], tmp_path / "ferns.bundle"
        assert mem("export", str(out), "--only", id, "--json").json["count"] == 1
        done = self.elsewhere(mem, tmp_path, "import", str(out), "--json")
        assert (done.code, done.json["format"], done.json["added"]) == (0, "bundle", 1)
        assert len(done.json["signer"]) == 19

        out.write_text(out.read_text().replace("like rain", "hate rain"))
        assert self.elsewhere(mem, tmp_path, "import", str(out)).code == 9

    def test_a_bundle_wants_a_choice_and_nothing_else_takes_one(self, mem: Mem, tmp_path: Path) -> None:
        assert mem("export", str(tmp_path / "all.bundle")).code == 2
        assert mem("export", str(tmp_path / "all.jsonl"), "--format", "jsonl", "--only", "x").code == 2
        assert mem("export", str(tmp_path / "x.bundle"), "--only", "nobody").code == 3

    def test_one_id_with_other_words_in_another_file_is_another_turn(self, mem: Mem, tmp_path: Path) -> None:
        for number, text in enumerate(("I moved to Bergen.", "The ferns need water.", "I moved to Bergen.")):
            file = tmp_path / f"{number}.jsonl"
            file.write_text(json.dumps({"id": "t1", "session": "s", "text": text}) + "\n")
            assert mem("import", str(file), "--json").json["added"] == (number < 2)


def test_the_order_of_day_and_month_that_its_user_writes_decides_where_a_chat_does_not(
    mem: Mem, tmp_path: Path
) -> None:
    chat = tmp_path / "_chat.txt"
    chat.write_text("3/4/24, 10:00 - Anna: Hello\n", encoding="utf-8")
    assert mem("config", "set", "user.month_first", "yes").code == 0
    assert mem("import", str(chat)).code == 0
    assert mem("list", "--json").json[0]["time"].startswith("2024-03-04")
    assert mem("config", "set", "user.month_first", "no").code == 0
    assert mem("import", str(chat)).code == 0
    assert {m["time"][:10] for m in mem("list", "--json").json} == {"2024-03-04", "2024-04-03"}
    assert mem("config", "set", "user.month_first", "perhaps").code == 2
