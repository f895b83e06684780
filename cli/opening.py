"""How a face opens the memory: with a question for the passphrase where somebody can answer it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.config import Config
    from app.memory import Memory
    from app.place import Home


def open_home(home: Home, *, config: Config | None = None, read_only: bool = False) -> Memory:
    """The memory in `home`, with `config` where it is not the home's own. Raises StorageError, AppError."""
    from app.open import open_memory  # the database driver

    return open_memory(home, config, read_only=read_only, ask_passphrase=asker())


def asker() -> Callable[[], str] | None:
    """What asks for the passphrase; None where nobody is at the keyboard."""
    return _ask_passphrase if sys.stdin.isatty() else None


def _ask_passphrase() -> str:
    from getpass import getpass

    return getpass("Passphrase: ", stream=sys.stderr)
