"""The embedding seam: one protocol. Knows no engine: ONNX lives in models/onnx.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:  # importing numpy costs more than the whole command line's start
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    name: str
    dim: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Float32 array of shape (len(texts), dim), each row of length 1.

        Texts beyond the model's limit are cut there.
        """
        ...

    def close(self) -> None:
        """Free the weights. Further calls fail."""
        ...
