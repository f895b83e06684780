"""Any sentence-transformers model, by name or folder, on CPU, CUDA or MPS. Importing torch costs seconds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.embed import Tokens
from models.errors import EngineMissing, ModelDamaged, ModelError, ModelMissing

if TYPE_CHECKING:
    from models.embed import Vectors


class SentenceTransformerEmbedder:
    """An Embedder on sentence-transformers; the general engine where the packaged model is not enough."""

    def __init__(self, model: str | Path, *, name: str | None = None, device: str | None = None) -> None:
        """Open a folder, or a name whose files the library has on this machine; it fetches nothing.

        `device` is "cpu", "cuda", "mps" or None for the best there is.
        Raises EngineMissing, ModelMissing or ModelDamaged.
        """
        try:
            from sentence_transformers import SentenceTransformer  # brings torch: 5 s and 400 MB
            from transformers.utils.logging import disable_progress_bar
        except ImportError as problem:
            raise EngineMissing(
                "sentence-transformers is not installed.", "pip install 'mem-assistant[torch]'"
            ) from problem
        quiet: Any = disable_progress_bar  # it draws over the screen while weights load
        quiet()
        self.name = name or Path(model).name
        try:
            loaded: Any = SentenceTransformer(str(model), device=device, local_files_only=True)
        except OSError as problem:
            raise ModelMissing(
                f"{model} is not a sentence-transformers model on this machine.",
                "Give the folder that holds it, or take `mem model pull minilm-st`.",
            ) from problem
        except (ValueError, KeyError, RuntimeError) as problem:
            raise ModelDamaged(f"{model} cannot be read: {problem}.", "Fetch it again.") from problem
        self._model = loaded
        self.dim = int(loaded.encode([""]).shape[1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Float32 array of shape (len(texts), dim), rows of length 1."""
        import numpy as np

        if self._model is None:
            raise ModelError(f"{self.name} is closed.", "Open it again.")
        if not texts:
            return np.empty((0, self.dim), dtype=np.float32)
        readable = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        vectors = self._model.encode(readable, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    def tokens(self, text: str) -> Tokens:
        """The pieces of a text with their states; none where the model's tokenizer does not tell where they stand."""
        import numpy as np

        if self._model is None:
            raise ModelError(f"{self.name} is closed.", "Open it again.")
        text = text.encode("utf-8", "replace").decode("utf-8")
        tokenizer = self._model.tokenizer
        if not tokenizer.is_fast:
            return Tokens([], np.empty((0, self.dim), np.float32))
        spans = tokenizer(text, truncation=True, return_offsets_mapping=True)["offset_mapping"]
        states = (
            self._model.encode(text, output_value="token_embeddings", show_progress_bar=False).cpu().numpy()
        )
        rows = [row for row, (start, end) in enumerate(spans) if end > start]
        return Tokens([spans[row] for row in rows], np.asarray(states[rows], dtype=np.float32))

    def close(self) -> None:
        """Free the weights."""
        self._model = None
