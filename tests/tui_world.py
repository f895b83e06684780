"""A small memory and the screens over it, for their tests: real store, stand-in models, a clock that stands still."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from textual.pilot import Pilot

from app.config import Config, Home, ModelsConfig
from app.encode import turn
from app.memory import Memory
from app.open import load_chat, load_embedder
from models.chat import ChatModel
from models.fake import EchoChat
from storage.records import Entity, Kind, Link, LinkKind, Record, Source
from storage.store import Store
from tui.app import MemApp

NOW = datetime(2024, 5, 1, 9, 0, tzinfo=UTC)
REPLY = "Anna lives in **Graz** now."


@dataclass(frozen=True)
class World:
    """A home folder with its settings; `replies` scripts the chat model."""

    home: Home
    config: Config
    replies: Sequence[str] | Callable[..., str] = (REPLY,)

    def open(self) -> Memory:
        """The memory, opened once more."""
        self.home.create()
        return Memory(
            self.home,
            self.config,
            Store(self.home.database),
            load_embedder=lambda: load_embedder(self.home, self.config),
            load_chat=self._chat,
        )

    def app(self) -> MemApp:
        """The screens over it."""
        return MemApp(self.open, clock=lambda: NOW, session="today")

    def _chat(self) -> ChatModel:
        if self.config.models.chat != "fake":
            return load_chat(self.home, self.config)
        return EchoChat(self.replies, context_tokens=4096)


def empty(folder: Path, *, chat: str = "fake", embed: str = "minilm-int8") -> World:
    """A home without memories; the default embedder is not there, so that words alone find them."""
    return World(
        Home(folder / "home", folder / "models"), Config(models=ModelsConfig(chat=chat, embed=embed))
    )


def filled(folder: Path, *, chat: str = "fake", embed: str = "minilm-int8") -> World:
    """A home with two talks, a fact with its origin, one that is over, and an entity."""
    world = empty(folder, chat=chat, embed=embed)
    memory = world.open()
    try:
        said = memory.add([_said(*words) for words in SAID], "say", NOW - timedelta(days=30))
        facts = memory.add(FACTS, "derive", NOW - timedelta(days=29))
        with memory.store.atomic("derive", NOW - timedelta(days=29)):
            memory.store.update(replace(facts[0], superseded_by=facts[1].id, valid_to=facts[1].valid_from))
            memory.store.upsert_entity(Entity("e_anna", "Anna", "person", ("anna",)))
            memory.store.link(
                [
                    Link(facts[0].id, said[0].id, LinkKind.DERIVED_FROM, 1.0, 0, 29),
                    Link(facts[1].id, said[2].id, LinkKind.DERIVED_FROM, 1.0, 0, 21),
                    Link(facts[1].id, facts[0].id, LinkKind.SUPERSEDES),
                    Link(said[0].id, "e_anna", LinkKind.MENTIONS),
                    Link(facts[1].id, "e_anna", LinkKind.MENTIONS),
                ]
            )
    finally:
        memory.close()
    return world


SAID = (
    ("My sister Anna lives in Vienna.", 200, "spring"),
    ("I am allergic to hazelnuts.", 200, "spring"),
    ("Anna moved to Graz last week.", 40, "move"),
    ("The bicycle is in the cellar.", 3, "move"),
)


def _said(text: str, days_ago: int, session: str) -> Record:
    moment = NOW - timedelta(days=days_ago)
    return turn(text, now=moment, speaker="me", session=session)


def _fact(text: str, days_ago: int) -> Record:
    moment = NOW - timedelta(days=days_ago)
    return Record(
        Kind.SEMANTIC, text, Source.USER_SAID, Source.USER_SAID, moment, moment,
        valid_from=moment, subject="anna", attribute="home", importance=5.0, stability=20.0, derived_by="rule-1",
    )  # fmt: skip


FACTS = (_fact("Anna lives in Vienna", 200), _fact("Anna lives in Graz", 40))


async def settled(pilot: Pilot[None], done: Callable[[], bool], tries: int = 200) -> None:
    """Wait until `done`, for work that other threads do. Fails after `tries`, and a minute on a busy machine."""
    last = time.monotonic() + 60
    while tries > 0 or time.monotonic() < last:
        tries -= 1
        if done():
            await pilot.pause()
            return
        await pilot.pause(0.02)
    raise AssertionError(f"what was waited for did not happen on\n{plain(pilot)}")


async def typed(pilot: Pilot[None], text: str) -> None:
    """Type text, key by key."""
    names = {" ": "space", "?": "question_mark", "/": "slash", ".": "full_stop", ":": "colon", "-": "minus"}
    await pilot.press(*(names.get(character, character) for character in text))


def plain(pilot: Pilot[None]) -> str:
    """The screen as text."""
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


Act = Callable[[Pilot[None]], Awaitable[None]]
