"""The terminal application: places, keys, palette and themes. The screens draw; a thread of their own does the work."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from textual.app import App, SystemCommand
from textual.binding import Binding
from textual.screen import Screen

from app import clock
from tui.dialogs import Read
from tui.help import bindings_of, key_name, page
from tui.keys import FIRST, HIDDEN, keys, load_keymap
from tui.screen import PLACES, MemScreen, Wanted
from tui.worker import Desk, Tools

if TYPE_CHECKING:
    from app.config import Home
    from app.memory import Memory


class MemApp(App[None]):
    """mem on one screen. `open_memory` is called in each thread that needs one; `clock` gives the time."""

    TITLE = "mem"
    CSS_PATH = "mem.tcss"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS = keys(
        "app",
        *((f"{n},alt+{n}", f"go('{place}')", PLACES[place], HIDDEN) for n, place in enumerate(PLACES, 1)),
        ("question_mark,f1", "help", "Help"),
        ("ctrl+p", "command_palette", "All actions", HIDDEN, FIRST),
        ("ctrl+t", "daylight", "Light or dark", HIDDEN),
        ("ctrl+q", "quit", "Quit", HIDDEN, FIRST),
    )

    def __init__(
        self,
        open_memory: Callable[[], Memory],
        *,
        clock: Callable[[], datetime] = clock.now,
        session: str | None = None,
        keymap: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self.set_keymap(dict(keymap or {}))
        self.animation_level = "none"  # nothing moves that does not have to
        self.tools = Tools(Desk(open_memory), Desk(open_memory), Desk(open_memory), clock, session)
        for place in PLACES:
            self.add_mode(place, partial(self._screen, place))

    def on_mount(self) -> None:
        self.switch_mode("chat")

    async def on_unmount(self) -> None:
        await self.tools.close()

    def _screen(self, place: str) -> MemScreen:
        """The screen of a place, made when it is first gone to."""
        return screen_class(place)(self.tools)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action that a key does now, every place, and the themes."""
        for place, title in PLACES.items():
            yield SystemCommand(f"Go to {title}", "", partial(self.action_go, place))
        if isinstance(screen, MemScreen):
            for binding in bindings_of(screen, screen):
                act = partial(self.run_action, binding.action, screen)
                yield SystemCommand(
                    binding.description, f"{key_name(binding)} in {PLACES[screen.PLACE]}", act
                )
        yield SystemCommand("Help", "What this place is for, and its keys", self.action_help)
        yield SystemCommand(
            "Light or dark", "Switch between the light and the dark theme", self.action_daylight
        )
        yield SystemCommand("Theme", "Choose among all themes", self.action_change_theme)
        yield SystemCommand("Quit", "Leave; everything is on disk already", self.action_quit)

    async def action_go(self, place: str, id: str = "") -> None:
        """Go to a place, and turn to what `id` names there."""
        if isinstance(self.screen, MemScreen):
            await self.switch_mode(place)
        if id and isinstance(self.screen, MemScreen):
            self.screen.show(id)

    async def on_wanted(self, message: Wanted) -> None:
        await self.action_go(message.place, message.id)

    async def action_help(self) -> None:
        """Explain this screen."""
        if isinstance(self.screen, MemScreen):
            await self.push_screen(Read(page(self.screen, self)))

    def action_daylight(self) -> None:
        """Switch between the light and the dark theme."""
        self.theme = "textual-light" if self.current_theme.dark else "textual-dark"


def screen_class(place: str) -> type[MemScreen]:
    """The class of a place; a place costs nothing until somebody goes there."""
    from importlib import import_module

    found: type[MemScreen] = getattr(import_module(f"tui.{place}"), f"{PLACES[place]}Screen")
    return found


def known_keys() -> Iterator[str]:
    """The names of all bindings that may be given other keys."""
    bound = [*MemApp.BINDINGS, *(binding for place in PLACES for binding in screen_class(place).BINDINGS)]
    yield from (binding.id for binding in bound if isinstance(binding, Binding) and binding.id)


def run(home: Home) -> None:
    """Open the memory in `home` on the screen, until its user leaves. Raises StorageError, AppError."""
    from functools import cache
    from getpass import getpass

    from app.shared import SharedHome

    ask = cache(lambda: getpass("Passphrase: "))  # asked for once, though several threads open the store
    shared = SharedHome(home, ask)
    shared.open().close()  # what cannot be opened is told before the screen is taken
    file = home.path / "keys.toml"
    keymap = load_keymap(file, known_keys()) if file.exists() else None
    settle()
    MemApp(shared.open, keymap=keymap).run()


def settle() -> None:
    """Spare the garbage collector what is loaded for good: walking all of it would stall the screen for 0.1 s."""
    import gc

    gc.collect()
    gc.freeze()
