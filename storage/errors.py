"""What can go wrong in the store. Each error says what is wrong and, in `hint`, what to do."""

from __future__ import annotations


class StorageError(Exception):
    """Base of all storage errors; `hint` is one line that says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class StoreLocked(StorageError):
    """Another process holds the writer lock for longer than the timeout."""


class StoreDamaged(StorageError):
    """The database fails an integrity check or cannot be read."""


class StoreUnreadable(StoreDamaged):
    """The disk does not give back what was written."""


class StoreTooNew(StorageError):
    """The database was written by a newer version of the program."""


class StoreReadOnly(StorageError):
    """The home folder or the disk does not take writes (read-only, full, no permission)."""


class WrongKey(StorageError):
    """The database is encrypted and the key given does not open it."""


class RecordNotFound(StorageError):
    """No record, or more than one, answers to the id given."""
