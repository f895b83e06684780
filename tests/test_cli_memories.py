"""The day's commands on one home: what they print, what they keep, and how they refuse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Mem

RECORD_KEYS = {
    "id", "external_id", "kind", "text", "speaker", "session", "time", "valid_from", "valid_to", "state", "trust",
}  # fmt: skip


def keep(mem: Mem, *texts: str) -> list[str]:
    return [mem("remember", text, "--json").json["id"] for text in texts]


class TestRemember:
    def test_prints_the_id_and_the_words(self, mem: Mem) -> None:
        done = mem("remember", "Anna", "lives", "in", "Bergen")

        id, words = done.out.strip().split("  ")
        assert (done.code, words) == (0, "Anna lives in Bergen")
        assert mem("show", id, "--json").json["text"] == "Anna lives in Bergen"

    def test_options_are_kept(self, mem: Mem) -> None:
        kept = mem(
            "remember", "Water the ferns", "--kind", "task", "--tag", "home", "--tag", "green", "--pin",
            "--at", "2024-03-02", "--session", "garden", "--json",
        ).json  # fmt: skip
        shown = mem("show", kept["id"], "--json").json

        assert set(kept) == RECORD_KEYS
        assert (shown["kind"], shown["tags"], shown["pinned"], shown["session"]) == (
            "task",
            ["home", "green"],
            True,
            "garden",
        )
        assert shown["time"].startswith("2024-03-02")

    def test_a_dash_reads_standard_input(self, mem: Mem) -> None:
        assert mem("remember", "-", stdin="two\nlines").code == 0
        assert mem("list", "--json").json[0]["text"] == "two\nlines"

    @pytest.mark.parametrize("text", ["", "   ", "\n"])
    def test_nothing_is_nothing_to_remember(self, mem: Mem, text: str) -> None:
        done = mem("remember", text)

        assert (done.code, done.out) == (2, "")
        assert done.err.splitlines() == [
            "There is nothing to remember.",
            'Write it after the command: mem remember "TEXT".',
        ]

    def test_odd_text_is_kept_and_shown_harmlessly(self, mem: Mem) -> None:
        odd = "a\x1b[31mred\x07 \u202egnp.exe 👩‍👩‍👧 שלום\x00 end"
        (id,) = keep(mem, odd)

        printed = mem("list").out + mem("show", id).out + mem("recall", "red end").out
        assert not set(printed) & {"\x1b", "\x07", "\x00", "\u202e"}
        assert "👩‍👩‍👧" in printed
        assert mem("verify").code == 0

    def test_a_megabyte_is_kept_whole(self, mem: Mem) -> None:
        text = "word " * 200_000
        assert mem("remember", "-", stdin=text).code == 0
        assert mem("list", "--json").json[0]["text"] == text

    def test_an_unknown_kind_and_an_unreadable_time(self, mem: Mem) -> None:
        assert mem("remember", "x", "--kind", "dream").code == 2
        assert mem("remember", "x", "--at", "blursday").code == 2
        assert mem("list").code == 3

    def test_without_a_model_it_is_kept_and_says_what_a_model_would_add(
        self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (home / "config.toml").unlink()
        monkeypatch.setenv("MEM_MODELS", str(tmp_path / "none"))
        done = mem("remember", "Anna lives in Bergen")

        assert done.code == 0
        assert "run `mem setup`" in done.err
        assert mem("recall", "Bergen", "--json").json["hits"][0]["text"] == "Anna lives in Bergen"

    def test_the_editor_is_used_where_asked(self, mem: Mem, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", "sh -c 'echo from the editor > \"$0\"'")

        assert mem("remember", "--edit").code == 0
        assert mem("list", "--json").json[0]["text"] == "from the editor"

    def test_a_draft_lies_in_the_home_and_is_gone_afterwards(
        self, mem: Mem, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", f"sh -c 'ls -l $0 > {tmp_path}/seen; echo words > $0'")

        assert mem("remember", "--edit").code == 0
        seen = (tmp_path / "seen").read_text()
        assert seen.startswith("-rw-------")
        assert str(home) in seen
        assert list(home.glob(".scratch*")) == []

    def test_an_editor_that_fails_keeps_nothing(self, mem: Mem, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", "false")
        assert mem("remember", "--edit").code == 4
        monkeypatch.setenv("EDITOR", "no-such-editor-anywhere")
        assert mem("remember", "--edit").code == 4
        assert mem("list").code == 3


class TestList:
    def test_filters(self, mem: Mem) -> None:
        keep(mem, "an episode")
        mem("remember", "a fact", "--kind", "semantic", "--at", "2020-01-01", "--session", "s")

        def texts(*options: str) -> list[str]:
            return [r["text"] for r in mem("list", "--json", *options).json]

        assert texts() == ["an episode", "a fact"]
        assert texts("-n", "1") == ["an episode"]
        assert texts("--kind", "semantic") == ["a fact"]
        assert texts("--session", "s") == ["a fact"]
        assert texts("--before", "2021-01-01") == ["a fact"]
        assert texts("--after", "2021-01-01") == ["an episode"]
        assert texts("--state", "archived") == []

    def test_the_table_fits_the_terminal(self, mem: Mem, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "60")
        keep(mem, "long words " * 50, "東京" * 60)

        lines = mem("list").out.splitlines()
        assert len(lines) == 3
        assert all(sum(2 if ord(c) > 0x2E80 else 1 for c in line) <= 60 for line in lines)
        assert all(line.endswith("…") for line in lines[1:])

    def test_empty(self, mem: Mem) -> None:
        done = mem("list", "--json")

        assert (done.code, done.json) == (3, [])
        assert done.err.splitlines()[0] == "Nothing is kept here yet."


class TestOneMemory:
    def test_edit_keeps_the_old_words_in_the_history(self, mem: Mem) -> None:
        id = mem("remember", "Anna lives in Oslo", "--kind", "semantic", "--json").json["id"]

        assert mem("edit", id, "--text", "Anna lives in Bergen").code == 0
        assert (
            mem("recall", "where does Anna live", "--json").json["hits"][0]["text"] == "Anna lives in Bergen"
        )
        first, second = mem("history", id, "--json").json
        assert (first["action"], second["action"]) == ("remember", "edit")
        assert second["before"]["text"] == "Anna lives in Oslo"

    def test_what_was_said_cannot_be_reworded(self, mem: Mem) -> None:
        (id,) = keep(mem, "I said this")

        assert mem("edit", id, "--text", "I never did").code != 0
        assert mem("show", id, "--json").json["text"] == "I said this"

    def test_an_edit_to_nothing_is_refused(self, mem: Mem) -> None:
        id = mem("remember", "x", "--kind", "semantic", "--json").json["id"]
        assert mem("edit", id, "--text", " ").code == 2

    def test_pin_and_unpin(self, mem: Mem) -> None:
        one, two = keep(mem, "one", "two")

        assert mem("pin", one, two).code == 0
        assert [mem("show", id, "--json").json["pinned"] for id in (one, two)] == [True, True]
        assert mem("unpin", one).code == 0
        assert mem("show", one, "--json").json["pinned"] is False

    def test_pinning_several_is_all_or_none(self, mem: Mem) -> None:
        (one,) = keep(mem, "one")

        assert mem("pin", one, "mzzz").code == 3
        assert mem("show", one, "--json").json["pinned"] is False

    def test_archive_and_restore(self, mem: Mem) -> None:
        (id,) = keep(mem, "an old thing")

        assert mem("archive", id, "--json").json[0]["state"] == "archived"
        assert mem("faded", "--json").json[0]["id"] == id
        assert mem("restore", id).code == 0
        assert mem("show", id, "--json").json["state"] == "active"
        assert mem("faded").code == 3

    @pytest.mark.parametrize(
        "command", ["show", "history", "edit", "pin", "unpin", "archive", "restore", "forget"]
    )
    def test_an_id_that_nobody_has(self, mem: Mem, command: str) -> None:
        done = mem(command, "mzzz", *(["--text", "x"] if command == "edit" else []))

        assert (done.code, done.out) == (3, "")
        assert done.err.splitlines()[0] == "No memory has the id 'mzzz'."

    def test_a_look_strengthens_once_a_day_and_is_not_what_undo_means(self, mem: Mem) -> None:
        (id,) = keep(mem, "one")
        before = mem("show", id, "--json").json
        mem("show", id)
        mem("show", id)
        after = mem("show", id, "--json").json

        assert (before["use_count"], after["use_count"]) == (0, 1)
        assert mem("undo").code == 0
        assert mem("list").code == 3

    def test_the_callers_own_id_will_do(self, mem: Mem, tmp_path: Path) -> None:
        (tmp_path / "a.jsonl").write_text('{"text": "hello", "id": "D1:3"}\n')
        mem("import", str(tmp_path / "a.jsonl"))

        assert mem("show", "D1:3", "--json").json["external_id"] == "D1:3"


class TestLogAndUndo:
    def test_undo_takes_back_the_last_run_and_can_itself_be_undone(self, mem: Mem) -> None:
        keep(mem, "one", "two")

        assert mem("undo").code == 0
        assert [r["text"] for r in mem("list", "--json").json] == ["one"]
        assert mem("undo").code == 0
        assert [r["text"] for r in mem("list", "--json").json] == ["two", "one"]
        assert [r["action"] for r in mem("log", "--json").json] == ["undo", "undo", "remember", "remember"]

    def test_undo_of_a_named_run_and_of_an_entry(self, mem: Mem) -> None:
        one, _ = keep(mem, "one", "two")
        run = mem("log", "--json").json[1]["run"]
        entry = mem("history", one, "--json").json[0]["entry"]

        assert mem("undo", run, "--dry-run", "--json").json == {"undone": run, "changes": 1, "dry_run": True}
        assert len(mem("list", "--json").json) == 2
        assert mem("undo", str(entry)).code == 0
        assert [r["text"] for r in mem("list", "--json").json] == ["two"]

    def test_an_import_is_one_run(self, mem: Mem, tmp_path: Path) -> None:
        lines = [json.dumps({"text": f"line {n}"}) for n in range(1200)]
        (tmp_path / "a.jsonl").write_text("\n".join(lines))
        run = mem("import", str(tmp_path / "a.jsonl"), "--json").json["run"]

        assert mem("undo", run, "--json").json["changes"] == 1200
        assert mem("list").code == 3

    def test_what_stands_under_a_later_change_is_not_undone(self, mem: Mem) -> None:
        id = mem("remember", "x", "--kind", "semantic", "--json").json["id"]
        run = mem("log", "--json").json[0]["run"]
        mem("edit", id, "--text", "y")

        assert mem("undo", run).code != 0
        assert mem("show", id, "--json").json["text"] == "y"

    @pytest.mark.parametrize("what", ["r999", "99999", "nonsense"])
    def test_nothing_of_that_name(self, mem: Mem, what: str) -> None:
        keep(mem, "one")
        assert mem("undo", what).code == 3
        assert mem("log", what).code == 3

    def test_the_entries_of_a_run(self, mem: Mem) -> None:
        (id,) = keep(mem, "one")
        run = mem("log", "--json").json[0]["run"]

        (entry,) = mem("log", run, "--json").json
        assert (entry["action"], entry["what"], entry["change"]) == ("remember", f"record {id}", "added one")


class TestVerify:
    def test_the_hash_changes_with_the_memory_and_comes_back_with_undo(self, mem: Mem) -> None:
        keep(mem, "one")
        before = mem("verify", "--json").json
        keep(mem, "two")
        between = mem("verify", "--json").json
        mem("undo")

        assert before["ok"] and between["ok"]
        assert [c["name"] for c in before["checks"]] == [
            "database",
            "full text",
            "vectors",
            "journal",
            "state hash",
        ]
        assert before["state_hash"] != between["state_hash"]
        assert mem("verify", "--json").json["state_hash"] == before["state_hash"]

    def test_replay_agrees(self, mem: Mem) -> None:
        keep(mem, "one")
        found = mem("replay", "--json").json

        assert found["ok"] and found["state_hash"] == found["replayed_hash"]


def test_times_in_words(mem: Mem) -> None:
    mem("remember", "the concert", "--at", "three days ago")

    assert mem("list", "--after", "yesterday").code == 3
    assert (
        mem("list", "--after", "last year", "--before", "yesterday", "--json").json[0]["text"]
        == "the concert"
    )


def test_a_reminder_becomes_a_task_as_in_a_conversation(mem: Mem) -> None:
    done = mem("remember", "Remind me to call Anna on 3 July 2099")

    assert "I will remind you on Friday, 3 July 2099 at 08:00: call Anna" in done.err
    (task,) = mem("tasks", "--json").json
    assert task["text"] == "call Anna"
    assert mem("remember", "I reminded Anna of it", "--json").json.keys() == RECORD_KEYS
