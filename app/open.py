"""The one place that picks concrete parts: which store, which models, which recall."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from app.config import Config, Home, load_config, replaced
from app.memory import Memory

if TYPE_CHECKING:
    from models.chat import ChatModel
    from models.embed import Embedder
    from models.engine import CacheType
    from storage.hnsw import Graphs


def open_memory(
    home: Home,
    config: Config | None = None,
    *,
    read_only: bool = False,
    ask_passphrase: Callable[[], str] | None = None,
    embedder: Callable[[], Embedder] | None = None,
    chat: Callable[[], ChatModel] | None = None,
    graphs: Graphs | None = None,
) -> Memory:
    """Open the memory in `home`, making it on first use. Models load when they are first needed.

    `ask_passphrase` is called for an encrypted store whose passphrase is not given otherwise (app/keys.py).
    `embedder` and `chat` load other models than the config names: those that a process shares, as it does `graphs`.
    Raises StorageError, AppError.
    """
    from app.keys import unlock
    from storage.store import Store  # the driver costs time that `mem --help` does not owe

    if not read_only:
        home.create()
    settings = config or load_config(home.config)
    store = Store(
        home.database, key=unlock(home, settings, ask_passphrase), read_only=read_only, graphs=graphs
    )
    return Memory(
        home,
        settings,
        store,
        load_embedder=embedder or (lambda: load_embedder(home, settings)),
        load_chat=chat or (lambda: load_chat(home, settings)),
        load_older=lambda name: load_embedder(home, replaced(settings, "models.embed", name)),
    )


def load_embedder(home: Home, config: Config) -> Embedder:
    """The embedding model that the config names ("fake" for the deterministic stand-in). Raises ModelError."""
    if config.models.embed == "fake":
        from models.fake import HashEmbedder

        return HashEmbedder()
    from models.open import open_embedder  # onnxruntime and numpy

    return open_embedder(config.models.embed, home.models)


def load_chat(home: Home, config: Config) -> ChatModel:
    """The chat model that the config names ("fake" for the deterministic stand-in). Raises ModelError."""
    if config.models.chat == "fake":
        from models.fake import EchoChat

        return EchoChat()
    settings = config.models
    if settings.server:
        from models.server import ServerChat

        return ServerChat(
            settings.server,
            settings.chat,
            allowed_hosts=settings.server_hosts,
            context_tokens=settings.context_tokens,
        )
    from models.open import open_chat  # llama.cpp

    return open_chat(
        settings.chat,
        home.models,
        context_tokens=settings.context_tokens,
        threads=settings.threads,
        batch=settings.batch,
        gpu_layers=settings.gpu_layers,
        cache_type=cast("CacheType", settings.cache_type),  # one of these by the rules of the settings
        lora=Path(settings.lora).expanduser() if settings.lora else None,
    )
