"""Questions that lie over a screen: confirm, reword, choose, read. Each gives back a value and does nothing itself."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, OptionList, Static, TextArea
from textual.widgets.option_list import Option

ESCAPE = Binding("escape", "dismiss(None)", "Cancel")


class Confirm(ModalScreen[bool | None]):
    """A question that only an explicit yes answers: what will happen, line by line, and two buttons."""

    BINDINGS = [ESCAPE, Binding("y", "dismiss(True)", "Yes"), Binding("n", "dismiss(False)", "No")]  # noqa: RUF012

    def __init__(self, title: str, lines: Sequence[str], yes: str) -> None:
        super().__init__()
        self._title, self._lines, self._yes = title, lines, yes

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="title")
            with VerticalScroll(classes="lines"):
                yield Static(Content("\n".join(self._lines)))
            with Horizontal(classes="buttons"):
                yield Button(f"{self._yes} (y)", id="yes", variant="error")
                yield Button("Keep (n)", id="no")

    def on_mount(self) -> None:
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "yes")


class Reword(ModalScreen[str | None]):
    """An editor with the words that stand; gives back the new ones, or None when nothing was changed."""

    BINDINGS = [ESCAPE, Binding("ctrl+s", "save", "Save", priority=True)]  # noqa: RUF012

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="title")
            yield TextArea(self._text, soft_wrap=True)
            yield Static("Ctrl+S saves · Escape leaves it as it is", classes="quiet")

    def action_save(self) -> None:
        text = self.query_one(TextArea).text.strip()
        self.dismiss(text if text and text != self._text else None)


class Choose(ModalScreen[str | None]):
    """A list of things with names; gives back the id of the one chosen."""

    BINDINGS = [ESCAPE]  # noqa: RUF012

    def __init__(self, title: str, options: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self._title, self._options = title, options

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(self._title), classes="title")
            yield OptionList(*[Option(Content(words), id=id) for id, words in self._options], markup=False)
            yield Static("Enter chooses · Escape goes back", classes="quiet")

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id)


class Read(ModalScreen[None]):
    """A page to read."""

    BINDINGS = [Binding("escape,q,question_mark,f1", "dismiss(None)", "Back")]  # noqa: RUF012

    def __init__(self, content: Content) -> None:
        super().__init__()
        self._content = content

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog page"):
            yield Static(self._content)

    def on_mount(self) -> None:
        self.query_one(VerticalScroll).focus()
