"""The nights screen: what each night did, as a diff; what waits for a verdict; one night now; the undo of one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from textual import work
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app import journal, nights
from app.nights import Night
from app.review import Open, Verdict, decide, questions
from tui.dialogs import Confirm, Reword
from tui.keys import HIDDEN, keys
from tui.screen import MemScreen
from tui.words import ago, day, minute, one_line, safe
from tui.worker import Tools

NONE_YET = (
    "No night has been slept yet.\n"
    "z sleeps one now: it links, extracts, reconciles and fades, and shows all that it did.\n"
    "The daemon (`mem daemon start`) sleeps every night by itself."
)


@dataclass
class JobBegan(Message):
    """The night that runs now went on to its next job."""

    job: str


class NightsScreen(MemScreen):
    """What happened while you slept."""

    PLACE = "nights"
    ABOUT = (
        "Every night and what it did: + stored, ~ replaced, - faded. A night can be undone as a whole: facts come"
        " back as they were, and nothing that you said is touched either way. What a night was unsure of stands on"
        " top with a question mark and waits for your verdict: the new fact is right, the old one is, or both are."
    )
    BINDINGS = keys(
        PLACE,
        ("z", "sleep", "Sleep now"),
        ("escape", "stop", "Stop the night"),
        ("u", "undo", "Undo the night"),
        ("y", "verdict('new')", "New is right"),
        ("n", "verdict('old')", "Old is right"),
        ("b", "verdict('both')", "Both are"),
        ("r", "reword", "Reword and accept", HIDDEN),
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._questions: list[Open] = []
        self._nights: list[Night] = []
        self._stopped = threading.Event()
        self._asleep = False

    def body(self) -> Iterator[Widget]:
        yield Horizontal(
            OptionList(id="nights", markup=False), VerticalScroll(Static(id="report"), id="night"), id="when"
        )
        yield Static(id="progress", classes="quiet")

    def show(self, id: str) -> None:
        """ "now" begins a night; else nothing is asked."""
        if id == "now":
            self.action_sleep()

    def on_unmount(self) -> None:
        self._stopped.set()

    def on_mount(self) -> None:
        self.query_one("#nights").focus()

    def on_screen_resume(self) -> None:
        self.load()

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Read the nights again."""
        self._questions, self._nights = await self.tools.library.ask(
            lambda m: (questions(m), nights.nights(m))
        )
        now = self.tools.clock()
        listed = self.query_one(OptionList)
        listed.set_options(
            [
                *(Option(Content(f"? {one_line(q.question)}"), id=str(q.id)) for q in self._questions),
                *(Option(heading(night, now), id=night.run) for night in self._nights),
            ]
        )
        self.refresh_bindings()
        if listed.option_count:
            listed.highlighted = 0
        else:
            self.query_one("#report", Static).update(Content(NONE_YET))

    def on_option_list_option_highlighted(self, _: OptionList.OptionHighlighted) -> None:
        chosen, now = self._chosen(), self.tools.clock()
        if isinstance(chosen, Night):
            self.query_one("#report", Static).update(report(chosen, now))
        elif chosen is not None:
            self.query_one("#report", Static).update(question_lines(chosen, now))
        self.refresh_bindings()

    def _chosen(self) -> Open | Night | None:
        at = self.query_one(OptionList).highlighted
        rows: list[Open | Night] = [*self._questions, *self._nights]
        return None if at is None or at >= len(rows) else rows[at]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Only what can be done with the line that is chosen is offered at the foot."""
        if action in ("verdict", "reword"):
            return isinstance(self._chosen(), Open) if self.is_mounted else False
        if action == "stop":
            return self._asleep
        return True

    # -- verdicts ------------------------------------------------------------------------------

    @work(group="verdict", exit_on_error=False)
    async def action_verdict(self, verdict: str, words: str | None = None) -> None:
        question, now = self._chosen(), self.tools.clock()
        if isinstance(question, Open):
            run = await self.tools.library.ask(lambda m: decide(m, question.id, Verdict(verdict), now, words))
            self.notify(f"Settled. `mem undo {run}` takes it back.", markup=False)
            self.load()

    @work(group="reword", exit_on_error=False)
    async def action_reword(self) -> None:
        question = self._chosen()
        if isinstance(question, Open):
            words = await self.app.push_screen_wait(Reword("The new fact, in your words", question.new.text))
            if words is not None:
                self.action_verdict("new", words)

    # -- one night now -------------------------------------------------------------------------

    @work(group="sleep", exit_on_error=False)
    async def action_sleep(self) -> None:
        """Sleep now, in the thread that has the chat model; Escape wakes it, and the next night goes on from there."""
        if self._asleep:
            return
        self._asleep = True
        self.refresh_bindings()
        self._stopped.clear()
        now = self.tools.clock()
        self._tell("asleep…")
        try:
            done = await self.tools.voice.ask(
                lambda memory: nights.sleep_now(
                    memory,
                    now,
                    stop=self._stopped.is_set,
                    progress=self._job_began,
                )
            )
            self._tell(f"night {done.run} is over{', interrupted' if done.interrupted else ''}")
        finally:
            self._asleep = False
            self.refresh_bindings()
            self.load()

    def _job_began(self, job: str) -> None:
        self.post_message(JobBegan(job))

    def on_job_began(self, message: JobBegan) -> None:
        if self._asleep:  # word of the last job may come after the night's end
            self._tell(f"asleep: {message.job}…  Escape wakes")

    def action_stop(self) -> None:
        if self._asleep:
            self._stopped.set()
            self._tell("waking…")

    def _tell(self, words: str) -> None:
        self.query_one("#progress", Static).update(Content(words))

    # -- undo ----------------------------------------------------------------------------------

    @work(group="undo", exit_on_error=False)
    async def action_undo(self) -> None:
        night = self._chosen()
        if not isinstance(night, Night):
            return
        count = await self.tools.library.ask(lambda memory: journal.count_changes(memory, night.run))
        title = f"Undo night {night.run}? {count} changed rows go back to what they were before."
        if await self.app.push_screen_wait(Confirm(title, [night.summary], "Undo")):
            now = self.tools.clock()
            done = await self.tools.library.ask(lambda memory: journal.undo(memory, night.run, now))
            self.notify(f"{done} rows are as they were before night {night.run}.", markup=False)
            self.load()


def heading(night: Night, now: datetime) -> Content:
    """A night in two lines of the list."""
    state = " (interrupted)" if night.interrupted else "" if night.ended else " (not ended)"
    return Content.assemble((f"{night.run} {ago(night.started, now)}{state}", "bold"), f"\n  {night.summary}")


def question_lines(question: Open, now: datetime) -> Content:
    """The two facts that contradict each other, with when each began to be true and how far it is trusted."""
    parts: list[str | tuple[str, str]] = [(f"Which is right? (night {question.run})\n", "bold")]
    for key, name, fact in (("n", "old", question.old), ("y", "new", question.new)):
        since = day(fact.valid_from or fact.event_time, now)
        parts.append(
            (
                f"\n{key}  the {name} one: {fact.id}, since {since}, {str(fact.trust).replace('_', ' ')}\n",
                "bold",
            )
        )
        parts.append(f"   {safe(fact.text)}\n")
    return Content.assemble(*parts, "\nb  both are right\nr  the new one, in other words")


def report(night: Night, now: datetime) -> Content:
    """A night in full: its jobs with their numbers, then every change as a line of a diff."""
    parts: list[str | tuple[str, str]] = [(f"night {night.run} · {minute(night.started, now)}\n", "bold")]
    for job in night.jobs:
        counts = ", ".join(f"{count} {name}" for name, count in job.counts) or "nothing to do"
        parts.append((f"\n{job.name}", "bold"))
        parts.append(f"  {counts} · {job.seconds:.1f} s\n")
        parts += [f"  {one_line(change)}\n" for change in job.changes]
    return Content.assemble(*parts)
