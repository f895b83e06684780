"""How fast the models run on this machine."""

from __future__ import annotations

import time
from dataclasses import dataclass

from app.memory import Memory
from models.chat import Message

PROMPT = "Here are notes of a day. " + " ".join(
    f"At {hour} o'clock a walk of {hour * 3} minutes led past house number {hour * 7}."
    for hour in range(1, 24)
)
TEXTS = 64
REPLY_TOKENS = 48


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens a second that the chat model reads and writes; texts of 20 words a second that the embedder takes."""

    chat: str
    prompt_per_second: float
    reply_per_second: float
    embedder: str
    texts_per_second: float


def measure(memory: Memory) -> Speed:
    """Run both models once. Raises ModelError where one is missing."""
    if memory.embedder is None:
        assert memory.embedder_error is not None
        raise memory.embedder_error
    chat = memory.chat
    for _ in chat.stream([Message("user", "Say hello.")], max_tokens=2):
        pass  # the weights load on first use; that is not speed
    for _ in chat.stream([Message("user", PROMPT + " Sum the day up.")], max_tokens=REPLY_TOKENS):
        pass
    usage = chat.last_usage
    assert usage is not None
    reading = max(usage.first_token_ms, 0.001) / 1000
    writing = max(usage.total_ms - usage.first_token_ms, 0.001) / 1000
    return Speed(
        chat.name,
        (usage.prompt_tokens - usage.cached_tokens) / reading,
        usage.completion_tokens / writing,
        memory.embedder.name,
        TEXTS / _seconds(memory),
    )


def _seconds(memory: Memory) -> float:
    assert memory.embedder is not None
    texts = [f"Note {number}: " + " ".join(PROMPT.split()[number : number + 18]) for number in range(TEXTS)]
    memory.embedder.embed(texts[:2])
    began = time.perf_counter()
    memory.embedder.embed(texts)
    return max(time.perf_counter() - began, 1e-6)
