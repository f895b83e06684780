"""The graph: one memory or entity in the middle, its links around it, walked with the arrow keys."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from textual import work
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from app import graph
from app.browse import Neighbour
from app.graph import Centre
from tui.keys import FIRST, keys
from tui.screen import MemScreen, Wanted
from tui.words import day, one_line, safe
from tui.worker import Tools

OUT = {
    "derived_from": "comes from", "supersedes": "replaces", "contradicts": "contradicts", "mentions": "mentions",
    "similar": "is like", "same_episode": "was said with", "depends_on": "depends on", "next": "is followed by",
    "part_of": "is part of",
}  # fmt: skip
BACK = {
    "derived_from": "led to", "supersedes": "is replaced by", "mentions": "is mentioned in",
    "depends_on": "is needed by", "next": "follows", "part_of": "holds",
}  # fmt: skip


HUBS = "People, places and things, the most mentioned first"
NO_HUBS = (
    "No person, place or thing is known yet: the night (`mem sleep`) finds them.\n"
    "A walk may begin at any memory, too: `g` in place 2."
)


class GraphScreen(MemScreen):
    """How memories hang together."""

    PLACE = "graph"
    ABOUT = (
        "One memory, person or thing in the middle; below it what is linked to it, with how many links lead on from"
        " there. Enter or → walks there, ← goes back, o opens the memory, h shows what is mentioned most."
    )
    BINDINGS = keys(
        PLACE,
        ("right", "walk", "Walk there", FIRST),
        ("left", "back", "Go back", FIRST),
        ("o", "open", "Open the memory"),
        ("h", "hubs", "Most mentioned"),
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._trail: list[str] = []
        self._centre: Centre | None = None

    def body(self) -> Iterator[Widget]:
        yield Static(id="centre")
        yield OptionList(id="around", markup=False)
        yield Static(id="trail", classes="quiet")

    def on_mount(self) -> None:
        self.query_one("#around").focus()
        if not self._trail:
            self.action_hubs()

    def show(self, id: str) -> None:
        self._trail.append(id)
        self.draw(id)

    # -- drawing -------------------------------------------------------------------------------

    @work(exclusive=True, group="draw", exit_on_error=False)
    async def draw(self, id: str) -> None:
        """Put this in the middle."""
        found = await self.tools.library.ask(lambda memory: graph.centre(memory, id))
        self._centre = found
        when = f" · {day(found.record.event_time, self.tools.clock())}" if found.record else ""
        head = Content.assemble(
            (f"◉ {found.id} · {found.kind}{when}", "bold"), f"\n  {safe(found.name[:300])}"
        )
        self.query_one("#centre", Static).update(head)
        listed = self.query_one(OptionList)
        listed.set_options(tree(found) or [Option(Content("  nothing is linked to it yet"), disabled=True)])
        listed.highlighted = next((i for i, o in enumerate(listed.options) if not o.disabled), None)
        self._tell()

    @work(exclusive=True, group="draw", exit_on_error=False)
    async def action_hubs(self) -> None:
        """Where a walk may begin."""
        found = await self.tools.library.ask(graph.hubs)
        self._centre = None
        self.query_one("#centre", Static).update(Content(HUBS if found else NO_HUBS))
        listed = self.query_one(OptionList)
        listed.set_options(
            Option(Content(f"◉ {one_line(name, 60)} · {kind} · in {count:,} memories"), id=f"0 {id}")
            for id, name, kind, count in found
        )
        listed.highlighted = 0 if found else None
        self._trail.clear()
        self._tell()

    def _tell(self) -> None:
        names = " → ".join(self._trail[-8:])
        self.query_one("#trail", Static).update(Content(f"way: {names}" if names else "Enter walks"))

    # -- walking -------------------------------------------------------------------------------

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_id:
            self.show(event.option_id.partition(" ")[2])

    def action_walk(self) -> None:
        self.query_one(OptionList).action_select()

    def action_back(self) -> None:
        if self._trail:
            self._trail.pop()
        if self._trail:
            self.draw(self._trail[-1])
        else:
            self.action_hubs()

    def action_open(self) -> None:
        """Open the memory in the middle, or, where that is an entity, the one that is highlighted."""
        option = self.query_one(OptionList).highlighted_option
        if self._centre is not None and self._centre.record is not None:
            self.post_message(Wanted("memories", self._centre.id))
        elif option is not None and option.id and self._centre is not None:
            self.post_message(Wanted("memories", option.id.partition(" ")[2]))


def tree(centre: Centre) -> list[Option]:
    """The neighbours as branches, grouped by what the links say."""
    options: list[Option] = []
    paired = sorted(zip(centre.neighbours, centre.further, strict=True), key=lambda pair: verb(pair[0]))
    for name, group in groupby(paired, key=lambda pair: verb(pair[0])):
        options.append(Option(Content.assemble((f"├─ {name}", "bold")), disabled=True))
        for neighbour, further in group:
            onward = f"  (+{further})" if further > 0 else ""
            sign = "◉" if neighbour.entity else "·"
            words = f"│   {sign} {neighbour.id}  {one_line(neighbour.name, 120)}{onward}"
            options.append(Option(Content(words), id=f"{len(options)} {neighbour.id}"))
    return options


def verb(neighbour: Neighbour) -> str:
    """What the link says, read from the middle outward."""
    kind = str(neighbour.link.kind)
    return OUT.get(kind, kind) if neighbour.out else BACK.get(kind, OUT.get(kind, kind))
