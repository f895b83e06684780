"""What every screen has: the line of places, its own body, the keys at the foot, a notice when it is too small.

Errors of its workers are shown here, in one place: what is wrong and what to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static
from textual.worker import Worker, WorkerState

from app.errors import AppError, ModelError, StorageError
from tui.words import safe
from tui.worker import Tools

PLACES = {
    "chat": "Chat",
    "memories": "Memories",
    "timeline": "Timeline",
    "graph": "Graph",
    "forgetting": "Forgetting",
    "nights": "Nights",
    "health": "Health",
}
TOO_SMALL = "mem needs a window of at least 40x10.\nMake it larger; Ctrl+Q quits."


@dataclass
class Wanted(Message):
    """A place was asked for, and what to show there ("" for whatever it shows)."""

    place: str
    id: str = ""


class Places(Static):
    """The line on top: where one can go, and where one is (in brackets, so that colour is not needed)."""

    def __init__(self, here: str) -> None:
        super().__init__(id="places")
        self._here = here

    def render(self) -> Content:
        parts: list[str | tuple[str, str]] = []
        for number, (place, title) in enumerate(PLACES.items(), 1):
            chosen = place == self._here
            parts.append(
                (f"[{number} {title}]" if chosen else f" {number} {title} ", "bold" if chosen else "")
            )
        return Content.assemble(*parts)


class MemScreen(Screen[None]):
    """The base of all places. `PLACE` is its name, `HELP` what it is for."""

    PLACE: ClassVar[str]
    ABOUT: ClassVar[str] = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (40, "-narrow"), (76, "-normal"), (116, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (10, "-low"), (20, "-tall")]  # noqa: RUF012

    def __init__(self, tools: Tools) -> None:
        super().__init__()
        self.tools = tools

    def compose(self) -> ComposeResult:
        yield Places(self.PLACE)
        yield from self.body()
        yield Footer(show_command_palette=False)
        yield Static(TOO_SMALL, id="too-small")

    def body(self) -> Iterator[Widget]:
        """The widgets of this place."""
        yield from ()

    def show(self, id: str) -> None:
        """Turn to one memory (or what else an id names here)."""

    def complain(self, error: Exception) -> None:
        """Show an error as its two lines."""
        hint = getattr(error, "hint", "")
        self.notify(
            safe(hint or "See `mem doctor`."),
            title=safe(str(error)),
            severity="error",
            markup=False,
            timeout=8,
        )

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is not WorkerState.ERROR or event.worker.error is None:
            return
        error = event.worker.error
        if not isinstance(error, AppError | StorageError | ModelError):
            raise error
        self.complain(error)
