"""The chat model that runs a GGUF in this process with llama.cpp.

Messages become tokens by the model's own template; what the cache already holds is never read again.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.chat import Message, Usage
from models.engine import CacheType, Engine, EngineSettings, Sampling, supports_gpu
from models.errors import ModelError, ModelMissing, PromptTooLong
from models.gguf import GgufInfo, fingerprint, read_gguf
from models.machine import Machine, this_machine
from models.template import ChatTemplate
from models.thinking import ThoughtSplitter

USUAL_CONTEXT = 8192
CACHE_SHARE = 8  # the cache takes at most this part of the memory
_SEAL_BYTES = hashlib.sha256().digest_size
ABLE = 800_000_000  # bytes of weights from which a model chooses tools well enough to be given any
AHEAD_SLICE = 32  # tokens read ahead between two looks whether the model is being closed
CHOOSE_GPU = -2  # all layers where llama.cpp was built for a GPU, else none


@dataclass(frozen=True, slots=True)
class ChatSettings:
    """How to run a chat model. 0 (for `gpu_layers` -2) means: chosen for this machine and model."""

    context_tokens: int = 0
    threads: int = 0
    batch: int = 0
    gpu_layers: int = CHOOSE_GPU
    cache_type: CacheType = "f16"
    lora: Path | None = None

    def resolve(self, info: GgufInfo, machine: Machine) -> EngineSettings:
        """The settings in numbers: the context within the model's, and by default within the memory."""
        fits = machine.ram // CACHE_SHARE // max(1, info.cache_bytes(1))
        context = self.context_tokens or max(1024, min(USUAL_CONTEXT, fits))
        return EngineSettings(
            context_tokens=min(context, info.context_tokens or context),
            threads=self.threads or machine.cores,
            batch=min(self.batch or 512, context),
            gpu_layers=(-1 if supports_gpu() else 0) if self.gpu_layers == CHOOSE_GPU else self.gpu_layers,
            cache_type=self.cache_type,
            lora=self.lora,
        )


class LlamaCppChat:
    """A ChatModel over one GGUF file. Weights load on first use and stay."""

    def __init__(
        self,
        path: Path,
        settings: ChatSettings | None = None,
        *,
        name: str | None = None,
        on_thought: Callable[[str], None] | None = None,
    ) -> None:
        """Check the file; nothing heavy happens yet. `on_thought` is given the reasoning of thinking models, and the
        reply has an empty piece after each of its pieces.

        Raises ModelMissing, ModelDamaged or EngineMissing.
        """
        self._path = path
        self._info = read_gguf(path)
        self._settings = (settings or ChatSettings()).resolve(self._info, this_machine())
        self.on_thought = on_thought or (lambda _: None)
        self.calls_tools = path.stat().st_size >= ABLE
        self._engine: Engine | None = None
        self._template: ChatTemplate | None = None
        self._usage: Usage | None = None
        self._closed = False
        self._ahead: threading.Thread | None = None
        self.name = name or path.stem
        self.version = self._version()
        self.context_tokens = self._settings.context_tokens

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
        """Yield the reply in pieces of whole characters. See ChatModel; raises PromptTooLong besides."""
        started = time.perf_counter()
        engine, template = self._free()
        prompt = template.prompt(messages, think=schema is None)
        tokens = self._fitting(prompt.tokens)
        run = _Run(len(tokens), engine.reuse(tokens), started)
        sampling = Sampling(temperature, seed, _grammar(schema) if schema is not None else "")
        splitter = ThoughtSplitter(thinking=prompt.thinking)
        try:
            for text in self._pieces(engine, tokens[run.cached :], sampling, max_tokens, run, stop):
                for piece in splitter.feed(text):
                    if piece.kind == "text":
                        yield piece.text
                    else:
                        self.on_thought(piece.text)
                        yield ""  # lets a caller show the thought now
            for piece in splitter.end():
                if piece.kind == "text":
                    yield piece.text
        finally:
            self._usage = run.usage()

    def count_tokens(self, text: str) -> int:
        """Tokens that `text` takes in this model's vocabulary."""
        return len(self._load()[0].tokenize(text))

    @property
    def last_usage(self) -> Usage | None:
        """What the last call cost, None before the first."""
        return self._usage

    def close(self) -> None:
        """Free the weights and the cache. Further calls fail."""
        self._closed = True
        self._wait()
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def read_ahead(self, messages: Sequence[Message]) -> None:
        """Begin to read these messages in the background; whatever uses the cache waits until that is done."""
        engine, template = self._free()
        tokens = template.prompt(messages, reply=False).tokens
        if len(tokens) < self.context_tokens:
            self._ahead = threading.Thread(target=self._read_on, args=(engine, tokens), name="mem-read-ahead")
            self._ahead.start()

    def _read_on(self, engine: Engine, tokens: Sequence[int]) -> None:
        # The next prompt begins with these tokens and meets the same error, where somebody hears of it.
        with suppress(ModelError):
            for start in range(engine.reuse(tokens), len(tokens), AHEAD_SLICE):
                if self._closed:
                    break
                engine.read(tokens[start : start + AHEAD_SLICE])

    def _wait(self) -> None:
        if self._ahead is not None:
            self._ahead.join()
            self._ahead = None

    def _free(self) -> tuple[Engine, ChatTemplate]:
        """The engine with nothing under way in it."""
        self._wait()
        return self._load()

    def save_prefix(self, messages: Sequence[Message]) -> bytes:
        """Read the messages, if the cache has not, and give the cache's state after them as bytes."""
        engine, template = self._free()
        tokens = self._fitting(template.prompt(messages, reply=False).tokens)
        engine.read(tokens[engine.reuse(tokens) :])
        state = engine.save_state()
        return self._seal(tokens, state) + state

    def load_prefix(self, messages: Sequence[Message], saved: bytes) -> bool:
        """Put what `save_prefix` gave for these messages into the cache.

        False, with nothing changed for the worse, when it is of other messages, another model or other settings,
        or damaged: no byte reaches llama.cpp unless the seal fits.
        """
        engine, template = self._free()
        tokens = template.prompt(messages, reply=False).tokens
        state = saved[_SEAL_BYTES:]
        if len(tokens) >= self.context_tokens or saved[:_SEAL_BYTES] != self._seal(tokens, state):
            return False
        return engine.load_state(tokens, state)

    def _seal(self, tokens: Sequence[int], state: bytes) -> bytes:
        seal = hashlib.sha256(f"{self.version} {tokens}".encode())
        seal.update(state)
        return seal.digest()

    def _load(self) -> tuple[Engine, ChatTemplate]:
        if self._closed:
            raise ModelError(f"{self.name} is closed.", "Open it again.")
        if self._engine is None or self._template is None:
            self._check_unchanged()
            self._engine = Engine(self._path, self._settings)
            self._template = ChatTemplate(self._engine)
        return self._engine, self._template

    def _check_unchanged(self) -> None:
        try:
            same = fingerprint(self._path) == self._info.fingerprint
        except OSError as problem:
            raise ModelMissing(
                f"{self._path} cannot be opened any more: {problem.strerror}.",
                "Fetch it again with `mem setup`.",
            ) from problem
        if not same:
            raise ModelError(f"{self._path} was replaced by another file.", "Start again to use it.")

    def _fitting(self, tokens: list[int]) -> list[int]:
        if len(tokens) >= self.context_tokens:
            raise PromptTooLong(len(tokens), self.context_tokens)
        return tokens

    def _pieces(
        self,
        engine: Engine,
        unread: Sequence[int],
        sampling: Sampling,
        max_tokens: int,
        run: _Run,
        stop: Callable[[], bool] | None,
    ) -> Iterator[str]:
        sampler = engine.sampler(sampling)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")  # a character may need several tokens
        try:
            if not engine.read(unread, stop):
                run.stopped = True
                return
            for _ in range(min(max_tokens, self.context_tokens - len(engine.cached))):
                token = sampler.next()
                run.count()
                if engine.ends(token):
                    break
                text = decoder.decode(engine.piece(token))
                if text:
                    yield text
                if stop is not None and stop():
                    run.stopped = True
                    break
                engine.read([token])
        finally:
            sampler.close()

    def _version(self) -> str:
        lora = self._settings.lora
        parts = [self._info.fingerprint, self._settings.cache_type]
        if lora is not None:
            parts.append(read_gguf(lora).fingerprint)
        return "-".join(parts)


@dataclass(slots=True)
class _Run:
    """The cost of one call as it grows."""

    prompt: int
    cached: int
    started: float
    completion: int = 0
    first_ms: float = 0.0
    stopped: bool = False

    def count(self) -> None:
        """A token was chosen."""
        self.completion += 1
        if self.completion == 1:
            self.first_ms = (time.perf_counter() - self.started) * 1000

    def usage(self) -> Usage:
        """The cost so far."""
        total = (time.perf_counter() - self.started) * 1000
        return Usage(self.prompt, self.cached, self.completion, self.first_ms, total, self.stopped)


def _grammar(schema: Mapping[str, Any]) -> str:
    """The schema as a grammar of llama.cpp. Raises ModelError."""
    from llama_cpp.llama_grammar import json_schema_to_gbnf

    try:
        return str(json_schema_to_gbnf(json.dumps(schema)))
    except (ValueError, KeyError, TypeError, AttributeError, AssertionError, RecursionError) as problem:
        raise ModelError(f"This JSON schema cannot become a grammar: {problem}.", "Simplify it.") from problem
