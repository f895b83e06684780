"""Signed bundles: what is chosen arrives, as another's words; whatever was changed on the way is refused."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import encode
from app.config import Config, Home, replaced
from app.errors import BadInput, NothingFound
from app.exchange.bundle import bundle, chosen, read_bundle, signer_of
from app.exchange.formats import guess
from app.exchange.importer import import_items
from app.exchange.items import Turn
from app.memory import Memory
from app.open import open_memory
from app.records import Source

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
CONFIG = replaced(Config(), "models.embed", "fake")
SAID = ("I grow tulips.", "The attic code is written on the beam.\u2028Second floor.", "Nothing else.")


def opened(folder: Path) -> Memory:
    return open_memory(Home(folder, folder / "models"), CONFIG)


@pytest.fixture
def sender(tmp_path: Path) -> Memory:
    memory = opened(tmp_path / "sender")
    memory.add([encode.turn(text, now=NOW, session="garden") for text in SAID], "say", NOW)
    return memory


def written(memory: Memory, path: Path, count: int = 3) -> Path:
    records = chosen(memory, [], ["garden"])[:count]
    path.write_text("".join(bundle(memory, records, NOW)), encoding="utf-8")
    return path


def test_what_was_chosen_arrives_as_its_senders_words(sender: Memory, tmp_path: Path) -> None:
    path = written(sender, tmp_path / "b.bundle", 2)
    assert guess(path) == "bundle"
    there = opened(tmp_path / "there")
    assert import_items(there, read_bundle(path), NOW).added == 2
    assert import_items(there, read_bundle(path), NOW).added == 0
    taken = there.store.records()
    assert {r.text for r in taken} == set(SAID[:2])
    for record in taken:
        assert (record.role, record.source, record.trust) == ("other", Source.IMPORTED, Source.IMPORTED)
        assert record.extra["signer"] == signer_of(path)


def test_one_home_signs_with_one_key_and_another_with_another(sender: Memory, tmp_path: Path) -> None:
    first = signer_of(written(sender, tmp_path / "1.bundle", 1))
    assert signer_of(written(sender, tmp_path / "2.bundle", 2)) == first
    other = opened(tmp_path / "other")
    other.add([encode.turn("I keep bees.", now=NOW, session="garden")], "say", NOW)
    assert signer_of(written(other, tmp_path / "3.bundle")) != first


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_changed_byte_passes(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        memory = opened(Path(folder) / "home")
        memory.add([encode.turn("I grow tulips.", now=NOW, session="garden")], "say", NOW)
        path = written(memory, Path(folder) / "b.bundle")
        whole = path.read_bytes()
        place = data.draw(st.integers(whole.index(b"\n") + 1, len(whole) - 1))
        changed = bytearray(whole)
        changed[place] ^= data.draw(st.integers(1, 255))
        path.write_bytes(bytes(changed))
        with pytest.raises(BadInput):
            list(read_bundle(path))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda _: b"",
        lambda _: b"{}\n",
        lambda _: b"\x00\xff" * 40,
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b'"mem_bundle":1', b'"mem_bundle":2'),
        lambda data: data.replace(b'"signer":"', b'"signer":"zz'),
        lambda data: data.partition(b"\n")[0],
        lambda _: b"[" * 100_000,
    ],
)
def test_what_is_no_bundle_is_refused(
    spoil: Callable[[bytes], bytes], sender: Memory, tmp_path: Path
) -> None:
    path = written(sender, tmp_path / "b.bundle")
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(BadInput):
        list(read_bundle(path))


def test_lines_that_are_no_turns_are_reported_though_they_are_signed(sender: Memory, tmp_path: Path) -> None:
    from nacl.signing import SigningKey

    body = b'{"text": "fine"}\n{"text": ""}\n[]\n'
    key = SigningKey.generate()
    head = f'{{"mem_bundle":1,"signer":"{bytes(key.verify_key).hex()}","signature":"{key.sign(body).signature.hex()}"}}'
    path = tmp_path / "b.bundle"
    path.write_bytes(head.encode() + b"\n" + body)
    kinds = [isinstance(item, Turn) for item in read_bundle(path)]
    assert kinds == [True, False, False]


def test_a_choice_of_nothing_is_told(sender: Memory) -> None:
    with pytest.raises(NothingFound):
        chosen(sender, [], ["kitchen"])
