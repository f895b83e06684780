"""Is the store whole, is anything missing on this machine, and what remedies it."""

from __future__ import annotations

import importlib.util
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from app.config import Config, Home, load_config
from app.errors import AppError
from app.forget import UNSETTLED, settle
from app.memory import Memory
from storage.check import (
    drop_orphan_vectors,
    full_text_problem,
    integrity_problems,
    rebuild_full_text,
    vector_problems,
)
from storage.database import memory as empty_database
from storage.journal import replay, state_hash

LITTLE_ROOM = 500_000_000  # bytes below which a night's index and backup may not fit


@dataclass(frozen=True, slots=True)
class Check:
    """One question that was asked of the store or the machine. `remedy` is one line, "" where nothing is to do.

    `damage` tells a broken store from a part that is only missing.
    """

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    damage: bool = False


@dataclass(frozen=True, slots=True)
class Address:
    """Where this program may connect to, and on which occasion."""

    address: str
    when: str


def verify(memory: Memory) -> list[Check]:
    """Pages, full text, vectors against rows, and the journal replayed to the same state hash."""
    here, again = replayed(memory)
    detail = "replays to this state" if here == again else f"replays to {again}"
    remedy = "" if here == again else "Restore a backup: `mem restore-backup PATH`."
    return [
        *_sound(memory),
        Check("journal", here == again, detail, remedy, damage=True),
        Check("state hash", True, here),
    ]


def replayed(memory: Memory) -> tuple[str, str]:
    """The state hash of the store, and of what its journal leads to when replayed from nothing."""
    target = empty_database()
    try:
        replay(memory.store.connection, target)
        return state_hash(memory.store.connection), state_hash(target)
    finally:
        target.close()


def store_checks(memory: Memory) -> list[Check]:
    """The store's own health, without the replay, and what still waits in it."""
    from app.home import embedder_name

    waiting = len(memory.store.unembedded(embedder_name(memory.config), limit=100_000))
    remedy = "Run `mem doctor --fix`, or leave it to the daemon." if waiting else ""
    detail = f"{waiting:,} memories have none yet" if waiting else "every memory has one"
    return [*_sound(memory), Check("embeddings", not waiting, detail, remedy), *_index(memory)]


def machine_checks(home: Home) -> list[Check]:
    """Libraries, models, settings, folder and disk. Opens nothing of the store."""
    try:
        config = load_config(home.config)
        settings = Check("settings", True, str(home.config))
    except AppError as error:
        config, settings = Config(), Check("settings", False, str(error), error.hint)
    return [settings, *_libraries(), *_models(home, config), *_folder(home)]


def repair(memory: Memory, now: datetime) -> list[str]:
    """Put right what can be, without losing anything; says what was done."""
    done = []
    if full_text_problem(memory.store.connection):
        with memory.store.atomic("doctor", now):
            rebuild_full_text(memory.store.connection)
        done.append("the full-text index was written anew")
    if vector_problems(memory.store.connection):
        with memory.store.atomic("doctor", now):
            count = drop_orphan_vectors(memory.store.connection)
        done.append(f"{count} vectors without a memory, or of the wrong length, were dropped")
    if memory.home.path.stat().st_mode & 0o077:
        memory.home.path.chmod(0o700)
        done.append("the home folder is private again")
    if memory.store.meta(UNSETTLED):
        settle(memory, now)
        done.append("copies of what was forgotten were removed")
    embedded = memory.embed_backlog(now)
    if embedded:
        done.append(f"{embedded:,} memories were embedded")
    return done


def addresses(config: Config) -> list[Address]:
    """Everything that could ever be called; with no command of the user's that asks for it, nothing is."""
    from models.catalog import CATALOG, HubSource

    hubs = [
        Address(source.url, f"`mem model pull {model.id}`, `mem setup`")
        for model in CATALOG
        for file in model.files
        for source in file.sources
        if isinstance(source, HubSource)
    ]
    registry = Address("the package registry that pip is set to", "the same, where the hub does not deliver")
    server = (
        [Address(config.models.server, "every answer: models.server is set")] if config.models.server else []
    )
    return [*server, *hubs, registry]


def _sound(memory: Memory) -> Iterator[Check]:
    connection = memory.store.connection
    pages = integrity_problems(connection)
    remedy = "Restore a backup: `mem restore-backup PATH`; or save what is readable: `mem export PATH`."
    yield _check("database", "; ".join(pages[:3]), "every page and index is sound", remedy)
    fix = "Run `mem doctor --fix`: it is written anew from the memories."
    yield _check("full text", full_text_problem(connection), "agrees with the memories", fix)
    yield _check("vectors", "; ".join(vector_problems(connection)), "agree with the memories", fix)


def _index(memory: Memory) -> Iterator[Check]:
    """How nearest vectors are found; search is right either way, only slower without a graph."""
    if memory.embedder is None:
        return
    status = memory.store.vectors(memory.embedder.name, memory.embedder.dim).status()
    remedy = "`mem sleep` builds it anew; until then search is exact." if status.damaged else ""
    detail = (
        f"a graph of {status.indexed:,} vectors, {status.tail:,} newer ones exactly"
        if status.mode == "hnsw"
        else f"exact, {status.vectors:,} vectors"
    )
    broken = f"; damaged: {', '.join(status.damaged)}" if status.damaged else ""
    yield Check("index", not status.damaged, detail + broken, remedy)


def _check(name: str, problem: str, fine: str, remedy: str) -> Check:
    return Check(name, not problem, problem or fine, remedy if problem else "", damage=True)


def _libraries() -> Iterator[Check]:
    for module, extra, about in (
        ("llama_cpp", "chat", "runs chat models in this process"),
        ("hnswlib", "index", "fast search above some ten thousand memories; exact search stands in"),
    ):
        there = importlib.util.find_spec(module) is not None
        remedy = "" if there else f"pip install 'mem-assistant[{extra}]'   (needs a C++ compiler)"
        yield Check(module.replace("_", "-"), there, about if there else f"not installed: {about}", remedy)


def _models(home: Home, config: Config) -> Iterator[Check]:
    from app.home import model_state

    for part, name in (("chat model", config.models.chat), ("embedder", config.models.embed)):
        state = model_state(name, home)
        remedy = "" if state.here else f"mem model pull {name}" if name else "mem setup"
        yield Check(part, state.here, state.name or "none is chosen", remedy)


def _folder(home: Home) -> Iterator[Check]:
    if not home.path.exists():
        yield Check("home", True, f"{home.path} (made by the first memory)")
        return
    private = not stat.S_IMODE(home.path.stat().st_mode) & 0o077
    remedy = "" if private else f"chmod 700 {home.path}"
    yield Check("home", private, f"{home.path}{'' if private else ' can be read by others'}", remedy)
    free = shutil.disk_usage(home.path).free
    detail = f"{free / 1e9:,.1f} GB free"
    yield Check("disk", free > LITTLE_ROOM, detail, "" if free > LITTLE_ROOM else "Free some space.")
