"""Threads that own a Memory each, so that nothing slow ever runs where the screen is drawn.

Screens await `Desk.ask`; a reply that streams comes back as messages. Knows no widget.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from textual.message import Message

from app.events import Event

if TYPE_CHECKING:
    from app.memory import Memory
    from app.working import Part

T = TypeVar("T")


class Desk:
    """One thread with a Memory of its own, opened by its first request; requests are served in order."""

    def __init__(self, open_memory: Callable[[], Memory]) -> None:
        self._open = open_memory
        self._memory: Memory | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="mem-desk")

    async def ask(self, work: Callable[[Memory], T]) -> T:
        """The result of `work`, run in the thread. Cancelled while it waits for its turn, it never runs.

        Raises what `work` raises, and what opening the memory raises.
        """
        return await asyncio.wrap_future(self._thread.submit(self._run, work))

    async def close(self) -> None:
        """Let what was asked end, then close the memory. Nothing may be asked afterwards."""
        closed = self._thread.submit(self._close)
        self._thread.shutdown(wait=False)
        await asyncio.wrap_future(closed)

    async def renew(self) -> None:
        """Close the memory once what was asked is done; the next request opens it again."""
        await asyncio.wrap_future(self._thread.submit(self._close))

    def _run(self, work: Callable[[Memory], T]) -> T:
        if self._memory is None:
            self._memory = self._open()
        return work(self._memory)

    def _close(self) -> None:
        if self._memory is not None:
            self._memory.close()
            self._memory = None


@dataclass(frozen=True, slots=True)
class Tools:
    """What every screen is given: a desk for looking things up, one that has the chat model, one for slow work,
    the time, and the name of the conversation to begin with (None: a new one)."""

    library: Desk
    voice: Desk
    hands: Desk
    clock: Callable[[], datetime]
    session: str | None = None

    async def close(self) -> None:
        """Close every desk's memory."""
        for desk in (self.library, self.voice, self.hands):
            await desk.close()

    async def renew(self) -> None:
        """Open every memory again at its next request: the settings changed."""
        for desk in (self.library, self.voice, self.hands):
            await desk.renew()


@dataclass
class Replied(Message):
    """Something happened while a message was answered."""

    event: Event


class Speaker(Protocol):
    """What answers: the assistant in this process, or the one in the daemon."""

    def reply(self, text: str, now: datetime, stop: Callable[[], bool] | None = None) -> Iterator[Event]:
        """One turn, as events."""
        ...

    def retake(self, now: datetime) -> str:
        """Take back the last turn; returns the user's words."""
        ...

    def context(self, change: str = "", id: str = "") -> list[Part]:
        """What is in the window, after one change of it."""
        ...


class Talk:
    """The conversation of the chat screen. Its methods with a `memory` run in the voice's thread."""

    def __init__(self, session: str, *, incognito: bool = False) -> None:
        self.session = session
        self.incognito = incognito
        self._speaker: Speaker | None = None
        self._memory: Memory | None = None
        self._stopped = threading.Event()

    def reply(
        self,
        memory: Memory,
        text: str,
        now: datetime,
        post: Callable[[Replied], object],
        *,
        instead: bool = False,
    ) -> None:
        """Answer `text`, posting each event as it happens; `instead` of the last turn, which is taken back first.

        Raises AppError, ModelError, StorageError.
        """
        self._stopped.clear()
        speaker = self._speaking(memory, now)
        if instead:
            speaker.retake(now)
        for event in speaker.reply(text, now, self._stopped.is_set):
            post(Replied(event))

    def context(self, memory: Memory, now: datetime, change: str, id: str) -> list[Part]:
        """What is in the window, after one change of it. Raises AppError, ModelError, StorageError."""
        return self._speaking(memory, now).context(change, id)

    def stop(self) -> None:
        """End the reply after its next piece; what was said is kept. For any thread."""
        self._stopped.set()

    def _speaking(self, memory: Memory, now: datetime) -> Speaker:
        if self._speaker is None or memory is not self._memory:
            self._speaker, self._memory = self._opened(memory, now), memory
        return self._speaker

    def _opened(self, memory: Memory, now: datetime) -> Speaker:
        """The daemon's assistant, whose model is warm, where one answers; else one of our own."""
        from app.assistant import Assistant
        from app.remote import RemoteAssistant, request

        if not self.incognito and request(memory.home, {"op": "status"}) is not None:
            return RemoteAssistant(memory.home, self.session)
        session = None if self.incognito else self.session
        return Assistant(memory, memory.chat, session, now=now, incognito=self.incognito)
