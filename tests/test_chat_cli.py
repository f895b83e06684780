"""`mem chat` and `mem ask` as a shell and a terminal run them."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.config import Home
from app.open import open_memory
from cli.lines import joined

Mem = Callable[..., Any]


def turns(home: Path) -> list[tuple[str, str]]:
    memory = open_memory(Home(home, home / "models"))
    found = [(r.role, r.text) for r in memory.store.records(newest_first=False)]
    memory.close()
    return found


def everything_on_disk(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file())


def test_two_processes_remember(mem: Mem, home: Path) -> None:
    first = mem("chat", stdin="My shoe size is 44.\n")
    assert first.code == 0
    assert "stored" in first.err
    second = mem("chat", stdin="What is my shoe size?\n")
    assert "44" in second.out
    assert [role for role, _ in turns(home)] == ["user", "assistant"] * 2


def test_continue_goes_on_with_the_last_conversation(mem: Mem, home: Path) -> None:
    mem("chat", "--session", "garden", stdin="I planted tulips.\n")
    mem("chat", "-c", stdin="/context\n")
    shown = mem("chat", "-c", stdin="/context\n").err
    assert "I planted tulips." in shown


def test_json_gives_one_line_a_turn(mem: Mem, home: Path) -> None:
    out = mem("chat", "--json", stdin="My shoe size is 44.\nHello!\n").out
    first, second = [json.loads(line) for line in out.splitlines()]
    assert first["stored"] == ["m32y", "m42w"]
    assert second["recalled"] == []
    assert {"answer", "citations", "abstained", "model"} <= set(first)


def test_incognito_leaves_no_trace(mem: Mem, home: Path) -> None:
    mem("remember", "Tom is allergic to peanuts.")
    said = mem("chat", "--incognito", stdin="My secret is xylophonequartz.\nWhat is Tom allergic to?\n")
    assert said.code == 0
    assert "peanuts" in said.out
    assert b"xylophonequartz" not in everything_on_disk(home)
    assert turns(home) == [("user", "Tom is allergic to peanuts.")]


def test_incognito_works_in_an_empty_home(mem: Mem, home: Path) -> None:
    assert mem("chat", "--incognito", stdin="xylophonequartz\n").code == 0
    assert b"xylophonequartz" not in everything_on_disk(home)


def test_slash_commands_are_the_commands_of_mem(mem: Mem, home: Path) -> None:
    said = mem(
        "chat", stdin='/remember Tom\'s "size" is 44\n/recall Tom size\n/why\n/nonsense\n/help\n/quit\nlost\n'
    )
    assert said.code == 0
    assert """Tom's "size" is 44""" in said.out
    assert "Nothing was answered yet." in said.err
    assert "There is no /nonsense here" in said.err
    assert "/forget ID" in said.err
    assert turns(home) == [("user", """Tom's "size" is 44""")]


def test_why_names_what_the_answer_rests_on(mem: Mem) -> None:
    mem("remember", "Tom is allergic to peanuts.")
    said = mem("chat", stdin="What is Tom allergic to?\n/why\n")
    assert "(used;" in said.err
    assert "Tom is allergic to peanuts." in said.err


def test_the_window_can_be_changed_by_hand(mem: Mem) -> None:
    said = mem("chat", stdin="I planted tulips.\n/context pin m32y\n/context\n/context pin nobody\n")
    assert "pinned" in said.err
    assert "Nothing in the window is called 'nobody'" in said.err


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["one", "two"], ["one", "two"]),
        (["one \\", "two"], ["one \ntwo"]),
        (['"""', "one", "", "two", '"""', "three"], ["one\n\ntwo", "three"]),
        (['"""one', 'two"""'], ["one\ntwo"]),
        (['"""all in one"""'], ["all in one"]),
        (['"""', "never closed"], ["never closed"]),
        (["", "   ", "\\"], []),
        (["last \\"], ["last"]),
    ],
)
def test_lines_become_messages(typed: list[str], said: list[str]) -> None:
    assert list(joined(iter(typed))) == said


def test_a_missing_model_is_exit_7_and_says_what_fetches_it(mem: Mem, home: Path) -> None:
    (home / "config.toml").write_text('[models]\nchat = ""\nembed = "fake"\n')
    for command in (["chat"], ["ask", "where?"]):
        result = mem(*command, stdin="hello\n")
        assert result.code == 7
        assert "mem setup" in result.err
    assert mem("chat", "--model", str(home / "none.gguf"), stdin="hello\n").code == 7


def test_ask_keeps_the_contract(mem: Mem, home: Path) -> None:
    id = mem("remember", "Tom is allergic to peanuts.", "--json").json["id"]
    asked = mem("ask", "What is Tom allergic to?", "--json")
    assert asked.code == 0
    assert asked.json["citations"] == [id]
    assert asked.json["abstained"] is False
    assert set(asked.json["timings"]) == {"recall_ms", "first_token_ms", "total_ms"}
    assert asked.json["model"] == "echo"
    assert turns(home) == [("user", "Tom is allergic to peanuts.")]


def test_ask_reads_standard_input_and_shows_its_sources(mem: Mem) -> None:
    mem("remember", "Tom is allergic to peanuts.", "--at", "2024-03-02")
    asked = mem("ask", stdin="What is Tom allergic to?\n")
    assert "02 Mar 2024" in asked.out


def test_what_memory_does_not_hold_is_exit_3_and_not_made_up(mem: Mem) -> None:
    asked = mem("ask", "What is my shoe size?", "--json")
    assert asked.code == 3
    assert asked.json["abstained"] is True
    assert asked.json["answer"].startswith("I don't know")


@pytest.mark.parametrize("question", ["", "   "])
def test_an_empty_question_is_wrong_usage(mem: Mem, question: str) -> None:
    assert mem("ask", question).code == 2


class Terminal:
    """`mem chat` in a pseudo-terminal."""

    def __init__(self, home: Path) -> None:
        self._master, slave = pty.openpty()
        code = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, "chat", "--home", str(home), "--session", "s"],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self.screen = ""

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def wait_for(self, text: str, seconds: float = 20.0, behind: str = "") -> None:
        os.set_blocking(self._master, False)
        deadline = time.monotonic() + seconds
        while text not in (self.screen.rpartition(behind)[2] if behind else self.screen):
            assert time.monotonic() < deadline, self.screen
            try:
                self.screen += os.read(self._master, 65536).decode(errors="replace")
            except (BlockingIOError, OSError):
                time.sleep(0.02)

    def wait_for_the_prompt_after(self, text: str) -> None:
        """What is typed before the prompt has the terminal may be flushed away with it."""
        self.wait_for(text)
        self.wait_for("> ", behind=text)

    def close(self) -> None:
        os.close(self._master)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def terminal(home: Path) -> Iterator[Terminal]:
    opened = Terminal(home)
    yield opened
    opened.close()


def test_a_terminal_that_dies_loses_no_turn(terminal: Terminal, home: Path) -> None:
    terminal.wait_for("> ")
    terminal.type("My shoe size is 44.\n")
    terminal.wait_for("stored")
    terminal.process.send_signal(signal.SIGHUP)
    terminal.process.wait(20)
    assert turns(home)[0] == ("user", "My shoe size is 44.")


def test_ctrl_c_at_the_prompt_goes_on_and_ctrl_d_ends(terminal: Terminal) -> None:
    terminal.wait_for("> ")
    terminal.process.send_signal(signal.SIGINT)
    terminal.wait_for("ends the chat")
    terminal.type("Hello!\n")
    terminal.wait_for_the_prompt_after("stored")
    terminal.type("\x04")
    assert terminal.process.wait(20) == 0


def test_a_pasted_block_is_one_message(terminal: Terminal, home: Path) -> None:
    terminal.wait_for("> ")
    terminal.type("\x1b[200~one line\nand another\x1b[201~\n")
    terminal.wait_for("stored")
    assert turns(home)[0] == ("user", "one line\nand another")
