"""A home that several threads open: one engine of each model for all of them, and other settings bring other models."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tui_world import NOW, plain, settled

from app.config import Home, save_setting
from app.encode import turn
from app.memory import Memory
from app.shared import SharedHome
from models.fake import EchoChat, HashEmbedder
from tui.app import MemApp


def at(folder: Path) -> Home:
    home = Home(folder / "home", folder / "models")
    home.create()
    home.config.write_text('[models]\nchat = "fake"\nembed = "fake"\n')
    return home


def engines(kind: type[object]) -> int:
    gc.collect()
    return sum(type(thing) is kind for thing in gc.get_objects())


def used(memory: Memory, text: str) -> str:
    memory.add([turn(text, now=NOW)], "say", NOW)
    assert memory.chat.count_tokens(text)
    memory.close()
    assert memory.embedder is not None
    return memory.embedder.name


def test_threads_share_one_engine_and_each_has_a_store_of_its_own(tmp_path: Path) -> None:
    shared, before = SharedHome(at(tmp_path)), engines(HashEmbedder)
    with ThreadPoolExecutor(3) as pool:
        names = list(pool.map(lambda n: used(shared.open(), f"words number {n}"), range(6)))
    assert len(set(names)) == 1
    assert engines(HashEmbedder) == before + 1
    assert shared.embedder.loaded and shared.chat.loaded
    shared.free()
    assert not shared.embedder.loaded and not shared.chat.loaded
    memory = shared.open()
    assert memory.store.counts("kind") == {"episodic": 6}
    memory.close()


def test_other_settings_bring_other_models_and_who_has_the_old_one_keeps_it(tmp_path: Path) -> None:
    home = at(tmp_path)
    shared = SharedHome(home)
    old = shared.open()
    assert old.embedder is not None
    save_setting(home.config, "models.embed", "minilm-int8")
    new = shared.open()
    assert new.embedder is None  # it is not there, and the one before does not stand in for it
    assert old.embedder.embed(["still here"]).shape == (1, old.embedder.dim)
    assert len(old.embedder.tokens("still here").spans) == 0  # the stand-in does not tell
    old.close()
    new.close()


async def test_the_desks_of_the_screens_load_each_model_once(tmp_path: Path) -> None:
    shared, before = SharedHome(at(tmp_path)), (engines(HashEmbedder), engines(EchoChat))
    app = MemApp(shared.open, clock=lambda: NOW)
    async with app.run_test() as pilot:
        await settled(pilot, lambda: bool(pilot.app.screen.query("#welcome")))
        for desk in (app.tools.library, app.tools.hands, app.tools.voice):
            await desk.ask(lambda m: (m.add([turn("words", now=NOW)], "say", NOW), m.chat.name))
        assert (engines(HashEmbedder), engines(EchoChat)) == (before[0] + 1, before[1] + 1)
        assert "words" not in plain(pilot)
