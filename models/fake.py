"""Deterministic stand-ins for a chat model and an embedder: for tests, demos and machines without models.

Real implementations of the two protocols, without weights: same input, same output, on every machine.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from models.chat import Message, Usage, shared_prefix
from models.embed import Embedder

if TYPE_CHECKING:
    from models.embed import Vectors

Script = Callable[[Sequence[Message]], str]

_PIECE = re.compile(r"\s?\w+|\s|[^\w\s]")
_WORD = re.compile(r"\w+")
_FILLERS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by did do does for from had has have i in is it me my of on or that "
        "the this to was we were what when where which who why how will with you your",
    )
)
_ENDINGS = ("ing", "ies", "ed", "es", "s", "y")


class EchoChat:
    """A ChatModel that repeats the line of its prompt that says most about the newest message.

    `replies` scripts it instead: a sequence is given out in order (the last one again and again), a function
    is asked with the messages. Without a script, a `schema` is answered by its smallest instance.
    """

    version = "echo-1"

    def __init__(
        self, replies: Sequence[str] | Script | None = None, *, name: str = "echo", context_tokens: int = 8192
    ) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.prompts: list[tuple[Message, ...]] = []
        self._script = replies if callable(replies) or replies is None else _in_order(replies)
        self._cache: list[str] = []
        self._usage: Usage | None = None

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,  # noqa: ARG002 - nothing is sampled
        seed: int = 0,  # noqa: ARG002
        schema: Mapping[str, Any] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Yield the reply word by word; `Usage.cached_tokens` counts the prefix shared with the last call."""
        started = time.perf_counter()
        self.prompts.append(tuple(messages))
        prompt = [piece for m in messages for piece in _pieces(f"\n{m.role}: {m.content}")]
        cached = shared_prefix(prompt, self._cache)
        self._cache = prompt
        given, stopped = 0, False
        try:
            for piece in _pieces(self._reply(messages, schema))[:max_tokens]:
                given += 1
                yield piece
                if stop is not None and stop():
                    stopped = True
                    break
        finally:
            spent = (time.perf_counter() - started) * 1000
            self._usage = Usage(len(prompt), cached, given, 0.0, spent, stopped)

    def count_tokens(self, text: str) -> int:
        """Words and punctuation marks."""
        return len(_pieces(text))

    @property
    def last_usage(self) -> Usage | None:
        """What the last call cost, None before the first."""
        return self._usage

    def close(self) -> None:
        """Nothing is held."""

    def _reply(self, messages: Sequence[Message], schema: Mapping[str, Any] | None) -> str:
        if self._script is not None:
            return self._script(messages)
        if schema is not None:
            return json.dumps(smallest_instance(schema))
        return _closest_line(messages)


class HashEmbedder(Embedder):
    """An Embedder in which every word stem is a fixed random direction: texts that share words are near."""

    def __init__(self, dim: int = 64) -> None:
        self.name = f"hash-{dim}"
        self.dim = dim

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of shape (len(texts), dim): the summed directions of each text's distinct stems."""
        import numpy as np  # numpy costs a third of the command line's start

        sums = np.zeros((len(texts), self.dim), dtype=np.float32)
        for row, text in zip(sums, texts, strict=True):
            for stem in sorted(_stems(text)) or [""]:
                direction = np.frombuffer(hashlib.shake_128(stem.encode()).digest(self.dim), dtype=np.int8)
                row += direction
        norms = np.linalg.norm(sums, axis=1, keepdims=True)
        unit: Vectors = sums / np.maximum(norms, 1e-9)
        return unit

    def close(self) -> None:
        """Nothing is held."""


def smallest_instance(schema: Mapping[str, Any]) -> Any:
    """The smallest value that follows a JSON schema: required fields only, first choices, empty lists.

    Understands what the grammars of this project use: type, properties, required, items, minItems,
    minLength, minimum, enum, const, anyOf/oneOf and $ref into the schema itself.
    """
    return _smallest(schema, schema)


def _smallest(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _smallest(_resolve(schema["$ref"], root), root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        return _smallest(choice, root)
    kind = schema.get("type", "object" if "properties" in schema else "null")
    return _smallest_of(kind if isinstance(kind, str) else kind[0], schema, root)


def _smallest_of(kind: str, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    match kind:
        case "object":
            fields = schema.get("properties", {})
            return {name: _smallest(fields.get(name, {}), root) for name in schema.get("required", ())}
        case "array":
            return [_smallest(schema.get("items", {}), root) for _ in range(schema.get("minItems", 0))]
        case "string":
            return "x" * schema.get("minLength", 0)
        case "integer" | "number":
            return max(schema.get("minimum", 0), min(0, schema.get("maximum", 0)))
        case "boolean":
            return False
        case _:
            return None


def _resolve(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    found = root
    for key in reference.removeprefix("#").strip("/").split("/"):
        found = found[key] if key else found
    return found


def _in_order(replies: Sequence[str]) -> Script:
    left = list(replies)

    def script(_: Sequence[Message]) -> str:
        return left.pop(0) if len(left) > 1 else "".join(left)

    return script


def _closest_line(messages: Sequence[Message]) -> str:
    """The prompt's line that shares most stems with its last line, the later one on a tie."""
    lines = [line.strip() for message in messages for line in message.content.splitlines() if line.strip()]
    if not lines:
        return ""
    *evidence, question = lines
    wanted = _stems(question)
    best, most = question, 0
    for line in evidence:
        shared = len(wanted & _stems(line))
        if shared and shared >= most:
            best, most = line, shared
    return best


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in _WORD.findall(text.lower()) if word not in _FILLERS}


def _stem(word: str) -> str:
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


@lru_cache(maxsize=1024)  # a conversation's messages come again with every turn
def _pieces(text: str) -> tuple[str, ...]:
    return tuple(_PIECE.findall(text))
