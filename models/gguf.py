"""Reads the head of a GGUF file: enough to know the model, and to refuse a broken one before llama.cpp sees it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Weights are never read here.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import ModelDamaged, ModelMissing

MAGIC = b"GGUF"
VERSIONS = (2, 3)
MAX_TENSORS = 100_000
MAX_KEYS = 10_000
MAX_NAME = 65_535

# Value types: struct code of each fixed-size one, by its number.
_FIXED = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9


@dataclass(frozen=True, slots=True)
class GgufInfo:
    """What a GGUF file says about itself. Counts in tokens, layers and heads; 0 where it does not say."""

    name: str
    architecture: str
    context_tokens: int
    layers: int
    kv_width: int  # numbers that one token adds to the keys, or to the values, of one layer
    fingerprint: str  # changes when the file's head, tail or length changes

    def cache_bytes(self, tokens: int, bytes_per_number: float = 2.0) -> int:
        """Memory that the keys and values of so many tokens take."""
        return int(tokens * self.layers * self.kv_width * 2 * bytes_per_number)


def read_gguf(path: Path) -> GgufInfo:
    """Read and check the head of a model file. Raises ModelMissing or ModelDamaged."""
    hint = "Fetch it again, or give another file."
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            values = _Head(data).values()
            return _info(path, values)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as problem:
        raise ModelMissing(
            f"{path} cannot be opened: {problem.strerror}.", "Fetch a model with `mem setup`."
        ) from problem
    except (ValueError, struct.error, OverflowError) as problem:
        raise ModelDamaged(f"{path} is not a sound GGUF file: {problem}.", hint) from problem


def _info(path: Path, values: dict[str, Any]) -> GgufInfo:
    architecture = str(values.get("general.architecture", ""))

    def number(key: str) -> int:
        value = values.get(f"{architecture}.{key}", 0)
        return int(value) if isinstance(value, int | float) else 0

    heads = number("attention.head_count")
    width = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    return GgufInfo(
        name=str(values.get("general.name") or path.stem),
        architecture=architecture,
        context_tokens=number("context_length"),
        layers=number("block_count"),
        kv_width=width * (number("attention.head_count_kv") or heads),
        fingerprint=fingerprint(path),
    )


def fingerprint(path: Path) -> str:
    """A hash of the file's head, tail and length: as good as its whole to notice another file. Raises OSError."""
    size = path.stat().st_size
    with path.open("rb") as file:
        ends = hashlib.sha256(file.read(1 << 20))
        file.seek(max(0, size - (1 << 20)))
        ends.update(file.read())
    ends.update(str(size).encode())
    return ends.hexdigest()[:16]


class _Head:
    """A reader that never goes beyond the file and never believes a length."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data = data
        self._place = 0

    def values(self) -> dict[str, Any]:
        """The scalar and text values; arrays are stepped over."""
        if self._data[:4] != MAGIC:
            raise ValueError("it does not begin with GGUF")
        self._place = 4
        version, tensors, keys = self._unpack("IQQ")
        if version not in VERSIONS:
            raise ValueError(f"version {version} is unknown")
        if not 0 < tensors <= MAX_TENSORS or keys > MAX_KEYS:
            raise ValueError(f"{tensors} tensors and {keys} keys are not believable")
        found = {}
        for _ in range(keys):
            key = self._text(MAX_NAME)
            (kind,) = self._unpack("I")
            found[key] = self._value(kind)
        return found

    def _value(self, kind: int) -> Any:
        if kind in _FIXED:
            return self._unpack(_FIXED[kind])[0]
        if kind == _STRING:
            return self._text(len(self._data))
        if kind == _ARRAY:
            return self._skip_array()
        raise ValueError(f"value type {kind} is unknown")

    def _skip_array(self) -> None:
        kind, count = self._unpack("IQ")
        if kind in _FIXED:
            self._step(count * struct.calcsize(f"<{_FIXED[kind]}"))
        elif kind == _STRING:
            self._skip_texts(count)
        else:
            raise ValueError(f"an array of type {kind} is not expected")

    def _skip_texts(self, count: int) -> None:
        """Vocabularies hold hundreds of thousands of texts, so this loop is kept bare."""
        data, place, size = self._data, self._place, len(self._data)
        for _ in range(count):
            place += 8 + int.from_bytes(data[place : place + 8], "little")
            if place > size:
                raise ValueError("it ends too early")
        self._place = place

    def _text(self, longest: int) -> str:
        (length,) = self._unpack("Q")
        if length > longest:
            raise ValueError(f"a text of {length} bytes is not believable")
        start = self._place
        self._step(length)
        return self._data[start : self._place].decode("utf-8")

    def _unpack(self, form: str) -> tuple[Any, ...]:
        start = self._place
        self._step(struct.calcsize(f"<{form}"))
        return struct.unpack(f"<{form}", self._data[start : self._place])

    def _step(self, length: int) -> None:
        if length > len(self._data) - self._place:
            raise ValueError("it ends too early")
        self._place += length
