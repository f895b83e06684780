"""The background service: models kept warm, a local socket, the night at its hour, and idle time put to use.

The quick lane answers recall and remember, the talk lane holds the conversations, the night lane sleeps and
embeds what waits, and lets go as soon as one of the others has work.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import requests
from app.config import Home, load_config
from app.errors import AppError, BadRequest, ModelError, Refused, StorageError
from app.lanes import Job, Lane
from app.notify import remind
from app.power import on_mains
from app.records import Filter, Kind
from app.shared import SharedHome
from app.wire import Line, address, peer_uid

if TYPE_CHECKING:
    from app.memory import Memory
    from models.chat import ChatModel

NEWS = Filter(kinds=frozenset({Kind.EPISODIC, Kind.RESOURCE}))  # what a night has not made itself
Clock = Callable[[], datetime]
Known = (AppError, StorageError, ModelError, ValueError)

DONE = {"done": True}  # marks the closing line of an answer
ACCEPT_SECONDS = 0.2
SEND_SECONDS = 5  # a client that reads nothing for so long is gone
MOST_CONNECTIONS = 64
UNLOAD_AFTER = 1800.0  # seconds unused until the chat model is freed
LOOK_EVERY = 20  # seconds between looks at the backlog and at idle time
BACKLOG = 1024  # records embedded per look


class Daemon:
    """One per home. `serve` runs until `stop`."""

    def __init__(self, home: Home, clock: Clock) -> None:
        self.home = home
        self._clock = clock
        self._stopping = threading.Event()
        self._since = clock()
        self._answered = 0
        self._connections = 0
        self._last_request = time.monotonic()
        self._slept_at = -1  # the newest record when the last idle night ran
        self._shared = SharedHome(home)
        self._talks = requests.Conversations()
        self._quick = Lane("quick", home, self._shared.open, self.stop)
        self._talk = Lane("talk", home, self._shared.open, self.stop)
        self._night = Lane("night", home, lambda: self._shared.open(self._wanted), self.stop)
        self._bell = Lane("bell", home, self._shared.open, self.stop)

    def serve(self) -> None:
        """Answer until `stop` is called. Raises Refused where another daemon lives in this home."""
        self.home.create()
        with _only_one(self.home.path / "daemon.lock"), _listening(self.home.socket) as listener:
            lanes = (self._quick, self._talk, self._night, self._bell)
            for lane in lanes:
                lane.start()
            scheduler = self._schedule()
            try:
                self._accept(listener)
            finally:
                scheduler.shutdown(wait=False)
                for lane in lanes:
                    lane.stop()
                for lane in lanes:
                    lane.join(timeout=5.0)
                self._shared.free()

    def stop(self) -> None:
        """End soon; what is being said is kept."""
        self._stopping.set()

    # -- requests ----------------------------------------------------------------------------------

    def _accept(self, listener: socket.socket) -> None:
        listener.settimeout(ACCEPT_SECONDS)
        while not self._stopping.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            if peer_uid(connection) != os.getuid() or self._connections >= MOST_CONNECTIONS:
                connection.close()
                continue
            connection.settimeout(None)
            timeout = struct.pack("ll", SEND_SECONDS, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
            threading.Thread(target=self._converse, args=(Line(connection),), daemon=True).start()

    def _converse(self, line: Line) -> None:
        """Read one client's requests until it hangs up; then whatever still streams to it ends."""
        self._connections += 1
        hush = threading.Event()
        try:
            while (values := line.receive()) is not None:
                self._last_request = time.monotonic()
                if values.get("op") == "hush":
                    hush.set()
                else:
                    hush = threading.Event()
                    self._take(line, values, hush)
        except ValueError as error:
            with suppress(OSError):
                line.send(requests.failure(BadRequest(f"Not a request: {error}.")))
        except OSError:
            pass  # the client is gone: the same as hanging up
        finally:
            hush.set()
            self._connections -= 1
            line.close()

    def _take(self, line: Line, values: Mapping[str, Any], hush: threading.Event) -> None:
        """Hand a request to its lane; the lane's thread sends the answer."""
        op = values.get("op")
        if op in ("recall", "remember"):
            once = requests.recall if op == "recall" else requests.remember
            self._quick.submit(self._job(line, lambda memory: [once(memory, values, self._clock()) | DONE]))
        elif op in ("say", "ask", "context", "retake"):

            def stopped() -> bool:
                return hush.is_set() or self._stopping.is_set()

            stream = getattr(self._talks, op)
            self._talk.submit(
                self._job(line, lambda memory: chain(stream(memory, values, self._clock(), stopped), [DONE]))
            )
        elif op == "status":
            line.send(self.status() | DONE)
        elif op == "stop":
            line.send({"pid": os.getpid()} | DONE)
            self.stop()
        else:
            hint = "Update mem and restart the daemon (`mem daemon stop`, `mem daemon start`)."
            line.send(requests.failure(BadRequest(f"The daemon knows no {op!r}.", hint)))

    def _job(self, line: Line, answer: Callable[[Memory], Iterable[dict[str, Any]]]) -> Job:
        """The work on one request: every line of the answer is sent as it comes."""

        def job(memory: Callable[[], Memory]) -> None:
            try:
                for values in answer(memory()):
                    line.send(values)
            except Known as error:
                with suppress(OSError):
                    line.send(requests.failure(error))
            except OSError:
                pass  # the client is gone; the answer's iterator ends with this call and keeps what was said
            self._answered += 1

        return job

    def status(self) -> dict[str, Any]:
        """What `mem daemon status` shows."""
        return {
            "pid": os.getpid(),
            "home": str(self.home.path),
            "since": self._since.isoformat(),
            "answered": self._answered,
            "connections": self._connections,
            "busy": self._talk.busy,
            "asleep": self._night.busy,
            "models": {"embed": self._shared.embedder.loaded, "chat": self._shared.chat.loaded},
        }

    # -- the night ---------------------------------------------------------------------------------

    def _schedule(self) -> Any:
        from apscheduler.schedulers.background import BackgroundScheduler  # 180 ms

        hour, minute = load_config(self.home.config).night.at.split(":")
        scheduler = BackgroundScheduler()
        usual = {"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
        scheduler.add_job(self._sleep, "cron", hour=int(hour), minute=int(minute), **usual)
        scheduler.add_job(self._look, "interval", seconds=LOOK_EVERY, **usual)
        scheduler.start()
        return scheduler

    def _look(self) -> None:
        """Every few seconds: ring for what is due, embed what waits, sleep when nobody is there, free idle models."""
        self._shared.chat.free(UNLOAD_AFTER)
        if not self._bell.busy:
            self._bell.submit(self._remind)
        if self._night.busy:
            return
        self._night.submit(self._embed_backlog)
        idle = time.monotonic() - self._last_request
        if idle >= load_config(self.home.config).night.idle_minutes * 60 and on_mains():
            self._night.submit(self._sleep_on_news)

    def _embed_backlog(self, memory: Callable[[], Memory]) -> None:
        with suppress(*Known):  # the next look tries again; `mem doctor` shows what waits
            if not self._wanted():
                memory().embed_backlog(self._clock(), limit=BACKLOG)

    def _remind(self, memory: Callable[[], Memory]) -> None:
        """Ring for what is due; a desktop that cannot leaves it to the next conversation."""
        with suppress(*Known):  # the next look tries again
            remind(memory(), self._clock())

    def _sleep_on_news(self, memory: Callable[[], Memory]) -> None:
        """A night, unless nothing was said since the last one that was slept to its end."""
        with suppress(*Known):  # the next look tries again
            newest = memory().store.records(NEWS, limit=1)
            seq = newest[0].seq if newest else 0
            if seq != self._slept_at and self._slept(memory()):
                self._slept_at = seq

    def _sleep(self) -> None:
        self._night.submit(self._run_night)

    def _run_night(self, memory: Callable[[], Memory]) -> None:
        with suppress(*Known):  # the night's own report and `mem doctor` hold what failed
            self._slept(memory())

    def _slept(self, memory: Memory) -> bool:
        """Sleep until someone waits; whether it came to its end."""
        from app.sleep.night import sleep

        budget = memory.config.night.budget_seconds
        report = sleep(memory, _chat_of(memory), self._clock(), budget_seconds=budget, stop=self._wanted)
        return not report.interrupted

    def _wanted(self) -> bool:
        """Whether someone waits for an answer, so that the night lets go."""
        return self._quick.busy or self._talk.busy or self._stopping.is_set()


def _chat_of(memory: Memory) -> ChatModel | None:
    """The chat model, or None where there is none: the night then does what needs no model."""
    try:
        return memory.chat
    except ModelError:
        return None


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    """Hold the daemon's lock; the kernel drops it when the process dies, however it dies."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            hint = "See `mem daemon status`; end it with `mem daemon stop`."
            raise Refused("The daemon of this home is running already.", hint) from error
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(file)


@contextmanager
def _listening(path: Path) -> Iterator[socket.socket]:
    """A socket that only this user can reach. One left behind by a dead daemon is replaced (the lock is ours)."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)
    try:
        with address(path) as name:
            listener.bind(name)
    except OSError as error:
        raise Refused(
            f"Cannot make the socket {path}: {error.strerror}.", "Check the folder's permissions."
        ) from error
    finally:
        os.umask(mask)
    try:
        listener.listen(MOST_CONNECTIONS)
        yield listener
    finally:
        path.unlink(missing_ok=True)
        listener.close()
