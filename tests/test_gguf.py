"""The head of a GGUF file, sound and hostile: whatever the bytes are, the answer is a fact or a clean error."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.errors import ModelDamaged, ModelMissing
from models.gguf import read_gguf


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def pair(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def head(*pairs: bytes, version: int = 3, tensors: int = 1, magic: bytes = b"GGUF") -> bytes:
    return magic + struct.pack("<IQQ", version, tensors, len(pairs)) + b"".join(pairs)


def number(key: str, value: int) -> bytes:
    return pair(key, 4, struct.pack("<I", value))


WORDS = pair("tokenizer.ggml.tokens", 9, struct.pack("<IQ", 8, 2) + text("one") + text("two"))
SCORES = pair("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 3) + bytes(12))
SOUND = head(
    pair("general.architecture", 8, text("llama")),
    pair("general.name", 8, text("Tiny")),
    WORDS,
    SCORES,
    number("llama.context_length", 4096),
    number("llama.block_count", 2),
    number("llama.embedding_length", 64),
    number("llama.attention.head_count", 8),
    number("llama.attention.head_count_kv", 4),
)


def write(folder: Path, data: bytes) -> Path:
    path = folder / "model.gguf"
    path.write_bytes(data)
    return path


def test_a_sound_head_says_what_the_model_is(tmp_path: Path) -> None:
    info = read_gguf(write(tmp_path, SOUND))
    assert (info.name, info.architecture, info.context_tokens, info.layers) == ("Tiny", "llama", 4096, 2)
    assert info.kv_width == 64 // 8 * 4
    assert info.cache_bytes(100) == 100 * 2 * 32 * 2 * 2


def test_the_fingerprint_changes_with_the_weights(tmp_path: Path) -> None:
    one = read_gguf(write(tmp_path, SOUND + bytes(5000)))
    other = read_gguf(write(tmp_path, SOUND + bytes(4999) + b"x"))
    assert one.fingerprint != other.fingerprint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GGUF",
        head(magic=b"GGML"),
        head(version=99),
        head(tensors=1 << 40),
        head(tensors=0),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 60),
        b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + struct.pack("<Q", 1 << 62) + b"key",
        head(pair("key", 77, b"")),
        head(pair("key", 9, struct.pack("<IQ", 8, 1 << 60))),
        head(pair("key", 9, struct.pack("<IQ", 6, 1 << 60))),
        head(pair("key", 9, struct.pack("<IQ", 9, 1))),
        head(pair("key", 8, struct.pack("<Q", 3) + b"\xff\xfe\xfd")),
        SOUND[:-30],
    ],
)
def test_a_head_that_is_not_believable_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(ModelDamaged):
        read_gguf(write(tmp_path, data))


def test_no_file_is_a_missing_model(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.gguf", tmp_path):
        with pytest.raises(ModelMissing):
            read_gguf(path)


@given(place=st.integers(0, len(SOUND) - 1), value=st.integers(0, 255), cut=st.integers(0, len(SOUND)))
def test_any_damage_is_a_fact_or_a_clean_error(
    tmp_path_factory: pytest.TempPathFactory, place: int, value: int, cut: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.gguf"
    for data in (SOUND[:place] + bytes([value]) + SOUND[place + 1 :], SOUND[:cut]):
        path.write_bytes(data)
        try:
            assert read_gguf(path).architecture is not None
        except ModelDamaged as problem:
            assert problem.hint
