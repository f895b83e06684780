"""The embedder that remembers: the same vectors as the one beneath, asked for once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.embed import Vectors
from models.fake import HashEmbedder
from models.recent import KEPT, LONGEST, RecentEmbedder


class Counting(HashEmbedder):
    """The stand-in, which counts the texts that it embeds."""

    asked = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += len(texts)
        return super().embed(texts)


@given(st.lists(st.lists(st.text(max_size=5), max_size=3), max_size=60))
def test_vectors_are_those_of_the_embedder_beneath(calls: list[list[str]]) -> None:
    recent, plain = RecentEmbedder(HashEmbedder()), HashEmbedder()
    for texts in calls:
        assert np.array_equal(recent.embed(texts), plain.embed(texts))


def test_a_text_that_comes_again_is_not_embedded_again() -> None:
    beneath = Counting()
    recent = RecentEmbedder(beneath)
    first = recent.embed(["Where do I live?"])
    first[:] = 0  # what a caller does to its vectors changes no later answer
    assert np.linalg.norm(recent.embed(["Where do I live?"])) > 0.9
    assert beneath.asked == 1


def test_only_the_last_few_texts_of_bounded_length_are_kept() -> None:
    beneath = Counting()
    recent = RecentEmbedder(beneath)
    for text in ["first", *(str(n) for n in range(KEPT)), "first"]:
        recent.embed([text])
    assert beneath.asked == KEPT + 2
    for _ in range(2):
        recent.embed(["x" * (LONGEST + 1)])
    assert beneath.asked == KEPT + 4
