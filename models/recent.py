"""An embedder that remembers the last few texts it was asked for: what is said and then asked is embedded once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.embed import Embedder, Tokens, Vectors

KEPT = 32  # texts; a turn of talk asks for three
LONGEST = 2_000  # characters of a text that is worth keeping


class RecentEmbedder:
    """An Embedder over another that it owns. Keeps single texts in memory only; batches pass through."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self.name = embedder.name
        self.dim = embedder.dim

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Float32 array of shape (len(texts), dim), each row of length 1; the caller's own to change."""
        if len(texts) != 1 or len(texts[0]) > LONGEST:
            return self._embedder.embed(texts)
        text = texts[0]
        if text in self._kept:
            self._kept.move_to_end(text)
        else:
            self._kept[text] = self._embedder.embed(texts)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return self._kept[text].copy()

    def tokens(self, text: str) -> Tokens:
        """The pieces of a text in their context; not kept."""
        return self._embedder.tokens(text)

    def close(self) -> None:
        """Forget the texts and free the weights."""
        self._kept.clear()
        self._embedder.close()
