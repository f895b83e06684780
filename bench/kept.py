"""A chat model whose answers are kept in a folder, so that a measurement goes on where it stopped; and their cost."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.config import find_home
from models.chat import ChatModel, Message, Usage
from models.open import open_chat


class KeptChat:
    """A ChatModel that asks another one only what it was not asked before.

    `calls`, `prompt` (tokens that no cache held), `generated` and `seconds` are what all answers cost when they were
    given, kept ones too.
    """

    def __init__(self, chat: ChatModel, folder: Path | None) -> None:
        self._chat, self._folder = chat, folder
        self.name, self.version, self.context_tokens = chat.name, chat.version, chat.context_tokens
        self.last_usage: Usage | None = None
        self.calls = self.prompt = self.generated = 0
        self.seconds = 0.0

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
        """Yield the reply at once. See ChatModel."""
        told = [[m.role, m.content] for m in messages]
        text = json.dumps([self.version, told, max_tokens, temperature, seed, schema])
        name = f"{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}.json"
        file = self._folder / name if self._folder else None
        if file is not None and file.is_file():
            raw, fresh, generated, seconds = json.loads(file.read_text(encoding="utf-8"))
        else:
            started = time.perf_counter()
            pieces = self._chat.stream(
                messages, max_tokens=max_tokens, temperature=temperature, seed=seed, schema=schema, stop=stop
            )
            raw, used = "".join(pieces), self._chat.last_usage or Usage(0, 0, 0, 0.0, 0.0)
            fresh, generated = used.prompt_tokens - used.cached_tokens, used.completion_tokens
            seconds = time.perf_counter() - started
            if file is not None and not used.stopped:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(json.dumps([raw, fresh, generated, seconds]), encoding="utf-8")
        self.last_usage = Usage(fresh, 0, generated, 0.0, 1000 * seconds)
        self.calls, self.prompt, self.generated = (
            self.calls + 1,
            self.prompt + fresh,
            self.generated + generated,
        )
        self.seconds += seconds
        yield raw

    def count_tokens(self, text: str) -> int:
        """Tokens that `text` takes in the model's vocabulary."""
        return self._chat.count_tokens(text)

    def close(self) -> None:
        """Free the weights."""
        self._chat.close()


def kept_chat(model: str, folder: Path | None) -> KeptChat:
    """The model of that id or path, from the user's own home."""
    return KeptChat(open_chat(model, find_home(None).models), folder)
