"""One home that several threads of one process open: each has a memory of its own, and all take turns with the models.

A thread gets a lent model; behind it stands one engine, loaded on first use, and one lock, held for a short slice.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from app.config import Config, Home, load_config
from app.open import load_chat, load_embedder, open_memory
from models.chat import Thinks
from storage.hnsw import Graphs

if TYPE_CHECKING:
    from app.memory import Memory
    from models.chat import ChatModel, Message, Usage
    from models.embed import Embedder, Tokens, Vectors

SLICE = 8  # texts embedded in one turn of the lock, some 50 ms


class Closable(Protocol):
    """What a shared thing must be able to do."""

    def close(self) -> None:
        """Free what it holds."""
        ...


M = TypeVar("M", bound=Closable)


class Shared(Generic[M]):
    """One model, loaded when first taken, behind a lock."""

    def __init__(self, load: Callable[[], M]) -> None:
        self._load = load
        self._model: M | None = None
        self.lock = threading.RLock()
        self.last_used = time.monotonic()

    def take(self) -> M:
        """The model; hold `lock` while using it. Raises ModelError where it is missing."""
        with self.lock:
            if self._model is None:
                self._model = self._load()
            self.last_used = time.monotonic()
            return self._model

    @property
    def loaded(self) -> bool:
        return self._model is not None

    def free(self, idle_seconds: float = 0.0) -> bool:
        """Unload it when nobody used it for that long. False when it is in use, wanted, or not there."""
        if not self.lock.acquire(blocking=False):
            return False
        try:
            if self._model is None or time.monotonic() - self.last_used < idle_seconds:
                return False
            self._model.close()
            self._model = None
            return True
        finally:
            self.lock.release()


class LentEmbedder:
    """An Embedder whose engine is shared. Closing it frees nothing."""

    def __init__(self, shared: Shared[Embedder]) -> None:
        """Loads the engine, so that a missing one shows here. Raises ModelError."""
        self._shared = shared
        engine = shared.take()
        self.name = engine.name
        self.dim = engine.dim

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Float32 array of shape (len(texts), dim); others get their turn between slices."""
        import numpy as np  # a third of the command line's start

        parts = []
        for start in range(0, len(texts), SLICE):
            with self._shared.lock:
                parts.append(self._shared.take().embed(texts[start : start + SLICE]))
        return np.concatenate(parts) if parts else np.zeros((0, self.dim), dtype=np.float32)

    def tokens(self, text: str) -> Tokens:
        """The pieces of a text in their context."""
        with self._shared.lock:
            return self._shared.take().tokens(text)

    def close(self) -> None:
        """Nothing: the engine is not its own."""


class LentChat:
    """A ChatModel whose engine is shared; a stream holds it to its end. Closing it frees nothing."""

    def __init__(self, shared: Shared[ChatModel], yields: Callable[[], bool] | None = None) -> None:
        """`yields` is asked after each piece; True ends the stream: someone more urgent waits. Raises ModelError."""
        self._shared = shared
        self._yields = yields
        self._usage: Usage | None = None
        self.on_thought: Callable[[str], None] = _unheard
        engine = shared.take()
        self.calls_tools = bool(getattr(engine, "calls_tools", False))
        self.name = engine.name
        self.version = engine.version
        self.context_tokens = engine.context_tokens

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        schema: Mapping[str, Any] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Yield the reply in pieces. Raises ModelError."""
        with self._shared.lock:
            engine = self._shared.take()
            if isinstance(engine, Thinks):
                engine.on_thought = self.on_thought
            try:
                yield from engine.stream(
                    messages,
                    max_tokens=max_tokens,
                    temperature=temperature,
                    seed=seed,
                    schema=schema,
                    stop=_either(stop, self._yields),
                )
            finally:
                self._usage = engine.last_usage
                self._shared.last_used = time.monotonic()

    def save_prefix(self, messages: Sequence[Message]) -> bytes:
        """The engine's state after these messages; empty where it keeps none."""
        with self._shared.lock:
            save = getattr(self._shared.take(), "save_prefix", None)
            return save(messages) if save is not None else b""

    def load_prefix(self, messages: Sequence[Message], saved: bytes) -> bool:
        """Put a state back into the engine; False where it does not fit."""
        with self._shared.lock:
            load = getattr(self._shared.take(), "load_prefix", None)
            return load is not None and bool(load(messages, saved))

    def count_tokens(self, text: str) -> int:
        """Tokens that `text` takes; counting needs no turn, as it only reads the vocabulary."""
        return self._shared.take().count_tokens(text)

    @property
    def last_usage(self) -> Usage | None:
        """What the last call through this loan cost."""
        return self._usage

    def close(self) -> None:
        """Nothing: the engine is not its own."""


def _unheard(_: str) -> None:
    """Nobody listens to the reasoning."""


def _either(one: Callable[[], bool] | None, other: Callable[[], bool] | None) -> Callable[[], bool] | None:
    if one is None or other is None:
        return one or other
    return lambda: one() or other()


class SharedHome:
    """Opens a home for each thread that asks. When the settings name other models, those who open it later get them."""

    def __init__(self, home: Home, ask_passphrase: Callable[[], str] | None = None) -> None:
        self._home = home
        self._ask_passphrase = ask_passphrase
        self._graphs = Graphs()
        self._lock = threading.Lock()
        self._use(Config())

    def open(self, yields: Callable[[], bool] | None = None) -> Memory:
        """A memory for the calling thread; `yields` as LentChat has it. Raises StorageError, AppError."""
        settings = load_config(self._home.config)
        with self._lock:
            if settings.models != self._settings.models:
                self.free()
                self._use(settings)
            embedder, chat = self.embedder, self.chat
        return open_memory(
            self._home,
            settings,
            ask_passphrase=self._ask_passphrase,
            embedder=lambda: LentEmbedder(embedder),
            chat=lambda: LentChat(chat, yields),
            graphs=self._graphs,
        )

    def free(self) -> None:
        """Unload the models that nobody uses this moment."""
        self.chat.free()
        self.embedder.free()

    def _use(self, settings: Config) -> None:
        """Models of these settings. Who still holds the ones before keeps them: their names stay true."""
        self._settings = settings
        self.embedder: Shared[Embedder] = Shared(lambda: load_embedder(self._home, settings))
        self.chat: Shared[ChatModel] = Shared(lambda: load_chat(self._home, settings))
