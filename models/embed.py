"""The embedding seam: one protocol. Knows no engine: ONNX lives in models/onnx.py."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:  # importing numpy costs more than the whole command line's start
    import numpy as np
    from numpy.typing import NDArray

Vectors: TypeAlias = "NDArray[np.float32]"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The pieces of a text in their context: where each stands, (start, end), and its vector: (pieces, dim)."""

    spans: Sequence[tuple[int, int]]
    vectors: Vectors


class Embedder(Protocol):
    """Turns texts into unit vectors."""

    name: str
    dim: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Float32 array of shape (len(texts), dim), each row of length 1.

        Texts beyond the model's limit are cut there.
        """
        ...

    def tokens(self, text: str) -> Tokens:  # noqa: ARG002 - for a model that tells
        """The pieces that the model reads a text in, up to its limit, rows of any length; none if it does not tell."""
        import numpy as np

        return Tokens((), np.empty((0, self.dim), np.float32))

    def close(self) -> None:
        """Free the weights. Further calls fail."""
        ...
