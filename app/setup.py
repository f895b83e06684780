"""Choosing and fetching models for this machine, and what there is to choose from."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.config import Config, Home, save_setting
from app.errors import BadRequest, Refused
from models.catalog import (
    CATALOG,
    CatalogModel,
    LocalSource,
    and_weaker,
    find,
    suggest_chat,
    suggest_embedder,
)
from models.machine import Machine, this_machine
from models.progress import Event, Fetched, FileReady, SourceChosen, SourceFailed

__all__ = ["Event", "Fetched", "FileReady", "SourceChosen", "SourceFailed"]

FAKE = "fake"  # the deterministic stand-ins, for demonstrations and tests


@dataclass(frozen=True, slots=True)
class Choice:
    """A model as a user chooses it. `size` and `ram` in bytes; `fits`: this machine can run it."""

    id: str
    kind: str
    about: str
    licence: str
    size: int
    ram: int
    context_tokens: int
    installed: bool
    in_use: bool
    fits: bool
    sources: tuple[str, ...]
    path: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """What a setup would do: the models, the bytes still to fetch, and the room on the disk."""

    machine: Machine
    models: tuple[Choice, ...]
    to_fetch: int
    free: int
    folder: Path


def choices(home: Home, config: Config) -> list[Choice]:
    """Every model of the catalog."""
    machine = this_machine()
    return [_choice(model, home, config, machine) for model in CATALOG]


def choice(home: Home, config: Config, id: str) -> Choice:
    """The catalog's model of that id. Raises ModelMissing."""
    return _choice(find(id), home, config, this_machine())


def plan(home: Home, config: Config, chat: str | None = None, embed: str | None = None) -> Plan:
    """The models for this machine; what is configured and installed already is kept unless another is named.

    "none" as `chat` leaves the chat model out. Raises ModelMissing, BadRequest.
    """
    machine = this_machine()
    wanted = [_embedder(config, embed)]
    if chat != "none":
        wanted.append(_chat(config, machine, chat))
    models = [_choice(model, home, config, machine) for model in wanted if model is not None]
    to_fetch = sum(model.size for model in models if not model.installed)
    return Plan(machine, tuple(models), to_fetch, _free(home.models), home.models)


def fetch(home: Home, id: str, progress: Callable[[Event], None], source: Path | None = None) -> Path:
    """Make this model present and verified; `source` is a file that the user has. Raises ModelError."""
    from models.pull import pull

    sources = None if source is None else [LocalSource(source)]
    return pull(find(id), home.models, progress, sources=sources)


def fetch_suggested(home: Home, id: str, progress: Callable[[Event], None]) -> str:
    """Make this suggestion present or, where no source delivers it, the next weaker one; returns its id."""
    from models.pull import pull_first

    return pull_first(and_weaker(find(id)), home.models, progress).id


def use(home: Home, id_or_path: str) -> str:
    """Make a model of the catalog, or a GGUF file, the one that is used; returns the setting that was changed.

    Raises BadRequest for what is neither.
    """
    known = next((model for model in CATALOG if model.id == id_or_path), None)
    file = Path(id_or_path).expanduser()
    if known is None and id_or_path != FAKE and not file.exists():
        raise BadRequest(
            f"{id_or_path} is neither a model of the catalog nor a file.", "See `mem model list`."
        )
    key = "models.embed" if (known and known.kind == "embed") or file.is_dir() else "models.chat"
    home.create()
    save_setting(home.config, key, id_or_path if known or id_or_path == FAKE else str(file.absolute()))
    return key


def remove(home: Home, config: Config, id: str) -> int:
    """Delete a fetched model's files; returns the bytes that came free. Raises Refused for one in use."""
    model = find(id)
    if id in (config.models.chat, config.models.embed):
        raise Refused(f"{id} is in use.", "Choose another one first: `mem model use ID`.")
    shutil.rmtree(model.folder(home.models), ignore_errors=True)
    return model.size


def _chat(config: Config, machine: Machine, wanted: str | None) -> CatalogModel | None:
    if wanted is not None:
        return find(wanted)
    if config.models.chat:
        return next((model for model in CATALOG if model.id == config.models.chat), None)
    return suggest_chat(machine.ram, machine.cores)


def _embedder(config: Config, wanted: str | None) -> CatalogModel | None:
    name = wanted or config.models.embed
    if name == FAKE:
        return None
    return next((model for model in CATALOG if model.id == name), None) or suggest_embedder()


def _choice(model: CatalogModel, home: Home, config: Config, machine: Machine) -> Choice:
    from models.pull import describe

    return Choice(
        model.id,
        model.kind,
        model.about,
        model.licence,
        model.size,
        model.ram,
        model.context_tokens,
        model.installed(home.models),
        model.id in (config.models.chat, config.models.embed),
        model.ram <= machine.ram,
        tuple(describe(source) for source in model.files[0].sources),
        model.path(home.models),
    )


def _free(folder: Path) -> int:
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def keys_of(choice: Choice) -> dict[str, Any]:
    """A model as other programs see it."""
    return {
        "id": choice.id,
        "kind": choice.kind,
        "about": choice.about,
        "licence": choice.licence,
        "size": choice.size,
        "ram": choice.ram,
        "context_tokens": choice.context_tokens,
        "installed": choice.installed,
        "in_use": choice.in_use,
        "fits": choice.fits,
        "sources": list(choice.sources),
        "path": str(choice.path),
    }
