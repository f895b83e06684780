"""How the screens look: one picture of each at 80x24, and at 200x60, one in light colours, and the notice at 20x5."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot
from tui_world import NOW, filled, plain, settled

from app.encode import turn
from app.events import Answered, Evidence, Recalled
from tui.app import MemApp
from tui.worker import Replied

Compare = Callable[..., bool]
SMALL, LARGE = (80, 24), (200, 60)


async def answered(pilot: Pilot[None]) -> None:
    """A conversation is there; the memories of its last answer arrive."""
    await settled(pilot, lambda: "Graz now" in plain(pilot))
    used = Evidence(
        "m52u", "Anna moved to Graz last week.", NOW - timedelta(days=40), score=0.9, why="dense, text"
    )
    old = Evidence(
        "m72q", "Anna lives in Vienna", NOW - timedelta(days=200), score=0.4, why="text", current=False
    )
    pilot.app.screen.post_message(Replied(Recalled((used, old), "a question about you")))
    await settled(pilot, lambda: "strong" in plain(pilot))
    pilot.app.screen.post_message(Replied(Answered("", used=("m52u",))))
    await settled(pilot, lambda: "✓ m52u" in plain(pilot))
    pilot.app.screen.set_focus(None)


def gone(place: str, words: str, id: str = "", *keys: str) -> Callable[[Pilot[None]], Awaitable[None]]:
    """Go to a place and wait for words there, then press keys."""

    async def go(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, MemApp)
        await app.action_go(place, id)
        await settled(pilot, lambda: words in plain(pilot))
        await pilot.press(*keys)
        await pilot.pause(0.1)

    return go


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_chat(tmp_path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    world = filled(tmp_path)
    memory = world.open()
    said = [turn("Where does Anna live?", now=NOW, session="today"),
            turn("Anna lives in **Graz** now.", now=NOW, role="assistant", session="today")]  # fmt: skip
    memory.add(said, "say", NOW)
    memory.close()
    assert snap_compare(world.app(), terminal_size=size, run_before=answered)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_memories(tmp_path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    go = gone("memories", "6 by time", "", "down", "space", "up")
    assert snap_compare(filled(tmp_path).app(), terminal_size=size, run_before=go)


def test_memories_in_light(tmp_path: Path, snap_compare: Compare) -> None:
    async def lit(pilot: Pilot[None]) -> None:
        pilot.app.theme = "textual-light"
        await gone("memories", "6 by time", "", "down")(pilot)

    assert snap_compare(filled(tmp_path).app(), terminal_size=SMALL, run_before=lit)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_timeline(tmp_path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    go = gone("timeline", "Sun 28 Apr", "", "down")
    assert snap_compare(filled(tmp_path).app(), terminal_size=size, run_before=go)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_graph(tmp_path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    go = gone("graph", "is mentioned in", "e_anna")
    assert snap_compare(filled(tmp_path).app(), terminal_size=size, run_before=go)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_forgetting(tmp_path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    go = gone("forgetting", "stable for", "m82n")
    assert snap_compare(filled(tmp_path).app(), terminal_size=size, run_before=go)


@pytest.mark.parametrize("size", [SMALL, LARGE])
def test_nights(tmp_path: Path, snap_compare: Compare, size: tuple[int, int]) -> None:
    from storage.ledger import Ledger

    world = filled(tmp_path)
    memory = world.open()
    job = {
        "name": "extract",
        "seconds": 1.25,
        "read": 4,
        "added": 2,
        "changes": ["+ m82n Anna lives in Graz"],
    }
    with memory.store.atomic("sleep", NOW):
        run = Ledger(memory.store).begin(NOW)
        Ledger(memory.store).end(run.id, NOW, {"jobs": [job]}, interrupted=False)
    memory.close()
    assert snap_compare(world.app(), terminal_size=size, run_before=gone("nights", "extract"))


def test_too_small(tmp_path: Path, snap_compare: Compare) -> None:
    assert snap_compare(filled(tmp_path).app(), terminal_size=(20, 5))
