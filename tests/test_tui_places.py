"""Timeline, graph, forgetting, nights and health, driven by keys."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import OptionList
from tui_world import NOW, World, empty, filled, plain, settled

from storage.journal import state_hash
from storage.ledger import Ledger
from storage.records import Kind, Link, LinkKind, Use
from tui.app import MemApp


async def at(pilot: Pilot[None], place: str, words: str, id: str = "") -> None:
    app = pilot.app
    assert isinstance(app, MemApp)
    await app.action_go(place, id)
    await settled(pilot, lambda: words in plain(pilot))


def ids(world: World) -> dict[str, str]:
    memory = world.open()
    try:
        return {r.text: r.id for r in memory.store.records()}
    finally:
        memory.close()


async def test_the_timeline_goes_from_months_to_a_memory(tmp_path: Path) -> None:
    app = filled(tmp_path).app()
    async with app.run_test() as pilot:
        await at(pilot, "timeline", "6 memories in 3 months")
        await pilot.press("down")
        await settled(pilot, lambda: "began to be true: Anna lives in Graz" in plain(pilot))
        assert "ceased to be true: Anna lives in Vienna" in plain(pilot)
        await pilot.press("enter", "down", "enter")
        await settled(pilot, lambda: app.current_mode == "memories")


async def test_the_graph_is_walked_there_and_back(tmp_path: Path) -> None:
    world = filled(tmp_path)
    async with world.app().run_test() as pilot:
        await at(pilot, "graph", "Anna · person · in 2 memories")
        await pilot.press("enter")
        await settled(pilot, lambda: "is mentioned in" in plain(pilot))
        await pilot.press("right")
        await settled(pilot, lambda: "way: e_anna → " in plain(pilot))
        await pilot.press("left")
        await settled(pilot, lambda: "◉ e_anna · person" in plain(pilot))
        await pilot.press("o")
        await settled(pilot, lambda: pilot.app.current_mode == "memories")


async def test_a_graph_without_links_says_so(tmp_path: Path) -> None:
    world = filled(tmp_path)
    async with world.app().run_test() as pilot:
        await at(pilot, "graph", "nothing is linked to it yet", ids(world)["The bicycle is in the cellar."])


async def test_the_curve_marks_uses_and_a_pin_protects(tmp_path: Path) -> None:
    world = filled(tmp_path)
    id = ids(world)["Anna lives in Graz"]
    memory = world.open()
    with memory.store.atomic("use", NOW):
        memory.store.add_use(Use(id, NOW - timedelta(days=10), "s", 1.0))
        memory.store.update(replace(memory.store.get(id), last_used=NOW - timedelta(days=10), use_count=1))
    memory.close()
    async with world.app().run_test() as pilot:
        await at(pilot, "forgetting", "▲", id)
        assert "used 1 time" in plain(pilot)
        await pilot.press("p")
        await settled(pilot, lambda: "protected (pinned): never below 0.7" in plain(pilot))
        await pilot.press("escape")
        await settled(pilot, lambda: "How awake all memories are" in plain(pilot))


async def test_what_falls_asleep_soon_is_listed(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test() as pilot:
        await at(pilot, "forgetting", "Asleep within a month unless used: 1")
        await pilot.press("down", "enter")
        await settled(pilot, lambda: "asleep on" in plain(pilot))


async def test_a_night_is_slept_shown_and_undone(tmp_path: Path) -> None:
    world = filled(tmp_path)
    before = hashed(world)
    async with world.app().run_test(size=(100, 40), notifications=True) as pilot:
        await at(pilot, "nights", "No night has been slept yet.")
        await pilot.press("z")
        await settled(pilot, lambda: "is over" in plain(pilot), 500)
        await settled(pilot, lambda: "night n" in plain(pilot) and "extract" in plain(pilot))
        assert hashed(world) != before
        await pilot.press("u")
        await settled(pilot, lambda: "go back to what they were before" in plain(pilot))
        await pilot.press("y")
        await settled(pilot, lambda: "rows are as they were before night" in plain(pilot))
    assert hashed(world) == before


def hashed(world: World) -> str:
    """The state of a home as one hash."""
    memory = world.open()
    try:
        return state_hash(memory.store.connection)
    finally:
        memory.close()


async def test_a_question_of_the_night_is_decided(tmp_path: Path) -> None:
    world = filled(tmp_path)
    known = ids(world)
    old, new = known["Anna lives in Vienna"], known["Anna lives in Graz"]
    memory = world.open()
    with memory.store.atomic("sleep", NOW):
        memory.store.update(replace(memory.store.get(old), superseded_by=None, valid_to=None))
        memory.store.link([Link(new, old, LinkKind.CONTRADICTS)])
        Ledger(memory.store).ask("n22", "Vienna or Graz?", {"replace": old, "with": new}, NOW)
    memory.close()
    async with world.app().run_test(notifications=True) as pilot:
        await at(pilot, "nights", "? Vienna or Graz?")
        assert "y  the new one" in plain(pilot)
        await pilot.press("y")
        await settled(pilot, lambda: "Settled" in plain(pilot))
        await settled(pilot, lambda: "? Vienna or Graz?" not in plain(pilot))
    memory = world.open()
    assert memory.store.get(old).superseded_by == new
    memory.close()


async def test_health_checks_the_store(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test(size=(100, 40)) as pilot:
        await at(pilot, "health", "6 memories in")
        assert "minilm-int8 (not here: `mem setup`)" in plain(pilot)
        await pilot.press("c")
        await settled(pilot, lambda: "✓ database" in plain(pilot) or "checks found" in plain(pilot), 500)


async def test_health_measures_the_models(tmp_path: Path) -> None:
    async with filled(tmp_path, embed="fake").app().run_test(size=(140, 40)) as pilot:
        await at(pilot, "health", "of memory")
        await pilot.press("s")
        await settled(pilot, lambda: "tokens a second" in plain(pilot))
        assert "texts a second" in plain(pilot)


async def test_fetching_asks_first_and_a_model_that_is_not_here_is_not_used(tmp_path: Path) -> None:
    async with empty(tmp_path).app().run_test(notifications=True) as pilot:
        await at(pilot, "health", "minilm-int8")
        await pilot.press("d")
        await settled(pilot, lambda: "Fetch minilm-int8?" in plain(pilot))
        assert "licence" in plain(pilot)
        await pilot.press("n")
        await pilot.press("u")
        await settled(pilot, lambda: "fetches minilm-int8 first" in plain(pilot))
        assert pilot.app.screen.query_one("#models", OptionList).option_count > 3


async def test_hostile_words_are_text_in_every_place(tmp_path: Path) -> None:
    from app.encode import turn

    world = empty(tmp_path)
    memory = world.open()
    hostile = "[@click=app.quit]x[/] \x1b]0;owned\x07 [red]r[/red] \u202eevil"
    (said,) = memory.add([turn(hostile, now=NOW, speaker="[b]me", session="[/]")], "say", NOW)
    fact = replace(said, kind=Kind.SEMANTIC, id="", seq=0, valid_from=NOW)
    (known,) = memory.add([fact], "derive", NOW)
    with memory.store.atomic("derive", NOW):
        memory.store.link([Link(known.id, said.id, LinkKind.DERIVED_FROM, 1.0, 0, 10)])
    memory.close()
    async with world.app().run_test() as pilot:
        for place, id in (("memories", ""), ("timeline", ""), ("graph", said.id), ("forgetting", said.id)):
            await at(pilot, place, "[@click=app.quit]x[/]", id)
            assert not {"\x1b", "\x07", "\u202e"} & set(plain(pilot))
        await pilot.press("1")
        assert pilot.app.is_running
