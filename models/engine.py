"""One GGUF model in this process: its vocabulary, its weights and one sequence of tokens in its cache.

A typed layer over llama.cpp's C interface. Knows tokens; nothing of messages, templates or JSON.
"""

from __future__ import annotations

import ctypes
import functools
import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from models.chat import shared_prefix
from models.errors import EngineMissing, ModelDamaged, ModelError

CacheType = Literal["f16", "q8_0", "q4_0"]
_CACHE_TYPES: dict[CacheType, int] = {"f16": 1, "q8_0": 8, "q4_0": 2}  # numbers of ggml_type

PROMPT_SLICE = 128  # tokens read between two looks at `stop`: about a second of a slow machine


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """How a model is run. `gpu_layers` -1 means all; the cache types trade memory for exactness."""

    context_tokens: int
    threads: int
    batch: int = 512
    gpu_layers: int = 0
    cache_type: CacheType = "f16"
    lora: Path | None = None


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen: greedily at temperature 0, else top-k, top-p, min-p, from `seed`."""

    temperature: float = 0.0
    seed: int = 0
    grammar: str = ""
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05


class Engine:
    """Weights and cache. Not to be used by two threads at once."""

    def __init__(self, path: Path, settings: EngineSettings) -> None:
        """Load the weights. Raises EngineMissing, ModelDamaged, or ModelError when memory does not suffice."""
        self._c = load_library()
        self.settings = settings
        self.cached: list[int] = []
        self._model = self._load(path)
        self._vocab = self._c.llama_model_get_vocab(self._model)
        self._context = self._make_context()
        self._memory = self._c.llama_get_memory(self._context)
        if settings.lora is not None:
            self._adapt(settings.lora)

    def close(self) -> None:
        """Free weights and cache."""
        if self._context is not None:
            self._c.llama_free(self._context)
            self._context = None
        if self._model is not None:
            self._c.llama_model_free(self._model)
            self._model = None

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and reply may take together."""
        return int(self._c.llama_n_ctx(self._context))

    @property
    def chat_template(self) -> str | None:
        """The Jinja template in the model's file, if any."""
        template = self._c.llama_model_chat_template(self._model, None)
        return template.decode("utf-8", "replace") if template else None

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Tokens of a text; with `special`, control tokens written in it count as such."""
        data = text.encode("utf-8", "replace")
        room = len(data) + 8
        while True:
            tokens = (self._c.llama_token * room)()
            count = self._c.llama_tokenize(self._vocab, data, len(data), tokens, room, False, special)
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """The bytes of a token: maybe only part of a character."""
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            count = self._c.llama_token_to_piece(self._vocab, token, buffer, room, 0, special)
            if count >= 0:
                return buffer.raw[:count]
            room = -count

    def special_text(self, which: Literal["bos", "eos"]) -> str:
        """The text of the token that begins or ends a sequence, for templates."""
        token = getattr(self._c, f"llama_vocab_{which}")(self._vocab)
        return self.piece(token, special=True).decode("utf-8", "replace") if token >= 0 else ""

    @property
    def begins_with_bos(self) -> int | None:
        """The token that every prompt must begin with, if the model wants one."""
        return (
            int(self._c.llama_vocab_bos(self._vocab))
            if self._c.llama_vocab_get_add_bos(self._vocab)
            else None
        )

    def ends(self, token: int) -> bool:
        """Whether this token ends a reply."""
        return bool(self._c.llama_vocab_is_eog(self._vocab, token))

    def controls(self, token: int) -> bool:
        """Whether this token steers the model rather than standing for text."""
        return bool(self._c.llama_vocab_is_control(self._vocab, token))

    def reuse(self, prompt: Sequence[int]) -> int:
        """Cut the cache back to what it shares with `prompt`; returns how many tokens need no reading.

        At least the last token is read again, because sampling needs its logits.
        """
        kept = min(shared_prefix(self.cached, prompt), len(prompt) - 1)
        return self._keep(kept)

    def _keep(self, count: int) -> int:
        if not self._c.llama_memory_seq_rm(self._memory, 0, count, -1):
            # Recurrent models cannot go back a part of the way.
            self._c.llama_memory_clear(self._memory, True)
            count = 0
        del self.cached[count:]
        return count

    def read(self, tokens: Sequence[int], stop: Callable[[], bool] | None = None) -> bool:
        """Take tokens into the cache; False when `stop` ended it between two slices. Raises ModelError."""
        step = self.settings.batch if stop is None else min(PROMPT_SLICE, self.settings.batch)
        for start in range(0, len(tokens), step):
            if start and stop is not None and stop():
                return False
            part = tokens[start : start + step]
            array = (self._c.llama_token * len(part))(*part)
            code = self._c.llama_decode(self._context, self._c.llama_batch_get_one(array, len(part)))
            if code:
                self._keep(len(self.cached))
                raise ModelError(f"llama.cpp could not go on (code {code}).", "Try a shorter conversation.")
            self.cached.extend(part)
        return True

    def sampler(self, sampling: Sampling) -> Sampler:
        """A chooser of next tokens for one reply. Close it after use. Raises ModelError for a bad grammar."""
        return Sampler(self._c, self._context, self._vocab, sampling)

    def save_state(self) -> bytes:
        """The cache as bytes, for `load_state` of the same model and settings."""
        size = self._c.llama_state_seq_get_size(self._context, 0)
        buffer = (ctypes.c_uint8 * size)()
        written = self._c.llama_state_seq_get_data(self._context, buffer, size, 0)
        return bytes(memoryview(buffer)[:written])

    def load_state(self, tokens: Sequence[int], state: bytes) -> bool:
        """Put back what `save_state` gave for these tokens; False, and an empty cache, when it does not fit."""
        self._keep(0)
        buffer = (ctypes.c_uint8 * len(state)).from_buffer_copy(state)
        read = self._c.llama_state_seq_set_data(self._context, buffer, len(state), 0)
        if not read or read != len(state):
            self._c.llama_memory_clear(self._memory, True)
            return False
        self.cached = list(tokens)
        return True

    def _load(self, path: Path) -> Any:
        params = self._c.llama_model_default_params()
        params.n_gpu_layers = self.settings.gpu_layers if self.settings.gpu_layers >= 0 else 0x7FFF_FFFF
        model = self._c.llama_model_load_from_file(str(path).encode(), params)
        if not model:
            raise ModelDamaged(
                f"llama.cpp cannot load {path}: {_log().last()}", "Fetch it again with `mem setup`."
            )
        return model

    def _make_context(self) -> Any:
        params = self._c.llama_context_default_params()
        params.n_ctx = self.settings.context_tokens
        params.n_batch = params.n_ubatch = self.settings.batch
        params.n_threads = params.n_threads_batch = self.settings.threads
        params.n_seq_max = 1
        params.no_perf = True
        params.type_k = params.type_v = _CACHE_TYPES[self.settings.cache_type]
        context = self._c.llama_init_from_model(self._model, params)
        if not context:
            self._context = None
            self.close()
            raise ModelError(
                f"No memory for a context of {self.settings.context_tokens:,} tokens: {_log().last()}",
                "Set a smaller one: `mem config set models.context_tokens 4096`.",
            )
        return context

    def _adapt(self, lora: Path) -> None:
        adapter = self._c.llama_adapter_lora_init(self._model, str(lora).encode())
        if not adapter:
            self.close()
            raise ModelDamaged(
                f"{lora} is not a LoRA adapter for this model: {_log().last()}", "Leave it out."
            )
        adapters = (self._c.llama_adapter_lora_p_ctypes * 1)(adapter)
        self._c.llama_set_adapters_lora(self._context, adapters, 1, (ctypes.c_float * 1)(1.0))


class Sampler:
    """Chooses tokens for one reply; a grammar is asked about the choice first, and only then about all tokens."""

    def __init__(self, library: Any, context: Any, vocab: Any, sampling: Sampling) -> None:
        self._c = library
        self._context = context
        self._size = int(library.llama_vocab_n_tokens(vocab))
        self._grammar = self._make_grammar(vocab, sampling.grammar) if sampling.grammar else None
        self._chain = self._make_chain(sampling)

    def _make_chain(self, sampling: Sampling) -> Any:
        c = self._c
        chain = c.llama_sampler_chain_init(c.llama_sampler_chain_default_params())
        if sampling.temperature <= 0:
            steps = [c.llama_sampler_init_greedy()]
        else:
            steps = [
                c.llama_sampler_init_top_k(sampling.top_k),
                c.llama_sampler_init_top_p(sampling.top_p, 1),
                c.llama_sampler_init_min_p(sampling.min_p, 1),
                c.llama_sampler_init_temp(sampling.temperature),
                c.llama_sampler_init_dist(sampling.seed & 0xFFFF_FFFF),
            ]
        for step in steps:
            c.llama_sampler_chain_add(chain, step)
        return chain

    def _make_grammar(self, vocab: Any, grammar: str) -> Any:
        made = self._c.llama_sampler_init_grammar(vocab, grammar.encode(), b"root")
        if not made:
            raise ModelError("llama.cpp does not understand this grammar.", "Simplify the JSON schema.")
        return made

    def next(self) -> int:
        """The next token after what is in the cache."""
        token = int(self._c.llama_sampler_sample(self._chain, self._context, -1))
        if self._grammar is None:
            return token
        if not self._allowed(token):
            token = self._best_allowed()
        self._c.llama_sampler_accept(self._grammar, token)
        return token

    def _allowed(self, token: int) -> bool:
        one = (self._c.llama_token_data * 1)(self._c.llama_token_data(token, 1.0, 0.0))
        candidates = self._c.llama_token_data_array(one, 1, -1, False)
        self._c.llama_sampler_apply(self._grammar, ctypes.byref(candidates))
        return bool(one[0].logit > float("-inf"))

    def _best_allowed(self) -> int:
        import numpy as np

        table = np.empty(self._size, dtype=[("id", np.intc), ("logit", np.single), ("p", np.single)])
        table["id"] = np.arange(self._size)
        logits = self._c.llama_get_logits_ith(self._context, -1)
        table["logit"] = np.ctypeslib.as_array(logits, shape=(self._size,))
        data = ctypes.cast(table.ctypes.data, ctypes.POINTER(self._c.llama_token_data))
        candidates = self._c.llama_token_data_array(data, self._size, -1, False)
        self._c.llama_sampler_apply(self._grammar, ctypes.byref(candidates))
        self._c.llama_sampler_apply(self._chain, ctypes.byref(candidates))
        chosen = candidates.data[candidates.selected]
        if not chosen.logit > float("-inf"):
            raise ModelError("The grammar allows no further token.", "Simplify the JSON schema.")
        return int(chosen.id)

    def close(self) -> None:
        """Free it."""
        for sampler in (self._chain, self._grammar):
            if sampler is not None:
                self._c.llama_sampler_free(sampler)
        self._chain = self._grammar = None


def load_library() -> Any:
    """llama.cpp's C interface, silent. Raises EngineMissing."""
    # Threads that wait for each other spin for milliseconds by default. On a machine with other work that takes
    # the very core which the other thread needs, and a reply slows down tenfold; a thousand turns do no harm.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        import llama_cpp  # 0.3 s
    except (ImportError, OSError, RuntimeError) as problem:
        raise EngineMissing(
            f"llama-cpp-python is not installed or cannot be loaded: {problem}.",
            "pip install 'mem-assistant[chat]' (needs a C++ compiler)",
        ) from problem
    _log()
    return llama_cpp


def supports_gpu() -> bool:
    """Whether llama.cpp was built for a GPU. Raises EngineMissing."""
    return bool(load_library().llama_supports_gpu_offload())


class _Log:
    """Keeps llama.cpp's last words for error messages; nothing of them reaches the terminal."""

    def __init__(self) -> None:
        import llama_cpp

        self._lines: deque[str] = deque(maxlen=4)
        self._callback = llama_cpp.llama_log_callback(self._note)  # kept, because C holds only its address
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()

    def _note(self, level: int, text: bytes, _: Any) -> None:
        if level >= 3:
            self._lines.append(text.decode("utf-8", "replace").strip())

    def last(self) -> str:
        """The first of the last lines, which names the cause."""
        return self._lines[0] if self._lines else "it gives no reason"


@functools.cache
def _log() -> _Log:
    return _Log()
