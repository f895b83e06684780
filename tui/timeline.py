"""The timeline: months with their density, the days of one, what was said and which facts changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from textual import work
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app import months
from app.browse import KIND_NAMES
from app.months import Span
from app.records import Record
from tui.keys import HIDDEN, keys
from tui.screen import MemScreen, Wanted
from tui.words import bar, one_line
from tui.worker import Tools

SPARKS = "·▁▂▃▄▅▆▇█"


class TimelineScreen(MemScreen):
    """When things were said and done."""

    PLACE = "timeline"
    ABOUT = (
        "Months on the left, as long as they are full. On the right the days of the one chosen, the facts that"
        " began (▶) or ceased (■) to be true, and what was said. Enter on a memory opens it."
    )
    BINDINGS = keys(
        PLACE,
        ("enter", "into", "Into the month", HIDDEN),
        ("escape", "back", "Back to the months"),
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._months: list[tuple[str, int]] = []

    def body(self) -> Iterator[Widget]:
        yield Horizontal(
            OptionList(id="months", markup=False), OptionList(id="days", markup=False), id="when"
        )
        yield Static(id="about", classes="quiet")

    def on_mount(self) -> None:
        self.query_one("#months").focus()

    def on_screen_resume(self) -> None:
        self.load()

    @work(exclusive=True, group="months", exit_on_error=False)
    async def load(self) -> None:
        """Count the months again."""
        found = await self.tools.library.ask(months.months)
        if found == self._months:
            return
        self._months = found
        most = max((count for _, count in found), default=1)
        listed = self.query_one("#months", OptionList)
        listed.set_options(
            Option(Content(f"{name} {bar(count, most, 10)} {count:,}"), id=name) for name, count in found
        )
        about = (
            f"{sum(c for _, c in found):,} memories in {len(found)} months"
            if found
            else "Nothing is here yet."
        )
        self.query_one("#about", Static).update(Content(about))
        if found:
            listed.highlighted = 0

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_list.id == "months" and event.option_id:
            self.read(event.option_id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_list.id == "months":
            self.action_into()
        elif event.option_id:
            self.post_message(Wanted("memories", event.option_id.partition(" ")[2]))

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, name: str) -> None:
        """Show one month."""
        found = await self.tools.library.ask(lambda memory: months.span(memory, name))
        now = self.tools.clock()
        self.query_one("#days", OptionList).set_options(lines(found, now))

    def action_into(self) -> None:
        self.query_one("#days").focus()

    def action_back(self) -> None:
        self.query_one("#months").focus()


def lines(span: Span, now: datetime) -> list[Option]:
    """A month as options: its days as a spark line, the facts that changed, the memories under their days."""
    options = [Option(Content(f"{span.name}  {spark(span)}"), disabled=True)]
    for place, turning in enumerate(span.turnings):
        sign, word = ("▶", "began") if turning.began else ("■", "ceased")
        words = f"{sign} {turning.at:%d} {word} to be true: {one_line(turning.record.text)}"
        options.append(Option(Content(words), id=f"t{place} {turning.record.id}"))
    for day, records in by_day(span.records):
        options.append(Option(Content(f"── {day:%a %d %b} · {len(records)} ──"), disabled=True))
        options += [Option(_line(r, now), id=f"r {r.id}") for r in records]
    return options


def spark(span: Span) -> str:
    """One sign for each day of the month, by how much it holds; "·" for nothing."""
    start, end = months.bounds(span.name)
    counts = {int(day[8:10]): count for day, count in span.days}
    most = max(counts.values(), default=1)
    heights = len(SPARKS) - 1
    return "".join(
        SPARKS[-(-counts.get(day, 0) * heights // most)] for day in range(1, (end - start).days + 1)
    )


def by_day(records: Sequence[Record]) -> list[tuple[datetime, list[Record]]]:
    """Records under the day of their time, in the order in which they come."""
    found: dict[str, list[Record]] = {}
    for record in records:
        found.setdefault(f"{record.event_time:%Y-%m-%d}", []).append(record)
    return [(group[0].event_time, group) for group in found.values()]


def _line(record: Record, now: datetime) -> Content:
    hour = f"{record.event_time.astimezone(now.tzinfo):%H:%M} "
    return Content.assemble(hour, (f"{KIND_NAMES[record.kind]:<9}", "bold"), one_line(record.text))
