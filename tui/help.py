"""The help page: what each place is for and its keys, read from the bindings themselves so that it cannot lie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from textual.app import App
from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode

from tui.commands import COMMANDS
from tui.screen import PLACES, MemScreen

NAMES = {"question_mark": "?", "slash": "/", "escape": "Esc", "space": "Space", "enter": "Enter"}
IDEAS = (
    ("fade", "a memory that is not used ranks lower; nothing is hidden"),
    ("archive", "an old, faded memory is put to rest; it is still found, and any use brings it back"),
    ("supersede", "a fact stopped being true; it keeps the time in which it was"),
    ("forget", "you asked; it is erased everywhere, with what came from it alone"),
)


def page(screen: MemScreen, app: App[None]) -> Content:
    """Help for this screen."""
    everywhere = [b for b in bindings_of(screen, app) if not b.action.startswith("go(")]
    numbers = "  ".join(f"{n} {title}" for n, title in enumerate(PLACES.values(), 1))
    parts = [
        *_section(PLACES[screen.PLACE], _keys(bindings_of(screen, screen)), screen.ABOUT),
        *(_section("Commands", [(c.usage, c.about) for c in COMMANDS]) if screen.PLACE == "chat" else ()),
        *_section(
            "Everywhere", _keys(everywhere), f"{numbers}\nIn an editor: Alt with the number, or Escape first."
        ),
        *_section("Four words", IDEAS),
    ]
    return Content.assemble(*parts)


def _section(title: str, rows: Iterable[tuple[str, str]], about: str = "") -> Iterator[str | tuple[str, str]]:
    """A heading, a paragraph, and rows of a bold name and what it means."""
    yield (f"{title}\n", "bold underline")
    yield f"{about}\n\n" if about else ""
    for name, meaning in rows:
        yield (f"  {name:<16}", "bold")
        yield f" {meaning}\n"
    yield "\n"


def bindings_of(screen: MemScreen, node: DOMNode) -> Iterator[Binding]:
    """The keys that the screen (or the app) defines itself, as they are bound now, each action once."""
    own = {b.action for b in node.__class__.__dict__["BINDINGS"] if isinstance(b, Binding)}
    seen: set[str] = set()
    for active in screen.active_bindings.values():
        binding = active.binding
        if active.node is node and binding.action in own - seen and binding.description:
            seen.add(binding.action)
            yield binding


def key_name(binding: Binding) -> str:
    """A key as it is printed on a keyboard."""
    if binding.key_display:
        return binding.key_display
    return "+".join(
        NAMES.get(part, part.capitalize() if len(part) > 1 else part) for part in binding.key.split("+")
    )


def _keys(bindings: Iterable[Binding]) -> list[tuple[str, str]]:
    return [(key_name(b), b.description) for b in bindings]
