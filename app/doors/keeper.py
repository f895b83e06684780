"""One thread that owns the memory, for servers whose requests come on many threads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from app.memory import Memory

T = TypeVar("T")


class Keeper:
    """Runs work on a memory, one piece at a time, in the thread that opened it."""

    def __init__(self, open_memory: Callable[[], Memory]) -> None:
        """Opens the memory at once, so that a locked or damaged store is told before a server listens."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="memory")
        self._memory = self._thread.submit(open_memory).result()

    async def run(self, work: Callable[[Memory], T]) -> T:
        """The result of `work`; its exceptions are raised here."""
        return await asyncio.wrap_future(self._thread.submit(work, self._memory))

    async def stream(self, work: Callable[[Memory], Iterator[T]]) -> AsyncIterator[T]:
        """What `work` yields, as it comes. A reader that goes away closes the iterator in its own thread."""
        items = await self.run(work)
        try:
            while True:
                item: list[T] = await self.run(lambda _: list(_taken(items)))
                if not item:
                    return
                yield item[0]
        finally:
            self._thread.submit(_closed, items)

    def close(self) -> None:
        """Finish what runs, then close the memory."""
        self._thread.submit(self._memory.close).result()
        self._thread.shutdown()


def _taken(items: Iterator[T]) -> Iterator[T]:
    for item in items:
        yield item
        return


def _closed(items: Iterator[T]) -> None:
    close = getattr(items, "close", None)
    if close is not None:
        close()
