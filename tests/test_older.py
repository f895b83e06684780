"""A store whose vectors come from two embedding models: both are searched until today's has embedded everything."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from app.config import Config, find_home, load_config, replaced, save_setting
from app.encode import turn
from app.memory import Memory
from app.older import MODELS, let_go, models_of
from app.open import open_memory
from app.recall.recall import Query, Recall
from app.sleep.index import build_index
from app.sleep.night import sleep
from app.sleep.work import Tally, Work
from models.embed import Embedder, Vectors
from models.errors import ModelMissing
from models.fake import HashEmbedder
from storage.store import Store

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
TALK = [
    f"The {animal} sleeps in the {place}." for animal in ("cat", "owl", "fox") for place in ("barn", "attic")
]
SENSE = {"cat": "kitten", "owl": "bird", "fox": "vixen"}  # what a question says, and no memory does


class Knowing(HashEmbedder):
    """The stand-in, except that it takes words of the same meaning for one another."""

    def __init__(self, name: str, dim: int = 64) -> None:
        super().__init__(dim)
        self.name = name

    def embed(self, texts: Sequence[str]) -> Vectors:
        plain = []
        for text in texts:
            for word, other in SENSE.items():
                text = text.lower().replace(other, word)
            plain.append(text)
        return super().embed(plain)


def opened(folder: Path, model: str, older: Callable[[str], Embedder] = Knowing) -> Memory:
    home = replace(find_home(folder), path=folder)
    home.create()
    return Memory(
        home,
        replaced(Config(), "models.embed", model),
        Store(home.database),
        load_embedder=lambda: Knowing(model, 48 if model == "new" else 64),
        load_chat=NotImplemented,
        load_older=older,
    )


def told(folder: Path) -> None:
    """Six turns, embedded by the old model."""
    memory = opened(folder, "old")
    memory.add([turn(text, now=NOW, session="s") for text in TALK], "test", NOW)
    memory.embed_backlog(NOW, view="context")
    memory.close()


def by_meaning(memory: Memory, word: str) -> dict[str, float]:
    """What a word that no memory has leads to, with the cosine of each."""
    found = Recall.of(memory).recall(Query(SENSE[word], NOW, k=6)).hits
    return {
        hit.record.text: hit.channels.get("dense", 0.0)
        for hit in found
        if hit.channels.get("dense", 0.0) > 0.5
    }


def load_new(name: str) -> Embedder:
    return Knowing(name, 48 if name == "new" else 64)


def missing(name: str) -> Embedder:
    raise ModelMissing(f"The model {name} is not on this machine.", "Fetch it.")


@pytest.mark.parametrize("reached", range(len(TALK) + 1))
def test_everything_is_found_by_meaning_however_far_the_new_model_has_come(
    tmp_path: Path, reached: int
) -> None:
    told(tmp_path)
    memory = opened(tmp_path, "new", load_new)
    if reached:
        assert memory.embed_backlog(NOW, limit=reached) == reached
    for word in SENSE:
        found = by_meaning(memory, word)
        assert {text for text in TALK if word in text} <= found.keys()
    memory.close()


def test_where_both_have_a_vector_the_new_one_counts(tmp_path: Path) -> None:
    told(tmp_path)
    memory = opened(tmp_path, "new", load_new)
    memory.embed_backlog(NOW, limit=1)
    [newest] = memory.store.records(limit=1)
    index = memory.store.vectors("old", 64)
    with memory.store.atomic("test", NOW):  # the old model takes the newest turn for what is asked
        index.put(newest.seq, "text", Knowing("old").embed(["kitten"])[0], "h")
    found = Recall.of(memory).recall(Query("kitten", NOW)).hits
    cosine = next(hit.channels.get("dense", 0.0) for hit in found if hit.record.seq == newest.seq)
    assert cosine < 0.5
    memory.close()


def test_an_older_model_that_is_gone_leaves_what_it_embedded_to_words(tmp_path: Path) -> None:
    told(tmp_path)
    memory = opened(tmp_path, "new", missing)
    assert memory.older_embedders == []
    assert by_meaning(memory, "cat") == {}
    found = Recall.of(memory).recall(Query("Where does the cat sleep?", NOW)).hits
    assert "cat" in found[0].record.text
    memory.close()


def test_another_model_under_the_old_name_is_not_asked(tmp_path: Path) -> None:
    told(tmp_path)
    memory = opened(tmp_path, "new", lambda _: Knowing("other"))
    assert memory.older_embedders == []
    memory.close()


def test_one_model_loads_no_second(tmp_path: Path) -> None:
    told(tmp_path)

    def never(name: str) -> Embedder:
        raise AssertionError(name)

    memory = opened(tmp_path, "old", never)
    assert by_meaning(memory, "owl")
    memory.close()


def test_a_store_that_never_noted_its_model_knows_it_by_its_oldest_vector(tmp_path: Path) -> None:
    told(tmp_path)
    memory = opened(tmp_path, "new", load_new)
    memory.store.connection.execute("DELETE FROM meta WHERE key = ?", (MODELS,))
    assert models_of(memory.store) == {"old": "old"}
    memory.add([turn("The hen sleeps in the yard.", now=NOW, session="s")], "test", NOW)
    assert models_of(memory.store) == {"old": "old", "new": "new"}
    memory.close()


def test_there_and_back_again_every_vector_is_searched(tmp_path: Path) -> None:
    told(tmp_path)
    memory = opened(tmp_path, "new", load_new)
    memory.add([turn("A second owl sleeps here.", now=NOW, session="s")], "test", NOW)
    memory.close()
    memory = opened(tmp_path, "old", load_new)
    assert "A second owl sleeps here." in by_meaning(memory, "owl")
    assert len(by_meaning(memory, "owl")) >= 3
    memory.close()


def test_a_night_cut_short_goes_on_in_the_next_and_then_lets_the_old_vectors_go(tmp_path: Path) -> None:
    told(tmp_path)
    memory = opened(tmp_path, "new", load_new)
    looks = iter([False, True])
    build_index(Work(memory, None, NOW, "r1", 99, budget_seconds=60, stop=lambda: next(looks, True)), Tally())
    assert models_of(memory.store).keys() == {"old", "new"}
    for word in SENSE:
        assert {text for text in TALK if word in text} <= by_meaning(memory, word).keys()
    build_index(Work(memory, None, NOW, "r2", 99, budget_seconds=60, stop=lambda: False), Tally())
    assert models_of(memory.store).keys() == {"new"}
    left = memory.store.connection.execute("SELECT DISTINCT model FROM vectors").fetchall()
    assert left == [("new",)]
    assert memory.older_embedders == []
    for word in SENSE:
        assert {text for text in TALK if word in text} <= by_meaning(memory, word).keys()
    memory.close()


def test_letting_go_waits_for_the_last_vector_and_takes_the_index_along(tmp_path: Path) -> None:
    told(tmp_path)
    memory = opened(tmp_path, "new", load_new)
    folder = memory.store.path.parent / "index"
    folder.mkdir()
    (folder / "text-9-1.hnsw").write_bytes(b"graph")
    memory.store.connection.execute(
        "INSERT INTO generations (file, model, view, dim, count, watermark, sha256, created_at)"
        " VALUES ('text-9-1.hnsw', 'old', 'text', 64, 6, 6, 'x', '')"
    )
    memory.embed_backlog(NOW, limit=5)
    assert let_go(memory, NOW, lambda: False) == 0
    memory.embed_backlog(NOW)
    memory.embed_backlog(NOW, view="context")
    assert let_go(memory, NOW, lambda: True) == 0
    assert let_go(memory, NOW, lambda: False) == len(TALK)
    assert not list(folder.iterdir())
    assert not memory.store.connection.execute("SELECT 1 FROM generations").fetchall()
    memory.close()


@pytest.mark.embedder
def test_a_change_of_the_real_model_loses_nothing_by_meaning(tmp_path: Path) -> None:
    home = replace(find_home(), path=tmp_path)
    said = [
        "My daughter plays the cello in the school orchestra.",
        "The boiler broke down again, and the flat is freezing.",
        "I ran my first half marathon in Lisbon.",
        *(f"Box number {n} holds old tax papers." for n in range(70)),
    ]
    asked = ["Which musical instrument does my child practise?", "What is wrong with the heating?"]

    def found(memory: Memory) -> list[str]:
        return [Recall.of(memory).recall(Query(q, NOW)).hits[0].record.text for q in asked]

    save_setting(home.config, "models.embed", "minilm-int8")
    memory = open_memory(home)
    memory.add(
        [turn(text, now=NOW + timedelta(seconds=n), session="s") for n, text in enumerate(said)], "test", NOW
    )
    assert found(memory) == said[:2]
    memory.close()
    save_setting(home.config, "models.embed", "minilm-fp32")
    memory = open_memory(home, load_config(home.config))
    assert [model.name for model in memory.older_embedders] == ["minilm-int8"]
    assert found(memory) == said[:2]
    memory.embed_backlog(
        NOW, limit=64
    )  # the newest first: what is asked for has the old model's vectors alone
    assert len(memory.store.unembedded("minilm-fp32")) == len(said) - 64
    assert found(memory) == said[:2]
    sleep(memory, None, NOW)
    assert models_of(memory.store).keys() == {"minilm-fp32"}
    assert found(memory) == said[:2]
    assert np.isfinite(memory.store.vectors("minilm-fp32", 384).of([1])[1]).all()
    memory.close()
