"""Keys of one's own: what keys.toml may say, what it may not, and that a key that was given works."""

from __future__ import annotations

from pathlib import Path

import pytest
from tui_world import NOW, empty, plain, settled

from app.errors import BadRequest
from tui.app import MemApp, known_keys
from tui.keys import load_keymap


def written(folder: Path, text: str) -> Path:
    path = folder / "keys.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_binding_has_a_name_of_its_own() -> None:
    names = list(known_keys())
    assert len(names) == len(set(names))
    assert {"memories.pin", "app.help", "nights.verdict-new"} <= set(names)


def test_keys_are_read_by_name(tmp_path: Path) -> None:
    path = written(tmp_path, '[memories]\npin = "P"\n[app]\nhelp = "f2"\n')
    assert load_keymap(path, known_keys()) == {"memories.pin": "P", "app.help": "f2"}
    assert load_keymap(tmp_path / "none.toml", known_keys()) == {}


@pytest.mark.parametrize("text", ['[memories]\ndance = "d"\n', 'pin = "p"\n', "[memories\n"])
def test_what_makes_no_sense_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadRequest) as told:
        load_keymap(written(tmp_path, text), known_keys())
    assert told.value.hint


async def test_a_key_that_was_given_works_and_is_shown(tmp_path: Path) -> None:
    world = empty(tmp_path)
    app = MemApp(world.open, clock=lambda: NOW, keymap={"memories.search": "ctrl+f"})
    async with app.run_test() as pilot:
        await app.action_go("memories")
        await settled(pilot, lambda: "^f Search" in plain(pilot))
        await pilot.press("ctrl+f")
        await settled(pilot, lambda: app.focused is not None and app.focused.id == "search")
