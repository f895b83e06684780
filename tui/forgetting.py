"""The forgetting screen: the curve of one memory with its uses, how awake all are, what falls asleep next."""

from __future__ import annotations

from collections.abc import Iterator

from textual import work
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app import curves
from app.browse import KIND_NAMES
from app.curves import Course, Fading
from tui.keys import HIDDEN, keys
from tui.plot import curve, histogram
from tui.screen import MemScreen, Wanted
from tui.words import ago, day, one_line
from tui.worker import Tools


class ForgettingScreen(MemScreen):
    """What fades, and what does not."""

    PLACE = "forgetting"
    ABOUT = (
        "Retrievability is the odds that a memory is needed again: 1 when it was just used, falling with time, slower"
        " after each use. Below 0.5 a memory sleeps until it is asked for; nothing is ever deleted by fading."
        " Above: the curve of the memory chosen (░ is yet to come, ▲ a use) or how awake all are. Below: what falls"
        " asleep within a month unless used."
    )
    BINDINGS = keys(
        PLACE,
        ("enter", "curve", "Its curve", HIDDEN),
        ("escape", "all", "All memories"),
        ("p", "pin", "Pin: never fades"),
        ("o", "open", "Open the memory"),
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._fading: Fading | None = None
        self._course: Course | None = None

    def body(self) -> Iterator[Widget]:
        yield VerticalScroll(Static(id="plot"), id="above")
        yield Static(id="soon-title", classes="title")
        yield OptionList(id="soon", markup=False)

    def on_mount(self) -> None:
        self.query_one("#soon").focus()

    def on_screen_resume(self) -> None:
        self.load()

    def show(self, id: str) -> None:
        self.draw(id)

    @work(exclusive=True, group="load", exit_on_error=False)
    async def load(self) -> None:
        """Count again."""
        now = self.tools.clock()
        found = await self.tools.library.ask(lambda memory: curves.fading(memory, now))
        self._fading = found
        title = f"Asleep within a month unless used: {len(found.soon) or 'none'}"
        self.query_one("#soon-title", Static).update(Content(title))
        self.query_one(OptionList).set_options(
            Option(Content(f"{r.id:<5} {KIND_NAMES[r.kind]:<9} {one_line(r.text)}"), id=r.id)
            for r in found.soon
        )
        if self._course is None:
            self._draw_all()

    @work(exclusive=True, group="draw", exit_on_error=False)
    async def draw(self, id: str) -> None:
        """Show the curve of one memory."""
        now, room = self.tools.clock(), max(20, self.query_one("#above").size.width - 10)
        self._course = await self.tools.library.ask(lambda memory: curves.course(memory, id, now, room))
        self._draw_curve()

    def _draw_curve(self) -> None:
        course, now = self._course, self.tools.clock()
        if course is None:
            return
        height = max(4, min(16, self.query_one("#above").size.height - 6))
        next_ = (
            f"asleep on {day(course.dormant, now)} ({ago(course.dormant, now)}) unless used"
            if course.dormant
            else ""
        )
        if course.protected:
            next_ = f"protected ({course.protected}): never below 0.7"
        head = f"{course.record.id} · {one_line(course.record.text, 100)}"
        lines = [*curve(course, now, height), course.why, next_]
        self.query_one("#plot", Static).update(Content.assemble((head, "bold"), "\n", "\n".join(lines)))

    def _draw_all(self) -> None:
        if self._fading is not None:
            lines = histogram(self._fading.kinds, self._fading.protected)
            head = "How awake all memories are (retrievability, by kind)"
            self.query_one("#plot", Static).update(Content.assemble((head, "bold"), "\n", "\n".join(lines)))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id:
            self.draw(event.option_id)

    def action_curve(self) -> None:
        self.query_one(OptionList).action_select()

    def action_all(self) -> None:
        self._course = None
        self._draw_all()

    def chosen(self) -> str:
        """The memory whose curve is shown, else the one that is highlighted; "" for none."""
        if self._course is not None:
            return self._course.record.id
        option = self.query_one(OptionList).highlighted_option
        return (option.id or "") if option else ""

    @work(group="pin", exit_on_error=False)
    async def action_pin(self) -> None:
        id, now = self.chosen(), self.tools.clock()
        if id:
            await self.tools.library.ask(lambda memory: memory.pin(id, now))
            self.notify(f"{id} is pinned: it never fades.", markup=False)
            self.load()
            if self._course is not None:
                self.draw(id)

    def action_open(self) -> None:
        if id := self.chosen():
            self.post_message(Wanted("memories", id))
