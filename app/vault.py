"""The vault: secrets, sealed. What is in it is never in a prompt, an embedding, a log, a gist or an export.

Sealing needs no passphrase (a public key is kept in the store), so a secret that is found in what was
said can be put away at once; opening needs the vault's own passphrase.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.errors import NothingFound, Refused
from app.keys import MEMORY_BYTES, OPERATIONS, SHORTEST
from storage import sealed as sealed_rows
from storage.errors import WrongKey
from storage.store import Store

if TYPE_CHECKING:
    from nacl.public import PrivateKey

KEY = "vault_key"  # meta: the public key, and the private one under the passphrase


@dataclass(frozen=True, slots=True)
class Secret:
    """What `mem vault list` may show: never the secret itself."""

    name: str
    kind: str
    created_at: str


class Vault:
    """The secrets of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def ready(self) -> bool:
        """Whether a passphrase was set, so that secrets can be kept."""
        return self._store.meta(KEY) is not None

    def set_passphrase(self, passphrase: str, now: datetime, old: str | None = None) -> None:
        """Set up the vault, or change its passphrase. Raises Refused on a short one, WrongKey on a wrong `old`."""
        from nacl import public, pwhash, secret, utils

        if len(passphrase) < SHORTEST:
            raise Refused("The passphrase is too short.", f"Use at least {SHORTEST} characters.")
        private = self._private(old or "") if self.ready else public.PrivateKey.generate()
        salt = utils.random(pwhash.argon2id.SALTBYTES)
        box = secret.SecretBox(_stretched(passphrase, salt)).encrypt(bytes(private))
        with self._store.atomic("vault", now):
            kept = {"public": bytes(private.public_key).hex(), "salt": salt.hex(), "private": box.hex()}
            self._store.set_meta(KEY, kept)

    def put(self, name: str, secret: str, now: datetime, kind: str = "secret") -> None:
        """Seal a secret under `name`, replacing the one there. Raises Refused while no passphrase is set."""
        from nacl import public

        kept = self._store.meta(KEY)
        if kept is None:
            raise Refused("The vault has no passphrase yet.", "Set one with `mem vault set`.")
        sealed = public.SealedBox(public.PublicKey(bytes.fromhex(kept["public"]))).encrypt(secret.encode())
        with self._store.atomic("vault", now):
            sealed_rows.put(self._store.connection, name, kind, sealed, now)

    def get(self, name: str, passphrase: str) -> str:
        """The secret in the clear. Raises NothingFound, WrongKey."""
        from nacl import public

        sealed = sealed_rows.get(self._store.connection, name)
        if sealed is None:
            raise NothingFound(f"The vault has nothing called {name!r}.", "See `mem vault list`.")
        return public.SealedBox(self._private(passphrase)).decrypt(sealed).decode()

    def remove(self, name: str, now: datetime) -> None:
        """Erase a secret. Raises NothingFound."""
        with self._store.atomic("vault", now):
            if not sealed_rows.delete(self._store.connection, name):
                raise NothingFound(f"The vault has nothing called {name!r}.", "See `mem vault list`.")

    def secrets(self) -> list[Secret]:
        """Names, kinds and dates, by name."""
        return [Secret(*row) for row in sealed_rows.names(self._store.connection)]

    def _private(self, passphrase: str) -> PrivateKey:
        from nacl import exceptions, public, secret

        kept = self._store.meta(KEY)
        if kept is None:
            raise Refused("The vault has no passphrase yet.", "Set one with `mem vault set`.")
        box = secret.SecretBox(_stretched(passphrase, bytes.fromhex(kept["salt"])))
        try:
            return public.PrivateKey(box.decrypt(bytes.fromhex(kept["private"])))
        except exceptions.CryptoError as error:
            raise WrongKey(
                "The passphrase does not open the vault.", "Try again; nothing was changed."
            ) from error


def _stretched(passphrase: str, salt: bytes) -> bytes:
    from nacl import pwhash

    return pwhash.argon2id.kdf(32, passphrase.encode(), salt, opslimit=OPERATIONS, memlimit=MEMORY_BYTES)
