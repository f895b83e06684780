"""The embedding seam: one protocol, the packaged ONNX model (default) and any sentence-transformers model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    name: str
    dim: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Float32 array of shape (len(texts), dim), each row of length 1. Longer texts are cut at the model's limit."""
        ...

    def close(self) -> None:
        """Free the weights. Further calls fail."""
        ...
