"""The memories screen: search as you type, look at one in full, and tend it: edit, pin, archive, forget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from app import browse
from app.browse import KIND_NAMES, Asked, Detail, Found, Page
from app.fading import set_state
from app.forget import Preview, forget
from app.records import Kind, State
from app.uses import OPENED, use
from tui.dialogs import Confirm, Reword
from tui.draw import in_full, row
from tui.keys import HIDDEN, keys
from tui.screen import MemScreen, Wanted
from tui.words import one_line
from tui.worker import Tools

if TYPE_CHECKING:
    from app.memory import Memory

DEBOUNCE = 0.03  # seconds of quiet before a search by words begins
PAUSE = 0.3  # seconds more before the same is asked by meaning
EMPTY = (
    "Nothing is here yet. Three ways to begin:\n"
    "  talk in place 1 (Chat), or /remember TEXT there;\n"
    '  `mem remember "The key is under the blue pot"`;\n'
    "  `mem import PATH` takes in chats, notes and mail."
)
SEARCH = "words, or kind:fact state:dormant by:Ann from:imported after:2024-03 before:30d"


class MemoriesScreen(MemScreen):
    """All memories: find, read, tend."""

    PLACE = "memories"
    ABOUT = (
        "Find, read and tend memories. Words narrow as you type; kind: state: by: from: session: after:"
        " before: is:true filter. Space marks several; what you do then is done to all of them."
    )
    BINDINGS = keys(
        PLACE,
        ("slash", "search", "Search"),
        ("space", "mark", "Mark"),
        ("e", "edit", "Edit"),
        ("p", "pin", "Pin/unpin"),
        ("a", "archive", "Archive/wake"),
        ("f", "forget", "Forget"),
        ("k", "kind", "Next kind", HIDDEN),
        ("s", "state", "Next state", HIDDEN),
        ("g", "graph", "Links", HIDDEN),
        ("c", "curve", "Forgetting curve", HIDDEN),
        ("escape", "back", "Back", HIDDEN),
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self._kind: Kind | None = None
        self._state: State | None = None
        self._rows: list[Found] = []
        self._more = False
        self._marked: set[str] = set()
        self._detail: Detail | None = None
        self._wanted = ""
        self.shown = 0  # answers drawn so far

    def body(self) -> Iterator[Widget]:
        yield Input(placeholder=SEARCH, id="search")
        yield Static(id="filters", classes="quiet")
        yield Container(
            OptionList(id="list", markup=False),
            VerticalScroll(Static(id="full", markup=False), id="detail"),
            id="both",
        )

    def on_mount(self) -> None:
        self.query_one("#list").focus()
        self.search()

    def on_screen_resume(self) -> None:
        if self._rows and not self._wanted:
            self.search()  # the chat, or another program, may have added memories

    def show(self, id: str) -> None:
        """`id` is a memory; "?words" searches; "!id" asks whether to forget it."""
        if id.startswith("?"):
            self.query_one(Input).value = id[1:]
        elif id.startswith("!"):
            self._ask_forget(id[1:].split())
        elif id:
            self._wanted = id
            self.read(id)

    # -- finding -------------------------------------------------------------------------------

    def asked(self) -> Asked:
        """What is searched for now: the line, and the kind and state that keys chose."""
        line = browse.understand(self.query_one(Input).value, self.tools.clock())
        return browse.narrowed(line, self._kind, self._state)

    def on_input_changed(self, _: Input.Changed) -> None:
        self.search()

    def on_input_submitted(self, _: Input.Submitted) -> None:
        self.query_one("#list").focus()

    @work(exclusive=True, group="search", exit_on_error=False)
    async def search(self) -> None:
        """Find again, once the typing pauses; a search that a key press overtook is dropped.

        Words are found at once; after a longer pause recall is asked, which knows meaning, too."""
        await asyncio.sleep(DEBOUNCE)
        asked = self.asked()
        page = await self.tools.library.ask(lambda memory: browse.search(memory, asked))
        self._fill(asked, page)
        if asked.words:
            await asyncio.sleep(PAUSE)
            now = self.tools.clock()
            deep = await self.tools.hands.ask(lambda memory: browse.search_by_meaning(memory, asked, now))
            if deep.rows:
                self._fill(asked, deep)

    @work(exclusive=True, group="more", exit_on_error=False)
    async def _load_more(self) -> None:
        asked, here = self.asked(), len(self._rows)
        page = await self.tools.library.ask(lambda memory: browse.search(memory, asked, offset=here))
        if here == len(self._rows):
            self._rows += page.rows
            self._more = page.more
            self.query_one(OptionList).add_options(self._options(list(page.rows)))

    def _fill(self, asked: Asked, page: Page) -> None:
        self._rows, self._more = list(page.rows), page.more
        self.shown += 1
        listed = self.query_one(OptionList)
        at = listed.highlighted_option.id if listed.highlighted_option else None
        listed.set_options(self._options(self._rows))
        ids = [f.record.id for f in self._rows]
        if ids:
            listed.highlighted = ids.index(at) if at in ids else 0
        else:
            self._draw_full(None, asked)
        self._tell(asked, page)

    def _options(self, rows: list[Found]) -> list[Option]:
        now = self.tools.clock()
        return [Option(row(f, now, marked=f.record.id in self._marked), id=f.record.id) for f in rows]

    def _tell(self, asked: Asked, page: Page) -> None:
        kinds = ", ".join(KIND_NAMES[k] for k in sorted(asked.filter.kinds)) or "all"
        states = ", ".join(sorted(map(str, asked.filter.states))) or "all"
        count = f"{len(self._rows)}{'+' if self._more else ''} by {page.by}"
        odd = f"not understood: {one_line(' '.join(asked.unknown))} · " if asked.unknown else ""
        marked = f"{len(self._marked)} marked · " if self._marked else ""
        words = f"{odd}{marked}kind: {kinds} (k) · state: {states} (s) · {count}"
        self.query_one("#filters", Static).update(Content(words))

    # -- reading -------------------------------------------------------------------------------

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        if event.option_id and not self._wanted:
            self.read(event.option_id)
        if self._more and event.option_index >= len(self._rows) - 5:
            self._load_more()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._wanted = ""
        if event.option_id:
            self.read(event.option_id)
            self._open(event.option_id)
        self.query_one("#detail").focus()

    @work(group="open", exit_on_error=False)
    async def _open(self, id: str) -> None:
        """Opening a memory is a use of it, though a small one: once a day."""
        now = self.tools.clock()
        await self.tools.library.ask(lambda memory: use(memory, [id], OPENED, f"opened {now:%Y-%m-%d}", now))

    @work(exclusive=True, group="read", exit_on_error=False)
    async def read(self, id: str) -> None:
        """Show one memory in full."""
        self._draw_full(await self.tools.library.ask(lambda memory: browse.detail(memory, id)), None)

    def _draw_full(self, detail: Detail | None, asked: Asked | None) -> None:
        self._detail = detail
        full = self.query_one("#full", Static)
        if detail is not None:
            why = next((f.why for f in self._rows if f.record.id == detail.record.id), "")
            full.update(in_full(detail, self.tools.clock(), why if why != "words" else ""))
            self.query_one("#detail").scroll_home(animate=False)
        else:
            searching = asked is not None and asked != Asked("", asked.filter.__class__())
            full.update(Content("Nothing fits. Escape clears the search." if searching else EMPTY))

    # -- tending -------------------------------------------------------------------------------

    def chosen(self) -> list[str]:
        """The marked memories, else the one that is shown."""
        if self._marked:
            return [f.record.id for f in self._rows if f.record.id in self._marked]
        return [self._detail.record.id] if self._detail else []

    @work(group="change", exit_on_error=False)
    async def _change(self, done: str, act: Callable[[Memory], object]) -> None:
        await self.tools.library.ask(act)
        self.notify(done, markup=False)
        self._marked.clear()
        self.search()
        if self._detail is not None:
            self.read(self._detail.record.id)

    def action_mark(self) -> None:
        listed = self.query_one(OptionList)
        if listed.highlighted is None:
            return
        found = self._rows[listed.highlighted]
        self._marked ^= {found.record.id}
        marked = found.record.id in self._marked
        listed.replace_option_prompt_at_index(
            listed.highlighted, row(found, self.tools.clock(), marked=marked)
        )
        listed.action_cursor_down()

    def action_pin(self) -> None:
        ids, now = self.chosen(), self.tools.clock()
        pinned = not (self._detail and self._detail.record.pinned)
        if ids:
            words = "Pinned" if pinned else "Unpinned"
            self._change(
                f"{words} {', '.join(ids)}.", lambda m: [m.pin(id, now, pinned=pinned) for id in ids]
            )

    def action_archive(self) -> None:
        ids, now = self.chosen(), self.tools.clock()
        resting = bool(self._detail and self._detail.record.state is State.ARCHIVED)
        state, words = (State.ACTIVE, "Awake again") if resting else (State.ARCHIVED, "Archived")
        if ids:
            self._change(f"{words}: {', '.join(ids)}.", lambda m: set_state(m, ids, state, now))

    @work(group="edit", exit_on_error=False)
    async def action_edit(self) -> None:
        if self._detail is None:
            return
        record, now = self._detail.record, self.tools.clock()
        if record.kind is Kind.EPISODIC:
            self.notify("/remember in the chat adds a correction.", title="What was said is never changed.")
            return
        text = await self.app.push_screen_wait(
            Reword(f"Reword {record.id}; the old words stay in its history", record.text)
        )
        if text is not None:
            self._change(f"Reworded {record.id}.", lambda m: m.edit(record.id, text, now))

    def action_forget(self) -> None:
        if ids := self.chosen():
            self._ask_forget(ids)

    @work(group="forget", exit_on_error=False)
    async def _ask_forget(self, ids: list[str]) -> None:
        """Show all that would go and all that would stay; erase it only after a yes."""
        plan = await self.tools.library.ask(lambda memory: browse.forget_preview(memory, ids))
        what = "1 memory" if len(plan.all) == 1 else f"{len(plan.all)} memories"
        title = f"Forget {what} for good? This cannot be undone."
        if await self.app.push_screen_wait(Confirm(title, forgetting_lines(plan), "Forget")):
            now = self.tools.clock()
            self._detail = None
            self._change(f"Forgot {', '.join(r.id for r in plan.all)}.", lambda m: forget(m, plan, now))

    def action_kind(self) -> None:
        kinds = [None, *Kind]
        self._kind = kinds[(kinds.index(self._kind) + 1) % len(kinds)]
        self.search()

    def action_state(self) -> None:
        states = [None, *State]
        self._state = states[(states.index(self._state) + 1) % len(states)]
        self.search()

    def action_search(self) -> None:
        self.query_one(Input).focus()

    def action_back(self) -> None:
        """One step back: from the detail to the list, from the search to the list, then clear marks and words."""
        self._wanted = ""
        listed = self.query_one("#list")
        if self.focused is not listed:
            listed.focus()
        elif self._marked:
            self._marked.clear()
            self.search()
        else:
            self._kind = self._state = None
            self.query_one(Input).value = ""
            self.search()

    def action_graph(self) -> None:
        if self._detail:
            self.post_message(Wanted("graph", self._detail.record.id))

    def action_curve(self) -> None:
        if self._detail:
            self.post_message(Wanted("forgetting", self._detail.record.id))


def forgetting_lines(plan: Preview) -> list[str]:
    """What forgetting would do, one line for each memory."""
    return [
        *(f"erased: {r.id}  {one_line(r.text, 200)}" for r in plan.asked),
        *(
            f"erased with it, as it comes from that alone: {r.id}  {one_line(r.text, 200)}"
            for r in plan.derived
        ),
        *(f"kept, as it rests on more: {r.id}  {one_line(r.text, 200)}" for r in plan.kept),
        "Backups and indexes are made anew without them.",
    ]
