"""Opens a model by its catalog id or by a path, and says which command fetches what is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from models.catalog import CATALOG, CatalogModel
from models.errors import ModelMissing

if TYPE_CHECKING:
    from models.chat import ChatModel
    from models.embed import Embedder
    from models.engine import CacheType


CHOOSE_GPU = -2  # all layers where llama.cpp was built for a GPU, else none


def open_embedder(
    id_or_path: str, models_folder: Path, *, threads: int = 2, device: str | None = None
) -> Embedder:
    """The embedder of that catalog id, that folder, or that sentence-transformers name.

    A folder with modules.json, and every name that the catalog does not know, goes to sentence-transformers
    on `device`; the rest runs on onnxruntime with `threads`.
    Raises ModelMissing, EngineMissing or ModelDamaged; the hint names the command that helps.
    """
    known = _known(id_or_path, "embed")
    if known is not None:
        _require(known, models_folder)
    folder = known.folder(models_folder) if known else Path(id_or_path).expanduser()
    general = (folder / "modules.json").is_file() or (known is None and not folder.is_dir())
    if general:
        from models.sentence import SentenceTransformerEmbedder

        model = folder if folder.is_dir() else id_or_path
        return SentenceTransformerEmbedder(model, name=known.id if known else None, device=device)
    from models.onnx import OnnxEmbedder

    return OnnxEmbedder(folder, name=known.id if known else None, threads=threads)


def open_chat(
    id_or_path: str,
    models_folder: Path,
    *,
    context_tokens: int = 0,
    threads: int = 0,
    batch: int = 0,
    gpu_layers: int = CHOOSE_GPU,
    cache_type: CacheType = "f16",
    lora: Path | None = None,
    on_thought: Callable[[str], None] | None = None,
) -> ChatModel:
    """The chat model of that catalog id, or of that GGUF file. Its weights load on first use.

    0 (for `gpu_layers` -2) means: chosen for this machine and model; `gpu_layers` -1 means all.
    Raises ModelMissing, EngineMissing or ModelDamaged; the hint names the command that helps.
    """
    if not id_or_path:
        raise ModelMissing("No chat model is chosen.", "Choose and fetch one with `mem setup`.")
    known = _known(id_or_path, "chat")
    if known is not None:
        _require(known, models_folder)
    path = known.path(models_folder) if known else Path(id_or_path).expanduser()
    if known is None and not path.is_file():
        raise ModelMissing(
            f"{id_or_path} is neither a model of the catalog nor a file.",
            "`mem model list` shows the models; `mem setup` chooses and fetches one.",
        )
    from models.llama import ChatSettings, LlamaCppChat

    settings = ChatSettings(context_tokens, threads, batch, gpu_layers, cache_type, lora)
    return LlamaCppChat(path, settings, name=known.id if known else None, on_thought=on_thought)


def _known(id_or_path: str, kind: str) -> CatalogModel | None:
    for model in CATALOG:
        if model.id == id_or_path and model.kind == kind:
            return model
    return None


def _require(model: CatalogModel, models_folder: Path) -> None:
    if not model.installed(models_folder):
        raise ModelMissing(
            f"The model {model.id} is not on this machine.",
            f"Fetch it with `mem model pull {model.id}` ({model.size / 1e6:,.0f} MB), or run `mem setup`.",
        )
