"""Keys that their user may change: every binding has a name ("memories.pin") to which keys.toml gives other keys."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from textual.binding import Binding, BindingType

from app.errors import BadRequest

HIDDEN, FIRST = "hidden", "first"
"""A binding that is not shown at the foot; one that goes before what the focused widget does with the key."""

EXAMPLE = 'It holds lines such as `pin = "P"` under `[memories]`.'
Key = tuple[str, ...]  # keys, action, description, then HIDDEN or FIRST


def keys(place: str, *bindings: Key) -> list[BindingType]:
    """The bindings of a place; each is named after it and its action."""
    return [
        Binding(
            pressed,
            action,
            about,
            show=HIDDEN not in marks,
            priority=FIRST in marks,
            id=name_of(place, action),
        )
        for pressed, action, about, *marks in bindings
    ]


def name_of(place: str, action: str) -> str:
    """ "memories.pin"; an action with an argument is named by it: "nights.verdict-new"."""
    return f"{place}.{action.replace('(', '-').strip(')').replace(chr(39), '')}"


def load_keymap(path: Path, known: Iterable[str]) -> Mapping[str, str]:
    """The keys that keys.toml gives, by binding name, as in `[memories]` `pin = "P"`; none where there is no file.

    Raises BadRequest for a file that cannot be read, and for a name that no binding has.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise BadRequest(f"{path} cannot be read: {error}.", EXAMPLE) from error
    sections = {place: actions for place, actions in raw.items() if isinstance(actions, dict)}
    chosen = {
        f"{place}.{name}": str(key) for place, actions in sections.items() for name, key in actions.items()
    }
    names = sorted(known)
    for name in [*chosen, *(raw.keys() - sections.keys())]:
        if name not in names:
            near = [n for n in names if n.split(".")[0] == name.split(".")[0]]
            raise BadRequest(
                f"{path} names {name!r}, which is no action.", f"There are: {', '.join(near or names)}."
            )
    return chosen
