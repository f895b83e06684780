"""The chat model seam: one protocol and the plain data that crosses it.

Knows no engine: llama.cpp lives in models/llama.py, a stand-in in models/fake.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, runtime_checkable

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a prompt."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Usage:
    """What the last completed call cost. `cached_tokens` of the prompt were already in the KV cache."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    first_token_ms: float
    total_ms: float
    stopped: bool = False  # the caller's `stop` ended it


class ChatModel(Protocol):
    """A model that continues a conversation. One instance per thread of use; it is not re-entrant."""

    name: str
    version: str  # changes when the weights or the settings that shape the output change
    context_tokens: int

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        schema: Mapping[str, Any] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Yield the reply in pieces as they are generated.

        `schema` is a JSON schema that the reply must follow (enforced by a grammar while sampling).
        `stop` is asked after each piece; True ends the reply early. Raises ModelError.
        """
        ...

    def count_tokens(self, text: str) -> int:
        """Tokens that `text` takes in this model's vocabulary."""
        ...

    @property
    def last_usage(self) -> Usage | None:
        """What the last call cost, None before the first."""
        ...

    def close(self) -> None:
        """Free the weights and the cache. Further calls fail."""
        ...


@runtime_checkable
class Thinks(Protocol):
    """A chat model that hands over its reasoning, apart from its reply; an empty piece follows in the stream."""

    on_thought: Callable[[str], None]


@runtime_checkable
class ReadsAhead(Protocol):
    """A chat model that can read what the next prompt will begin with while nobody waits for it."""

    def read_ahead(self, messages: Sequence[Message]) -> None:
        """Begin to read these messages in the background; the next call waits until that is done."""
        ...


def shared_prefix(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many leading elements (tokens) two sequences have in common."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))
