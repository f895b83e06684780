"""What holds for all screens: places, help, palette, sizes, themes, errors, and a screen that is never blocked."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Static
from tui_world import NOW, World, empty, filled, plain, settled, typed

from app.errors import StoreLocked
from tui.app import MemApp, screen_class
from tui.help import bindings_of
from tui.screen import PLACES, MemScreen


async def test_every_place_is_reached_by_its_number_and_back(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test() as pilot:
        await pilot.press("escape")
        for number, place in enumerate(PLACES, 1):
            await pilot.press(f"alt+{number}")
            await settled(pilot, lambda place=place: pilot.app.current_mode == place)
            assert f"[{number} {PLACES[place]}]" in plain(pilot)


async def test_help_names_every_key_of_every_place(tmp_path: Path) -> None:
    app = empty(tmp_path).app()
    async with app.run_test(size=(100, 70)) as pilot:
        for place in PLACES:
            await app.action_go(place)
            await pilot.pause()
            screen = app.screen
            assert isinstance(screen, MemScreen)
            wanted = [b.description for b in bindings_of(screen, screen)]
            await pilot.press("f1")
            await settled(pilot, lambda: "Everywhere" in plain(pilot))
            assert [d for d in wanted if d not in plain(pilot)] == []
            await pilot.press("escape")
            assert app.screen is screen


async def test_the_palette_holds_every_action_and_runs_it(tmp_path: Path) -> None:
    app = filled(tmp_path).app()
    async with app.run_test() as pilot:
        await app.action_go("memories")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, MemScreen)
        titles = {command.title for command in app.get_system_commands(screen)}
        assert {b.description for b in bindings_of(screen, screen)} <= titles
        assert {f"Go to {title}" for title in PLACES.values()} <= titles
        await pilot.press("ctrl+p")
        await typed(pilot, "go to nights")
        await pilot.pause(0.3)
        await pilot.press("enter")
        await settled(pilot, lambda: app.current_mode == "nights")


async def test_a_window_that_is_too_small_says_so_and_recovers(tmp_path: Path) -> None:
    async with empty(tmp_path).app().run_test(size=(20, 5)) as pilot:
        await settled(pilot, lambda: "mem needs a" in plain(pilot))
        await pilot.resize_terminal(80, 24)
        await settled(pilot, lambda: "[1 Chat]" in plain(pilot))


async def test_every_place_draws_at_every_size(tmp_path: Path) -> None:
    app = filled(tmp_path).app()
    async with app.run_test() as pilot:
        for size in ((80, 24), (200, 60), (40, 10)):
            await pilot.resize_terminal(*size)
            for number, place in enumerate(PLACES, 1):
                await app.action_go(place)
                await pilot.pause()
                assert f"[{number} {PLACES[place]}]" in plain(pilot) or size[0] < 80
                assert not app.screen.query_one("#too-small", Static).display


async def test_every_place_bears_a_window_of_20x5_and_stands_there_again_after_it(tmp_path: Path) -> None:
    app = filled(tmp_path).app()
    async with app.run_test(notifications=True) as pilot:
        for number, place in enumerate(PLACES, 1):
            await pilot.resize_terminal(80, 24)
            await app.action_go(place)
            await settled(pilot, lambda n=number, p=place: f"[{n} {PLACES[p]}]" in plain(pilot))
            await pilot.resize_terminal(20, 5)
            await settled(pilot, lambda: "mem needs a" in plain(pilot))
            await pilot.press("down", "f1", "escape", "escape")
            await pilot.resize_terminal(80, 24)
            await settled(pilot, lambda n=number, p=place: f"[{n} {PLACES[p]}]" in plain(pilot))


class Watched(MemApp):
    """The screens, with a list of what keys and palette set in motion."""

    CSS_PATH = Path(inspect.getfile(MemApp)).with_name("mem.tcss")
    done: list[str]

    async def run_action(self, action: Any, *given: Any, **named: Any) -> bool:
        self.done.append(str(action))
        return await super().run_action(action, *given, **named)


def watched(world: World) -> Watched:
    app = Watched(world.open, clock=lambda: NOW, session="today")
    app.done = []
    return app


async def back(pilot: Pilot[None], app: MemApp, place: str) -> MemScreen:
    """Close what lies over the screens, and stand in the place with no widget focused."""
    while not isinstance(app.screen, MemScreen):
        app.pop_screen()
        await pilot.pause()
    await app.action_go(place)
    await pilot.pause()
    assert isinstance(app.screen, MemScreen)
    app.screen.set_focus(None)
    return app.screen


@pytest.mark.parametrize("place", PLACES)
async def test_every_action_of_a_place_is_done_by_its_key(tmp_path: Path, place: str) -> None:
    app = watched(filled(tmp_path))
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        own = [b for b in screen_class(place).BINDINGS if isinstance(b, Binding)]
        assert own
        for binding in own:
            await back(pilot, app, place)
            app.done.clear()
            await pilot.press(binding.key.split(",")[0])
            await pilot.pause()
            assert binding.action in app.done, f"{binding.key} does not {binding.description}"
        assert app.is_running


async def test_every_entry_of_the_palette_works(tmp_path: Path) -> None:
    app = filled(tmp_path).app()
    async with app.run_test(size=(100, 40), notifications=True) as pilot:
        for place in PLACES:
            screen = await back(pilot, app, place)
            titles = [command.title for command in app.get_system_commands(screen)]
            assert len(titles) == len(set(titles))
            assert {b.description for b in bindings_of(screen, screen)} <= set(titles)
        for title in titles:
            screen = await back(pilot, app, place)
            (entry,) = [c for c in app.get_system_commands(screen) if c.title == title]
            if title != "Quit":
                outcome = entry.callback()
                if isinstance(outcome, Awaitable):
                    await outcome
                await pilot.pause()
        assert app.is_running


async def test_light_and_dark(tmp_path: Path) -> None:
    app = empty(tmp_path).app()
    async with app.run_test() as pilot:
        assert app.current_theme.dark
        await pilot.press("ctrl+t")
        assert not app.current_theme.dark


async def test_a_store_that_cannot_be_opened_is_told_in_two_lines(tmp_path: Path) -> None:
    def locked() -> None:
        raise StoreLocked("The store is locked.", "Wait for the other command.")

    app = MemApp(locked)  # type: ignore[arg-type]
    async with app.run_test(notifications=True) as pilot:
        await settled(pilot, lambda: "The store is locked." in plain(pilot))
        assert "Wait for the other command." in plain(pilot)
        assert app.is_running


async def test_work_in_the_threads_never_blocks_the_screen(tmp_path: Path) -> None:
    app = filled(tmp_path).app()
    gaps: list[float] = []

    async def heartbeat() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            gaps.append(time.perf_counter() - before)

    def slow(_: object) -> str:
        time.sleep(0.5)
        return "done"

    async with app.run_test() as pilot:
        await app.action_go("memories")
        await settled(pilot, lambda: "by time" in plain(pilot))
        beating = asyncio.create_task(heartbeat())
        assert await app.tools.library.ask(slow) == "done"
        beating.cancel()
        assert len(gaps) > 20  # a blocked screen beats once or twice in this half second


async def test_a_request_that_was_cancelled_while_it_waited_never_runs(tmp_path: Path) -> None:
    app = filled(tmp_path).app()
    ran: list[str] = []
    async with app.run_test() as pilot:
        await pilot.pause()
        first = asyncio.create_task(app.tools.library.ask(lambda _: time.sleep(0.2)))
        await asyncio.sleep(0.05)
        second = asyncio.create_task(app.tools.library.ask(lambda _: ran.append("second")))
        await asyncio.sleep(0.05)
        second.cancel()
        await first
        await app.tools.library.ask(lambda _: ran.append("third"))
    assert ran == ["third"]
