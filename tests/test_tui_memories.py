"""The memories screen, driven by keys: search, filters, detail, edit, pin, archive, forget, marks."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static, TextArea
from tui_world import World, empty, filled, plain, settled, typed

from storage.errors import RecordNotFound
from tui.app import MemApp
from tui.memories import MemoriesScreen

pytestmark = pytest.mark.asyncio


async def at_memories(pilot: Pilot[None]) -> MemoriesScreen:
    await pilot.press("escape", "2")
    await settled(pilot, lambda: isinstance(pilot.app.screen, MemoriesScreen) and "by time" in plain(pilot))
    screen = pilot.app.screen
    assert isinstance(screen, MemoriesScreen)
    return screen


def listed(screen: MemoriesScreen) -> list[str]:
    return [f.record.text for f in screen._rows]


def full(screen: MemoriesScreen) -> str:
    return str(screen.query_one("#full", Static).content)


async def find(pilot: Pilot[None], screen: MemoriesScreen, line: str, first: str) -> None:
    screen.query_one(Input).value = line
    await settled(
        pilot, lambda: bool(listed(screen)) and listed(screen)[0] == first and first in full(screen)
    )
    screen.query_one(OptionList).focus()


async def test_the_newest_stand_first(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test() as pilot:
        screen = await at_memories(pilot)
        assert listed(screen)[0] == "The bicycle is in the cellar."
        assert len(listed(screen)) == 6


async def test_search_narrows_as_it_is_typed(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test() as pilot:
        screen = await at_memories(pilot)
        await pilot.press("slash")
        await typed(pilot, "hazel")
        await settled(pilot, lambda: listed(screen) == ["I am allergic to hazelnuts."])
        await pilot.press("enter")
        assert screen.focused is screen.query_one(OptionList)
        await pilot.press("escape")
        await settled(pilot, lambda: len(listed(screen)) == 6)


async def test_tokens_and_keys_filter(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test() as pilot:
        screen = await at_memories(pilot)
        screen.query_one(Input).value = "anna kind:fact is:true"
        await settled(pilot, lambda: listed(screen) == ["Anna lives in Graz"])
        screen.query_one(Input).value = "kind:nonsense"
        await settled(pilot, lambda: "not understood: kind:nonsense" in plain(pilot))
        screen.query_one(Input).value = ""
        screen.query_one(OptionList).focus()
        await pilot.press("k", "k")
        await settled(pilot, lambda: len(listed(screen)) == 2)


async def test_the_detail_tells_words_origin_truth_and_history(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test(size=(120, 50)) as pilot:
        screen = await at_memories(pilot)
        await find(pilot, screen, "kind:fact vienna", "Anna lives in Vienna")
        text = full(screen)
        assert "«My sister Anna lives in Vienn»" in text
        assert "no longer true" in text
        assert "ended 22 Mar 2024" in text
        assert "supersedes" in text
        assert "History" in text


async def test_pin_archive_and_edit(tmp_path: Path) -> None:
    world = filled(tmp_path)
    async with world.app().run_test(size=(120, 40)) as pilot:
        screen = await at_memories(pilot)
        await find(pilot, screen, "kind:fact graz", "Anna lives in Graz")
        await pilot.press("p")
        await settled(pilot, lambda: "pinned" in full(screen))
        await pilot.press("a")
        await settled(pilot, lambda: "archived" in full(screen))
        await pilot.press("a")
        await settled(pilot, lambda: "archived]" not in full(screen))
        await pilot.press("e")
        await settled(pilot, lambda: bool(pilot.app.screen.query(TextArea)))
        pilot.app.screen.query_one(TextArea).text = "Anna lives in Graz, Austria"
        await pilot.press("ctrl+s")
        await settled(pilot, lambda: "Austria" in full(screen))
    memory = world.open()
    try:
        (record,) = [r for r in memory.store.records() if "Austria" in r.text]
        assert record.pinned
    finally:
        memory.close()


async def test_words_that_were_said_cannot_be_reworded(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test(notifications=True) as pilot:
        screen = await at_memories(pilot)
        await find(pilot, screen, "hazelnuts", "I am allergic to hazelnuts.")
        await pilot.press("e")
        await settled(pilot, lambda: "never changed" in plain(pilot))
        assert pilot.app.screen is screen


async def test_forget_shows_what_goes_and_erases_after_a_yes(tmp_path: Path) -> None:
    world = filled(tmp_path)
    async with world.app().run_test(size=(100, 30)) as pilot:
        screen = await at_memories(pilot)
        await find(pilot, screen, "graz kind:episodic", "Anna moved to Graz last week.")
        await pilot.press("f")
        await settled(pilot, lambda: "Forget 2 memories for good?" in plain(pilot))
        assert "comes from that alone" in plain(pilot)
        await pilot.press("n")
        await settled(pilot, lambda: pilot.app.screen is screen)
        assert _texts(world).count("Anna moved to Graz last week.") == 1
        await pilot.press("f")
        await settled(pilot, lambda: "Forget 2 memories for good?" in plain(pilot))
        await pilot.press("y")
        await settled(pilot, lambda: not listed(screen))
    assert "Anna moved to Graz last week." not in _texts(world)
    assert "Anna lives in Graz" not in _texts(world)


async def test_several_are_marked_and_archived_together(tmp_path: Path) -> None:
    world = filled(tmp_path)
    async with world.app().run_test() as pilot:
        screen = await at_memories(pilot)
        await pilot.press("home", "space", "space")
        assert len(screen.chosen()) == 2
        await pilot.press("a")
        await settled(pilot, lambda: not screen._marked)
    memory = world.open()
    try:
        assert memory.store.counts("state") == {"active": 4, "archived": 2}
    finally:
        memory.close()


async def test_an_empty_memory_says_how_to_begin(tmp_path: Path) -> None:
    async with empty(tmp_path).app().run_test() as pilot:
        screen = await at_memories(pilot)
        await settled(pilot, lambda: "Nothing is here yet" in full(screen))


async def test_a_page_follows_when_the_end_is_reached(tmp_path: Path) -> None:
    from tui_world import NOW

    from app.encode import turn

    world = empty(tmp_path)
    memory = world.open()
    memory.add([turn(f"line {n}", now=NOW) for n in range(230)], "say", NOW)
    memory.close()
    async with world.app().run_test() as pilot:
        screen = await at_memories(pilot)
        await settled(pilot, lambda: len(listed(screen)) == 100)
        await pilot.press("end")
        await settled(pilot, lambda: len(listed(screen)) == 200)
        await pilot.press("end")
        await settled(pilot, lambda: len(listed(screen)) == 230)


async def test_an_id_that_is_gone_is_told(tmp_path: Path) -> None:
    app: MemApp = filled(tmp_path).app()
    async with app.run_test(notifications=True) as pilot:
        await at_memories(pilot)
        await app.action_go("memories", "mzzz")
        await settled(pilot, lambda: "No memory has" in plain(pilot))


def _texts(world: World) -> list[str]:
    memory = world.open()
    try:
        return [r.text for r in memory.store.records()]
    except RecordNotFound:
        return []
    finally:
        memory.close()
