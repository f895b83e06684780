"""Made-up memories by the million: words that fall in frequency as in speech, and vectors like those of real sentences.

Vectors lie between pairs of embeddings of real sentences (to embed a million takes hours and would measure the
embedder); without embedder or sentences, they are directions of a space whose variances fall as theirs do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from models.embed import Embedder
from storage.records import Kind, Record, Source
from storage.store import Store

DIM = 384
MODEL = "prepared"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
BATCH = 5_000
SEEDS = 3_000  # sentences that are really embedded
VOCABULARY, TOPICS, TOPIC_WORDS = 100_000, 2_000, 60
ABOUT = 0.3  # share of a turn's words that belong to what its session is about
TURNS = 20  # of a session
COMMON = (
    "i you the a to and we it was in of my that is for on with at have had went said not but so they be this do are"
    " just really me like know think yeah one what good time get going can all about some been would your her his"
)


class Words:
    """Sentences of made-up words with Zipf frequencies; those of a session share its topic's words."""

    def __init__(self, seed: int = 1) -> None:
        random = np.random.default_rng(1)
        syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "el", "or")]
        picked = random.integers(0, len(syllables), (VOCABULARY, 3))
        self._words = np.array(["".join(syllables[i] for i in row) for row in picked])
        self._words[: len(COMMON.split())] = COMMON.split()
        self._topics = (VOCABULARY ** random.uniform(0.4, 1, (TOPICS, TOPIC_WORDS))).astype(int) - 1
        self._shares = _zipf(VOCABULARY)
        self._topic_shares = _zipf(TOPIC_WORDS)
        self._random = np.random.default_rng(seed)

    def sentences(self, first: int, count: int) -> list[str]:
        """Sentences of 6 to 24 words for the memories from number `first` on."""
        lengths = self._random.integers(6, 25, count)
        total = int(lengths.sum())
        topics = np.repeat((first + np.arange(count)) // TURNS * 7919 % TOPICS, lengths)
        about = self._topics[topics, self._topic_shares.searchsorted(self._random.random(total))]
        any_word = self._shares.searchsorted(self._random.random(total))
        flat = self._words[np.where(self._random.random(total) < ABOUT, about, any_word)]
        return [" ".join(part) for part in np.split(flat, lengths.cumsum()[:-1])]


def _zipf(count: int) -> np.ndarray:
    """Cumulated shares that fall as 1 / rank; the last is above 1, so that every draw lies below it."""
    shares = (1 / np.arange(1, count + 1)).cumsum()
    return np.append(shares[:-1] / shares[-1], 1.1)


def seeds() -> np.ndarray:
    """Embeddings of real sentences, (SEEDS, DIM), or what stands in for them."""
    from app.config import find_home
    from bench.embed import sentences
    from models.errors import ModelError
    from models.open import open_embedder

    texts = sentences(SEEDS)
    try:
        embedder = open_embedder("minilm-int8", find_home().models)
    except ModelError:
        return low_rank(SEEDS)
    return np.array(embedder.embed([text[:150] for text in texts])) if texts else low_rank(SEEDS)


def low_rank(count: int) -> np.ndarray:
    """Directions whose variance falls like that of sentence embeddings (64 components hold about half)."""
    random = np.random.default_rng(7)
    scale = (1 + np.arange(DIM) / 20.0) ** -0.75
    return unit(random.standard_normal((count, DIM)) * scale)


def unit(matrix: np.ndarray) -> np.ndarray:
    """Rows at length one, float32."""
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def mixed(base: np.ndarray, count: int, seed: int) -> np.ndarray:
    """`count` vectors, each between two of `base` with a little noise."""
    random = np.random.default_rng(seed)
    i, j = random.integers(0, len(base), (2, count))
    share = random.uniform(0.5, 1, (count, 1)).astype(np.float32)
    noise = random.standard_normal((count, DIM)).astype(np.float32) * 0.015
    return unit(share * base[i] + (1 - share) * base[j] + noise)


def batches(base: np.ndarray, size: int) -> Iterator[tuple[int, np.ndarray]]:
    """(number of the first memory, vectors) of every batch, made anew each time it is asked for."""
    for start in range(0, size, BATCH):
        yield start, mixed(base, min(BATCH, size - start), start)


def between_people(number: int) -> bool:
    """Every other session is a talk between two people, whose turns have a second view; the rest are alone."""
    return number // TURNS % 2 == 0


def add(store: Store, start: int, texts: Sequence[str], vectors: np.ndarray) -> None:
    """One transaction of memories with the vectors of their views, one turn a minute."""
    index = store.vectors(MODEL, DIM)
    wide = unit(vectors + 0.5 * np.roll(vectors, 1, axis=0) + 0.3 * np.roll(vectors, 2, axis=0))
    with store.atomic("import", NOW):
        records = store.insert(_record(start + n, n, texts) for n in range(len(texts)))
        for n, record in enumerate(records):
            index.put(record.seq, "text", vectors[n], f"t{record.seq}")
            if record.context:
                index.put(record.seq, "context", wide[n], f"c{record.seq}")


def _record(number: int, place: int, texts: Sequence[str]) -> Record:
    at = NOW - timedelta(minutes=2 * 10**6 - number)
    people = between_people(number)
    before = texts[max(place - min(number % TURNS, 2), 0) : place] if people else ()
    return Record(
        Kind.EPISODIC,
        texts[place],
        Source.IMPORTED,
        Source.IMPORTED,
        event_time=at,
        recorded_at=at,
        speaker=("Ada", "Ben")[number % 2] if people else "me",
        role="other" if people else "user",
        context="\n".join(before),
        session=f"s{number // TURNS}",
    )


@dataclass
class Prepared(Embedder):
    """An Embedder whose vectors are there already: recall's own time is what remains."""

    vectors: np.ndarray
    name: str = MODEL
    dim: int = DIM
    asked: int = 0

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        rows = np.arange(self.asked, self.asked + len(texts)) % len(self.vectors)
        self.asked += len(texts)
        found: np.ndarray = self.vectors[rows]
        return found

    def close(self) -> None:
        """Nothing is held."""
