"""What the chat screen is made of: the editor, one message, and the memories beside an answer. They draw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Markdown, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from app.events import Evidence
from tui.words import day, printable, safe, strength


class Editor(TextArea):
    """Many lines; Enter sends, Shift+Enter (or Ctrl+J) begins a new line, Tab completes a command."""

    BINDINGS = [  # noqa: RUF012
        Binding("shift+enter,ctrl+j,alt+enter", "newline", "New line", key_display="^J"),
    ]

    @dataclass
    class Submitted(Message):
        """The text was sent; the editor is empty now."""

        text: str

    @dataclass
    class Recalled(Message):
        """The message before was asked for, to be changed and sent again."""

    def __init__(self) -> None:
        super().__init__(
            id="editor", soft_wrap=True, placeholder="Say something, or /help", tab_behavior="focus"
        )

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "enter":
            event.stop()
            event.prevent_default()
            self._send()
            return
        if event.key == "up" and not self.text:
            event.stop()
            event.prevent_default()
            self.post_message(self.Recalled())
            return
        await super()._on_key(event)

    def action_newline(self) -> None:
        self.insert("\n")

    def _send(self) -> None:
        text = self.text.strip()
        if text:
            self.text = ""
            self.post_message(self.Submitted(text))


class Said(Vertical):
    """One message of the conversation: the user's words as they were typed, or a reply as Markdown.

    `text` is what it was made with; a reply that streams has none.
    """

    def __init__(self, who: str, when: str, text: str = "", *, markdown: bool = False) -> None:
        super().__init__(classes="reply" if markdown else "said")
        self.text, self.by_user = text, not markdown
        self._who, self._when, self._markdown = who, when, markdown

    def compose(self) -> ComposeResult:
        yield Static(
            Content.assemble((self._who, "bold"), f" · {self._when}" if self._when else ""), classes="who"
        )
        if self._markdown:
            yield Markdown(printable(self.text), open_links=False)
        else:
            yield Static(Content(safe(self.text)), classes="words")

    @property
    def markdown(self) -> Markdown:
        return self.query_one(Markdown)

    def note(self, words: str) -> None:
        """A dim line below the message."""
        self.mount(Static(Content(words), classes="quiet"))


class Beside(Vertical):
    """The memories put before the model for the newest answer: own words, date, reason, strength."""

    def __init__(self) -> None:
        super().__init__(id="beside")
        self._strengths: Mapping[str, float] = {}

    def compose(self) -> ComposeResult:
        yield Static("Memories used", classes="title", id="beside-title")
        yield OptionList(id="evidence", markup=False)

    def fill(
        self, title: str, hits: Sequence[Evidence], strengths: Mapping[str, float], now: datetime
    ) -> None:
        """Show these memories, best first. `strengths` by id: how retrievable each is, where that is known."""
        self._strengths = strengths
        self.query_one("#beside-title", Static).update(Content(title))
        options = self.query_one(OptionList)
        options.clear_options()
        options.add_options(
            Option(evidence_lines(hit, strengths.get(hit.id), now), id=hit.id) for hit in hits
        )

    def mark(self, used: Sequence[str], hits: Sequence[Evidence], now: datetime) -> None:
        """Tick those that the answer rests on."""
        options = self.query_one(OptionList)
        for place, hit in enumerate(hits):
            if hit.id in used and place < options.option_count:
                options.replace_option_prompt_at_index(
                    place, evidence_lines(hit, self._strengths.get(hit.id), now, used=True)
                )


def evidence_lines(hit: Evidence, awake: float | None, now: datetime, *, used: bool = False) -> Content:
    """One memory as lines of a narrow column: whether it was used, date, strength, why it was found, its own words."""
    state = "" if hit.current else " · no longer true"
    return Content.assemble(
        ("✓ " if used else "· ", "bold"),
        (hit.id, "bold"),
        f" {day(hit.time, now)}{state}\n",
        f"{strength(awake)} strong\n" if awake is not None else "",
        f"found by {safe(hit.why) or 'its neighbours'} ({hit.score:.2f})\n",
        (safe(hit.text), "italic"),
        "\n",
    )
