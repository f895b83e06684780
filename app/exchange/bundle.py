"""Signed bundles: a few memories for someone else, in a file that tells who made it and that nobody changed it.

The signature is Ed25519 over every byte below the head line. It proves one key, not a person: compare the
fingerprint by voice. What a bundle says informs, as everything imported does, and is said by its maker, never by
the user who takes it in.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import BadInput, NothingFound
from app.exchange.items import Item, Problem, open_binary, read_limited
from app.exchange.jsonl import turn_from
from app.memory import Memory
from app.present import zone
from app.records import Filter, Record

if TYPE_CHECKING:
    from nacl.signing import SigningKey

MARK = "mem_bundle"
VERSION = 1
KEY = "signing_key"  # the store's key for the seed that signs its bundles
MOST = 64 * 2**20  # bytes of a bundle


def chosen(memory: Memory, ids: Sequence[str], sessions: Sequence[str]) -> list[Record]:
    """The memories with these ids and all of these sessions, each once. Raises RecordNotFound, NothingFound."""
    found = {record.id: record for record in map(memory.store.get, ids)}
    for session in sessions:
        told = memory.store.records(Filter(session=session))
        if not told:
            raise NothingFound(f"There is no session {session!r}.", "See `mem sessions`.")
        found |= {record.id: record for record in told}
    return sorted(found.values(), key=lambda r: (r.event_time, r.seq))


def bundle(memory: Memory, records: Sequence[Record], now: datetime) -> Iterator[str]:
    """The lines of a bundle that holds these memories, signed with this home's own key; the first is its head."""
    key = _signing_key(memory, now)
    lines = [_line(_values(record, memory.config.user.name)) for record in records]
    head = {
        MARK: VERSION,
        "signer": bytes(key.verify_key).hex(),
        "signature": key.sign("".join(lines).encode(errors="replace")).signature.hex(),
    }
    yield from [_line(head), *lines]


def read_bundle(path: Path) -> Iterator[Item]:
    """What a bundle holds. Raises BadInput, before anything is yielded, where the signature does not fit."""
    signer, body = _verified(path)
    for number, line in enumerate(body.split("\n")[:-1], 2):
        place = f"line {number}"
        try:
            turn = turn_from(json.loads(line), place)
        except (ValueError, RecursionError) as error:
            yield Problem(place, str(error))
            continue
        role = "assistant" if turn.role == "assistant" else "other"
        session = f"bundle {signer}: {turn.session or turn.time or ''}"
        yield replace(turn, role=role, session=session, extra={"signer": signer})


def signer_of(path: Path) -> str:
    """The fingerprint of the key that signed a bundle. Raises BadInput."""
    return _verified(path)[0]


def fingerprint(key: bytes) -> str:
    """Sixteen hex digits of a public key, in groups that can be read aloud."""
    digits = hashlib.blake2b(key, digest_size=8).hexdigest()
    return " ".join(digits[i : i + 4] for i in range(0, 16, 4))


def _verified(path: Path) -> tuple[str, str]:
    """The signer's fingerprint and the body, when the one has signed the other."""
    from nacl.exceptions import CryptoError
    from nacl.signing import VerifyKey

    with open_binary(path) as file:
        data = read_limited(file, path, MOST)
    head, _, body = data.partition(b"\n")
    try:
        values = json.loads(head)
        newer = values[MARK] != VERSION
        key = VerifyKey(bytes.fromhex(values["signer"]))
        signature = bytes.fromhex(values["signature"])
    except (ValueError, TypeError, KeyError, RecursionError, CryptoError) as error:
        raise BadInput(f"{path} is no bundle.", "Ask its sender for it again.") from error
    if newer:
        raise BadInput(f"{path} was written by a newer version of mem.", "Update mem.")
    try:
        key.verify(body, signature)
        return fingerprint(bytes(key)), body.decode()
    except (CryptoError, ValueError) as error:
        raise BadInput(
            f"{path} was changed after it was signed; nothing was taken in.", "Ask its sender for it again."
        ) from error


def _signing_key(memory: Memory, now: datetime) -> SigningKey:
    from nacl.signing import SigningKey

    kept = memory.store.meta(KEY)
    if kept is not None:
        return SigningKey(bytes.fromhex(kept))
    key = SigningKey.generate()
    with memory.store.atomic("bundle", now):
        memory.store.set_meta(KEY, bytes(key).hex())
    return key


def _values(record: Record, user: str) -> dict[str, Any]:
    return {
        "id": record.id,
        "time": record.event_time.astimezone(zone(record.tz)).isoformat(),
        "speaker": record.speaker or ("mem" if record.role == "assistant" else user),
        "role": record.role,
        "session": record.session,
        "text": record.text,
    }


def _line(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
