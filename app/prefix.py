"""The model's state after the stable head of the prompt, kept on disk: the first answer need not read it again.

A state holds what the head says (the portrait, too), so it lies in the home, private, and never beside an
encrypted store. Safe to delete at any time; the model checks it before use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from models.chat import Message
from storage.files import make_private, write_atomic

if TYPE_CHECKING:
    from app.memory import Memory
    from models.chat import ChatModel

KEPT = 4  # states, the newest; one is some 12 MB for a model of 1.5B


@runtime_checkable
class KeepsPrefix(Protocol):
    """A chat model whose cache can be taken out and put back."""

    def save_prefix(self, messages: Sequence[Message]) -> bytes:
        """The state after these messages, which are read for it if they must be."""
        ...

    def load_prefix(self, messages: Sequence[Message], saved: bytes) -> bool:
        """Put a state back; False when it is not of these messages and this model."""
        ...


def warm(chat: ChatModel, head: Sequence[Message], memory: Memory) -> None:
    """Load the state of `head`, or read it now and keep it. Raises ModelError."""
    if not isinstance(chat, KeepsPrefix) or memory.config.encryption.mode != "none":
        return
    folder = memory.home.path / "prefix"
    path = folder / f"{_name(chat, head)}.state"
    if path.is_file() and chat.load_prefix(head, path.read_bytes()):
        path.touch()
        return
    state = chat.save_prefix(head)
    if state:
        make_private(folder)
        write_atomic(path, state)
        _prune(folder)


def _name(chat: ChatModel, head: Sequence[Message]) -> str:
    digest = hashlib.blake2b(f"{chat.name} {chat.version}".encode(), digest_size=12)
    for message in head:
        digest.update(f"\0{message.role}\0{message.content}".encode(errors="replace"))
    return digest.hexdigest()


def _prune(folder: Path) -> None:
    states = sorted(folder.glob("*.state"), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in states[KEPT:]:
        old.unlink(missing_ok=True)
