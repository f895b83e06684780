"""What can go wrong in the assistant. Each error says what is wrong and, in `hint`, what to do.

Every error that a face can meet is named here: the faces know nothing of what lies below the assistant.
"""

from __future__ import annotations

from models.errors import ModelError as ModelError
from models.errors import ModelMissing as ModelMissing
from storage.errors import RecordNotFound as RecordNotFound
from storage.errors import StorageError as StorageError
from storage.errors import StoreDamaged as StoreDamaged
from storage.errors import StoreLocked as StoreLocked
from storage.errors import StoreReadOnly as StoreReadOnly
from storage.errors import StoreTooNew as StoreTooNew
from storage.errors import WrongKey as WrongKey


class AppError(Exception):
    """Base of the assistant's errors; `hint` is one line that says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class BadRequest(AppError):
    """The caller asked for something that makes no sense (exit code 2)."""


class NothingFound(AppError):
    """The question was fine and the answer is empty (exit code 3)."""


class Refused(AppError):
    """A rule forbids it, or it needs the user's yes (exit code 4)."""


class BadInput(AppError):
    """An input file has lines that could not be read (exit code 9)."""
