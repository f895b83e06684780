"""The key to an encrypted memory: from a passphrase (argon2id) or the system's keyring. Never kept in a file.

The salt of the derivation is the first 16 bytes of the database itself, so a store and each of its
backups can be opened with the passphrase alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import ModuleType

from app.config import Config, Home, save_setting
from app.errors import Refused
from storage.errors import WrongKey
from storage.files import overwrite, write_atomic
from storage.rekey import SALT_BYTES, is_plain, raw_key, read_salt, rekey

PLAIN = b"SQLite format 3\x00"  # how an unencrypted database begins
SERVICE = "mem"  # the name under which the system's keyring keeps passphrases
OPERATIONS, MEMORY_BYTES = (
    3,
    64 * 2**20,
)  # argon2id, about 0.1 s; RFC 9106 section 4, second recommended option
SHORTEST = 8  # characters


def derive(passphrase: str, salt: bytes) -> str:
    """The database key for a passphrase: argon2id to 32 bytes, in SQLCipher's raw form."""
    from nacl import pwhash

    key = pwhash.argon2id.kdf(32, passphrase.encode(), salt, opslimit=OPERATIONS, memlimit=MEMORY_BYTES)
    return raw_key(key, salt)


def unlock(home: Home, config: Config, ask: Callable[[], str] | None = None) -> str | None:
    """The key of the store in `home`; None where it is not encrypted.

    The passphrase comes from MEM_PASSPHRASE, the keyring, or `ask`, which only a terminal can offer.
    Raises WrongKey where none of them has one.
    """
    mode = config.encryption.mode
    fresh = not home.database.exists() or home.database.stat().st_size == 0
    if mode == "none" or (not fresh and is_plain(home.database)):
        return None
    if _unfinished(home).exists() and not fresh:
        _remove_plain(home)
    return derive(_passphrase(home, mode, ask), os.urandom(SALT_BYTES) if fresh else read_salt(home.database))


def needs_passphrase(home: Home, config: Config) -> bool:
    """Whether the store in `home` opens only with a passphrase that its user types."""
    if config.encryption.mode != "passphrase" or not home.database.exists():
        return False
    return home.database.stat().st_size > 0 and not is_plain(home.database)


def unlock_backup(
    header: bytes, home: Home, config: Config, ask: Callable[[], str] | None = None
) -> str | None:
    """The key of a backup, by its first 16 bytes, its salt; None where it is not encrypted. Raises WrongKey."""
    if header == PLAIN:
        return None
    return derive(_passphrase(home, config.encryption.mode, ask), header)


def _passphrase(home: Home, mode: str, ask: Callable[[], str] | None) -> str:
    """The passphrase, from wherever there is one. Raises WrongKey."""
    given = os.environ.get("MEM_PASSPHRASE") or (from_keyring(home) if mode == "keyring" else None)
    if given is None and ask is not None:
        given = ask()
    if not given:
        hint = "Run it in a terminal, or set MEM_PASSPHRASE for this one command."
        raise WrongKey("The store is encrypted and no passphrase was given.", hint)
    return given


def lock(
    home: Home,
    config: Config,
    passphrase: str,
    mode: str,
    now: datetime,
    ask: Callable[[], str] | None = None,
) -> str:
    """Encrypt the store in `home`, or change its passphrase; `mode` is "passphrase" or "keyring".

    Everything derived that could hold words in the clear is removed; one backup under the new key takes the place of
    those that were there. Returns the state hash, which did not change. Raises Refused on a short passphrase, WrongKey,
    StorageError.
    """
    from storage.backup import list_backups
    from storage.store import Store

    if len(passphrase) < SHORTEST:
        raise Refused(
            "The passphrase is too short.", f"Use at least {SHORTEST} characters; a sentence is good."
        )
    old = unlock(home, config, ask)
    if mode == "keyring":
        from_keyring(home)  # fails now, not after the store has its new key
    # The setting goes first: a plain store under it still opens, an encrypted one without it would not.
    save_setting(home.config, "encryption.mode", mode)
    write_atomic(_unfinished(home), b"")
    new = derive(passphrase, os.urandom(SALT_BYTES))
    digest = rekey(home.database, old, new)
    if mode == "keyring":
        to_keyring(home, passphrase)
    had_backups = bool(list_backups(home.backups))
    _remove_plain(home)
    if had_backups:
        with Store(home.database, key=new) as store:
            store.backup(home.backups, now)
    return digest


def open_up(home: Home, config: Config, ask: Callable[[], str] | None = None) -> str:
    """Decrypt the store in `home` for good. Returns the state hash. Raises WrongKey, StorageError."""
    digest = rekey(home.database, unlock(home, config, ask), None)
    save_setting(home.config, "encryption.mode", "none")
    return digest


def from_keyring(home: Home) -> str | None:
    """The passphrase that the system's keyring keeps for this home, if any. Raises Refused where there is none."""
    keyring, failed = _keyring()
    try:
        return keyring.get_password(SERVICE, str(home.path))  # type: ignore[no-any-return]
    except failed as error:
        raise _no_keyring(str(error)) from error


def to_keyring(home: Home, passphrase: str) -> None:
    """Let the system's keyring keep the passphrase. Raises Refused where this machine has none."""
    keyring, failed = _keyring()
    try:
        keyring.set_password(SERVICE, str(home.path), passphrase)
    except failed as error:
        raise _no_keyring(str(error)) from error


def _keyring() -> tuple[ModuleType, type[Exception]]:
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError as error:
        raise _no_keyring("the keyring package is not installed") from error
    return keyring, KeyringError


def _no_keyring(reason: str) -> Refused:
    hint = "Run `pip install 'mem-assistant[keyring]'`, or use a passphrase: `mem config encrypt`."
    return Refused(f"The system's keyring cannot be used: {reason}.", hint)


def _remove_plain(home: Home) -> None:
    """Index files, saved prompt states and backups from before are views or copies in the clear."""

    for folder in (home.path / "index", home.path / "prefix", home.backups, home.logs):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            if path.is_file():
                with path.open("r+b") as file:
                    overwrite(file)
                path.unlink()
    _unfinished(home).unlink(missing_ok=True)


def _unfinished(home: Home) -> Path:
    """A file that stands while a change of key is under way: whoever finds it after a crash removes what was left."""
    return home.path / "encrypting"
