"""The daemon: answers over its socket, stops a reply, survives rude clients and kill -9, and sleeps when idle."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app import service
from app.clock import now
from app.config import Home
from app.daemon import Daemon
from app.errors import BadRequest, ModelMissing, NothingFound, Refused
from app.open import open_memory
from app.power import on_mains
from app.remote import RemoteAssistant, request

Mem = Callable[..., Any]


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def place(home: Path, tmp_path: Path) -> Home:
    return Home(home, tmp_path / "models")


@pytest.fixture
def daemon(place: Home) -> Iterator[Daemon]:
    """A daemon in a thread of this process."""
    running = Daemon(place, now)
    thread = threading.Thread(target=running.serve)
    thread.start()
    until(lambda: service.status(place))
    yield running
    running.stop()
    thread.join(20)
    assert not thread.is_alive()


@pytest.mark.usefixtures("daemon")
def test_what_is_remembered_is_recalled_and_answered(place: Home, mem: Mem) -> None:
    assert mem("remember", "Tom is allergic to peanuts.").code == 0
    assert "peanuts" in mem("recall", "what is Tom allergic to").out
    asked = mem("ask", "What is Tom allergic to?", "--json")
    assert "peanuts" in asked.json["answer"]
    assert asked.json["citations"]
    status = service.status(place)
    assert status is not None
    assert status["answered"] == 3
    assert status["models"] == {"embed": True, "chat": True}


@pytest.mark.usefixtures("daemon")
def test_the_socket_is_for_its_user_alone(place: Home) -> None:
    assert place.socket.stat().st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("daemon")
def test_a_turn_is_taken_back(place: Home, mem: Mem) -> None:
    talk = RemoteAssistant(place, "s1")
    list(talk.reply("My shoe size is 44.", now()))
    assert talk.retake(now()) == "My shoe size is 44."
    assert mem("list").code == 3
    with pytest.raises(NothingFound):
        talk.retake(now())


@pytest.mark.usefixtures("daemon")
def test_a_conversation_goes_on_and_is_stored(place: Home) -> None:
    talk = RemoteAssistant(place, "s1")
    list(talk.reply("My shoe size is 44.", now()))
    *_, done = talk.reply("What is my shoe size?", now())
    assert "44" in done.text  # type: ignore[union-attr]
    memory = open_memory(place)
    assert [r.role for r in memory.store.records(newest_first=False)] == ["user", "assistant"] * 2
    memory.close()


@pytest.mark.usefixtures("daemon")
def test_the_window_that_the_daemon_holds_is_seen_and_changed(place: Home) -> None:
    talk = RemoteAssistant(place, "s1")
    list(talk.reply("My shoe size is 44.", now()))
    id = talk.context()[1].name
    assert [p.state for p in talk.context("hide", id) if p.name == id] == ["hidden"]
    with pytest.raises(BadRequest):
        talk.context("hide", "nobody")


@pytest.mark.usefixtures("daemon")
def test_a_reply_is_hushed_and_a_client_that_hangs_up_loses_nothing(place: Home) -> None:
    words = "one two three four five six seven eight nine ten " * 40
    pieces: list[object] = []
    for event in RemoteAssistant(place, "s1").reply(words, now(), lambda: len(pieces) > 3):
        pieces.append(event)
    gone = RemoteAssistant(place, "s2").reply(words, now())
    next(gone)
    gone.close()  # type: ignore[attr-defined]
    status = service.status
    until(lambda: (status(place) or {}).get("answered") == 2)
    memory = open_memory(place)
    turns = memory.store.records()
    memory.close()
    assert len([r for r in turns if r.role == "user"]) == 2


@pytest.mark.usefixtures("daemon")
def test_rubbish_is_refused_in_words_and_the_daemon_lives_on(place: Home) -> None:
    with pytest.raises(BadRequest):
        request(place, {"op": "fly"})
    with pytest.raises(BadRequest):
        request(place, {"op": "recall", "question": {"k": "many"}})
    with pytest.raises(BadRequest):
        request(place, {"op": "say", "session": "s", "text": ""})
    for raw in (b"no json\n", b"[1, 2]\n", b"\xff\xfe\n", b'{"op": "status"', b""):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as rude:
            rude.connect(str(place.socket))
            rude.sendall(raw)
    assert service.status(place) is not None


@pytest.mark.usefixtures("daemon")
def test_twenty_clients_at_once_each_get_their_own_answer(place: Home) -> None:
    answers: dict[int, str] = {}

    def client(n: int) -> None:
        kept = request(place, {"op": "remember", "text": f"Number {n} is here."})
        assert kept is not None
        answers[n] = kept["text"]

    threads = [threading.Thread(target=client, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {n: f"Number {n} is here." for n in range(20)}


@pytest.mark.usefixtures("daemon")
def test_a_second_daemon_is_refused(place: Home) -> None:
    with pytest.raises(Refused):
        Daemon(place, now).serve()
    assert service.status(place) is not None


def test_errors_come_back_as_the_classes_they_were(place: Home, daemon: Daemon) -> None:
    place.config.write_text('[models]\nchat = ""\nembed = "fake"\n')
    daemon._shared.chat.free()
    with pytest.raises(ModelMissing) as caught:
        list(RemoteAssistant(place, "s").ask("Where?", now()))
    assert "mem setup" in caught.value.hint


def test_new_settings_are_taken_up_without_a_restart(place: Home, daemon: Daemon) -> None:
    place.config.write_text('[models]\nchat = "fake"\nembed = ""\n')
    kept = request(place, {"op": "remember", "text": "No embedder yet."})
    assert kept is not None
    assert kept["embedded"] is False
    place.config.write_text('[models]\nchat = "fake"\nembed = "fake"\n# now there\n')
    kept = request(place, {"op": "remember", "text": "Here it is."})
    assert kept is not None
    assert kept["embedded"] is True
    memory = open_memory(place)

    def embedded() -> bool:
        daemon._look()
        return memory.store.unembedded("hash-64") == []

    until(embedded)
    memory.close()


def test_idle_time_is_used_for_a_night_once(place: Home, daemon: Daemon) -> None:
    request(place, {"op": "remember", "text": "I moved to Lisbon in March."})
    until(lambda: not daemon._quick.busy)
    daemon._last_request -= 3600
    daemon._look()
    until(lambda: not daemon._night.busy)
    memory = open_memory(place)
    nights = memory.store.connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    daemon._look()
    until(lambda: not daemon._night.busy)
    again = memory.store.connection.execute("SELECT count(*) FROM runs").fetchone()[0]
    memory.close()
    assert (nights, again) == (1, 1)


def test_a_stale_socket_does_not_block_the_start(place: Home) -> None:
    left = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    left.bind(str(place.socket))
    left.close()
    assert service.status(place) is None
    service.start(place)
    assert service.stop(place)
    assert not place.socket.exists()
    assert not service.stop(place)


def test_kill_9_leaves_nothing_that_blocks_the_next_start(place: Home, mem: Mem) -> None:
    first = service.start(place)
    assert service.start(place)["pid"] == first["pid"]
    assert mem("remember", "Tom is allergic to peanuts.").code == 0
    os.kill(first["pid"], signal.SIGKILL)
    os.waitpid(first["pid"], 0)
    assert mem("recall", "Tom allergic").code == 0
    assert mem("daemon", "status").code == 3
    second = service.start(place)
    assert second["pid"] != first["pid"]
    assert "peanuts" in mem("recall", "Tom allergic").out
    assert mem("daemon", "stop").code == 0
    os.waitpid(second["pid"], 0)


def test_a_home_with_a_long_path_has_a_daemon_too(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    (folder / "config.toml").write_text('[models]\nchat = "fake"\nembed = "fake"\n')
    place = Home(folder, tmp_path / "models")
    service.start(place)
    kept = request(place, {"op": "remember", "text": "Far away."})
    assert kept is not None
    service.stop(place)


def test_a_daemon_that_cannot_start_says_why(place: Home) -> None:
    place.config.write_text("no toml")
    with pytest.raises(Exception, match="did not start"):
        service.start(place)


def test_the_unit_names_this_interpreter_and_home(place: Home, tmp_path: Path) -> None:
    systemd = service.unit(place, "linux", tmp_path)
    assert systemd.path == tmp_path / "systemd" / "user" / "mem.service"
    assert f'"{place.path}"' in systemd.text
    assert systemd.text.startswith("[Unit]\n")
    launchd = service.unit(place, "darwin", tmp_path)
    assert f"<string>{place.path}</string>" in launchd.text
    with pytest.raises(Refused):
        service.unit(place, "plan9", tmp_path)


def test_mains_power_is_read_from_the_system(tmp_path: Path) -> None:
    assert on_mains(tmp_path / "none")
    for name, values in (
        ("AC", {"type": "Mains", "online": "0"}),
        ("BAT", {"type": "Battery", "status": "Discharging"}),
    ):
        (tmp_path / name).mkdir()
        for file, text in values.items():
            (tmp_path / name / file).write_text(text + "\n")
    assert not on_mains(tmp_path)
    (tmp_path / "AC" / "online").write_text("1\n")
    assert on_mains(tmp_path)
