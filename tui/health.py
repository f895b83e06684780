"""Models and health: which models there are and fetch one, whether the store is whole, and what mends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from textual import work
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app import health, setup, speed
from app.doctor import Check
from app.errors import Refused
from app.health import Health
from app.setup import Choice
from tui.dialogs import Confirm
from tui.keys import keys
from tui.screen import MemScreen
from tui.words import ago, bar, one_line, size
from tui.worker import Tools


@dataclass
class Progressed(Message):
    """A download reported something."""

    event: setup.Event


class HealthScreen(MemScreen):
    """Models and health."""

    PLACE = "health"
    ABOUT = (
        "Above: the home at a glance, and what was checked (✓ sound, ✗ with its remedy). Below: every model that mem"
        " knows by name. Fetching shows what it costs first, goes on where it stopped, and checks every byte."
    )
    BINDINGS = keys(
        PLACE,
        ("c", "check", "Check the store"),
        ("d", "download", "Download"),
        ("escape", "stop", "Stop the download"),
        ("u", "use", "Use this model"),
        ("s", "speed", "Measure speed"),
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._models: tuple[Choice, ...] = ()
        self._stopped = threading.Event()

    def body(self) -> Iterator[Widget]:
        yield VerticalScroll(Static(id="glance"), Static(id="checks"), id="above")
        yield Static(id="progress", classes="quiet")
        yield OptionList(id="models", markup=False)

    def on_unmount(self) -> None:
        self._stopped.set()

    def on_mount(self) -> None:
        self.query_one("#models").focus()

    def on_screen_resume(self) -> None:
        self.load()

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Look again."""
        found = await self.tools.hands.ask(health.health)
        self._models = found.models
        self.query_one("#glance", Static).update(self._glance(found))
        listed = self.query_one(OptionList)
        at = listed.highlighted or 0
        listed.set_options(Option(model_line(model), id=model.id) for model in found.models)
        listed.highlighted = at

    def _glance(self, found: Health) -> Content:
        seen, now = found.overview, self.tools.clock()
        lines = [
            f"{seen.memories:,} memories in {size(seen.size)} at {one_line(str(seen.path))}",
            f"chat model: {seen.chat.name or 'none'}{'' if seen.chat.here else ' (not here: `mem setup`)'}"
            f" · embedder: {seen.embed.name or 'none'}{'' if seen.embed.here else ' (not here: `mem setup`)'}",
            f"{seen.unembedded:,} wait to be embedded · {seen.waiting:,} wait for the night ·"
            f" last night {ago(seen.last_night, now) if seen.last_night else 'never'} ·"
            f" daemon {'runs' if seen.daemon else 'does not run'}",
            f"these screens hold {size(found.resident)} of memory",
        ]
        return Content("\n".join(lines))

    @work(exclusive=True, group="check", exit_on_error=False)
    async def action_check(self) -> None:
        """Run every check of the store; seconds on a large one."""
        self._tell("checking…")
        found = await self.tools.hands.ask(health.checks)
        self.query_one("#checks", Static).update(Content("\n".join(["", *map(check_line, found)])))
        wrong = sum(not check.ok for check in found)
        self._tell("everything is sound" if not wrong else f"{wrong} of {len(found)} checks found something")

    @work(exclusive=True, group="speed", exit_on_error=False)
    async def action_speed(self) -> None:
        """Run both models once, in the thread that has the chat model."""
        self._tell("measuring; this takes some seconds…")
        self._tell(speed_line(await self.tools.voice.ask(speed.measure)))
        self.load()

    # -- models --------------------------------------------------------------------------------

    def _model(self) -> Choice | None:
        at = self.query_one(OptionList).highlighted
        return None if at is None or at >= len(self._models) else self._models[at]

    @work(group="download", exit_on_error=False)
    async def action_download(self) -> None:
        model = self._model()
        if model is None or model.installed:
            return
        lines = [
            model.about,
            f"licence {model.licence}",
            f"{size(model.size)} to {model.path}",
            f"{size(model.ram)} of memory when it runs",
        ]
        if not await self.app.push_screen_wait(Confirm(f"Fetch {model.id}?", lines, "Fetch")):
            return
        self._stopped.clear()
        await self.tools.hands.ask(lambda memory: setup.fetch(memory.home, model.id, self._reporter()))
        self._tell(f"{model.id} is here. `u` uses it.")
        self.load()

    def _reporter(self) -> Callable[[setup.Event], None]:
        """What the download calls; it ends the download when it was asked to."""

        def report(event: setup.Event) -> None:
            self.post_message(Progressed(event))
            if self._stopped.is_set():
                raise Refused("The download was stopped.", "It goes on from there the next time.")

        return report

    def on_progressed(self, message: Progressed) -> None:
        self._tell(progress_line(message.event))

    def action_stop(self) -> None:
        self._stopped.set()

    @work(group="use", exit_on_error=False)
    async def action_use(self) -> None:
        model = self._model()
        if model is None:
            return
        if not model.installed:
            self.notify(f"`d` fetches {model.id} first.", markup=False)
            return
        await self.tools.hands.ask(lambda memory: setup.use(memory.home, model.id))
        await self.tools.renew()
        self._tell(f"{model.id} is used from now on.")
        self.load()

    def _tell(self, words: str) -> None:
        self.query_one("#progress", Static).update(Content(words))


def model_line(model: Choice) -> Content:
    """A model in one line: in use, here or not, what it takes, whether it fits this machine."""
    state = "here" if model.installed else "not here"
    fits = "" if model.fits else " · too large for this machine"
    return Content.assemble(
        ("● in use " if model.in_use else "         ", "bold"),
        (f"{model.id:<26}", "bold"),
        f"{model.kind:<6}{state:<9}{size(model.size):>8}{fits} · {one_line(model.about)}",
    )


def speed_line(found: speed.Speed) -> str:
    """What the models do in a second."""
    return (
        f"{found.chat} reads {found.prompt_per_second:.0f} and writes {found.reply_per_second:.1f} tokens a second;"
        f" {found.embedder} takes {found.texts_per_second:.0f} texts a second"
    )


def check_line(check: Check) -> str:
    """A check in a line, with its remedy."""
    remedy = f" → {check.remedy}" if check.remedy and not check.ok else ""
    return f"{'✓' if check.ok else '✗'} {check.name}: {one_line(check.detail)}{remedy}"


def progress_line(event: setup.Event) -> str:
    """What a download does now."""
    match event:
        case setup.Fetched(file, done, total, rate, eta):
            left = f" · {eta:.0f} s left" if eta is not None else ""
            return f"{file} {bar(done, total, 20)} {size(done)} of {size(total)} · {size(rate)}/s{left}  Escape stops"
        case setup.SourceChosen(file, source):
            return f"{file}: trying {source}"
        case setup.SourceFailed(file, source, reason):
            return f"{file}: {source} did not deliver ({reason}); the next source is tried"
        case setup.FileReady(file):
            return f"{file} is here and verified"
