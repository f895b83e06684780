"""What is here: the figures of one home for its user's first look. Reads only; makes nothing; needs no model."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from app.config import Config, Home, load_config
from app.memory import Memory
from app.records import Record


@dataclass(frozen=True, slots=True)
class ModelState:
    """A configured model: its name ("" for none) and whether its files are here."""

    name: str
    here: bool


@dataclass(frozen=True, slots=True)
class Overview:
    """One home at a glance. `waiting` episodes have not been slept on; `reviews` are open questions of the night."""

    path: Path
    size: int
    exists: bool
    chat: ModelState
    embed: ModelState
    daemon: bool
    kinds: dict[str, int] = field(default_factory=dict)
    newest: Record | None = None
    since: datetime | None = None
    unembedded: int = 0
    waiting: int = 0
    reviews: int = 0
    last_night: datetime | None = None

    @property
    def memories(self) -> int:
        """How many there are."""
        return sum(self.kinds.values())


def overview(home: Home, memory: Memory | None) -> Overview:
    """The figures; `memory` is None where there is no store yet."""
    config = memory.config if memory else load_config(home.config)
    frame = Overview(
        home.path,
        _size(home),
        memory is not None,
        model_state(config.models.chat, home),
        model_state(config.models.embed, home),
        _answers(home),
    )
    return frame if memory is None else _filled(frame, memory, config)


def _filled(frame: Overview, memory: Memory, config: Config) -> Overview:
    from dataclasses import replace

    from storage.tally import tally

    newest = memory.store.records(limit=1)
    oldest = memory.store.records(limit=1, newest_first=False)
    counts = tally(memory.store.connection, embedder_name(config))
    return replace(
        frame,
        kinds=memory.store.counts("kind"),
        newest=newest[0] if newest else None,
        since=oldest[0].event_time if oldest else None,
        unembedded=counts.unembedded,
        waiting=counts.waiting,
        reviews=counts.reviews,
        last_night=counts.last_night,
    )


def embedder_name(config: Config) -> str:
    """The name under which vectors of the configured embedder are kept, without loading it."""
    from models.fake import HashEmbedder

    if config.models.embed == "fake":
        return HashEmbedder().name
    return Path(config.models.embed).name


def model_state(name: str, home: Home) -> ModelState:
    """Whether the model that is configured under `name` is on this machine."""
    from models.catalog import CATALOG

    if not name:
        return ModelState("", False)
    known = next((model for model in CATALOG if model.id == name), None)
    here = known.installed(home.models) if known else name == "fake" or Path(name).expanduser().exists()
    return ModelState(name if known or name == "fake" else Path(name).name, here)


def _answers(home: Home) -> bool:
    """Whether a daemon listens; a socket file alone may be what a killed one left."""
    from app import wire

    try:
        wire.connect(home.socket).close()
    except wire.NoDaemon:
        return False
    return True


def _size(home: Home) -> int:
    if not home.path.is_dir():
        return 0
    return sum(
        path.stat().st_size for path in home.path.rglob("*") if path.is_file() and not path.is_symlink()
    )
