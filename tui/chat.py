"""The chat screen: talk, see which memories an answer used, stop it, go on with an earlier conversation."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static, TextArea
from textual.widgets.markdown import MarkdownStream

from app import browse, curves
from app.errors import AppError, ModelError, StorageError
from app.events import Answered, Called, Corrected, Evidence, Folded, Recalled, Reminded, Thought
from app.events import Said as Spoken
from tui.commands import COMMANDS, matching, parse
from tui.dialogs import Choose
from tui.keys import HIDDEN, keys
from tui.screen import MemScreen, Wanted
from tui.talk import Beside, Editor, Said
from tui.words import ago, minute, one_line, printable, safe
from tui.worker import Replied, Talk, Tools

if TYPE_CHECKING:
    from app.memory import Memory

WELCOME = (
    "Tell me something, and I keep it: every word goes to your own disk, at once, and nowhere else.\n"
    "Ask me later, today or next year: beside each answer stand the memories that it rests on.\n"
    "2 shows all memories (Escape leaves this editor first), ? explains every key, Ctrl+P finds every action."
)
AMENDING = "Changing your last message: Enter sends it in that one's place, Escape leaves all as it was."
GREETING = "Say something, or Ctrl+O goes on with an earlier conversation."
NO_MODEL = "No chat model is set up, so nobody answers yet. Run `mem setup` once; everything else here works without."


class ChatScreen(MemScreen):
    """Talk with the assistant."""

    PLACE = "chat"
    ABOUT = (
        "Talk. What you say is kept. Beside each answer stand the memories that were put before the model;"
        " ✓ marks those that it rests on. Enter on one opens it."
    )
    BINDINGS = keys(
        PLACE,
        ("escape", "stop", "Stop"),
        ("ctrl+n", "new", "New talk"),
        ("ctrl+o", "sessions", "Sessions"),
        ("ctrl+g", "incognito", "Incognito"),
        ("i,slash", "write", "Write", HIDDEN),
        ("f5", "again", "Answer again", HIDDEN),
        ("f4", "amend", "Change the last message", HIDDEN),
        ("ctrl+b", "beside", "Show or hide the memories used", HIDDEN),
    )

    def __init__(self, tools: Tools) -> None:
        super().__init__(tools)
        self.talk = Talk(tools.session or fresh_session(tools))
        self._busy = False
        self._amending = False
        self._hits: tuple[Evidence, ...] = ()
        self._used: tuple[str, ...] = ()
        self._beside = ""
        self._reply: Said | None = None
        self._stream: MarkdownStream | None = None

    def body(self) -> Iterator[Widget]:
        yield Horizontal(VerticalScroll(id="talk"), Beside(), id="middle")
        yield Static(id="status", classes="quiet")
        yield Editor()

    def on_mount(self) -> None:
        self.query_one(Editor).focus()
        self._begun = self.begin()

    def on_unmount(self) -> None:
        self.talk.stop()  # nobody waits for an answer when the screen is gone

    # -- beginning and resuming ----------------------------------------------------------------

    @work(exclusive=True, group="begin", exit_on_error=False)
    async def begin(self) -> None:
        """Show what this conversation holds already, or, where memory is empty, how to begin."""
        session = self.talk.session
        turns, empty, chat = await self.tools.library.ask(
            lambda m: (browse.turns(m, session), browse.is_empty(m), m.config.models.chat)
        )
        now = self.tools.clock()
        talk = self.query_one("#talk", VerticalScroll)
        await talk.remove_children()
        if not turns:
            await talk.mount(Static(WELCOME if empty else GREETING, id="welcome", markup=False))
        if not chat:
            await talk.mount(Static(NO_MODEL, id="no-model", markup=False))
        spoken = [Said("mem" if t.role == "assistant" else "You", minute(t.event_time, now), t.text,
                       markdown=t.role == "assistant") for t in turns]  # fmt: skip
        await talk.mount(*spoken)
        talk.scroll_end(animate=False)
        self._tell()

    def _tell(self, words: str = "") -> None:
        """The line above the editor."""
        mode = "INCOGNITO: nothing is stored · " if self.talk.incognito else ""
        self.query_one("#status", Static).update(
            Content(mode + (words or f"conversation {self.talk.session}"))
        )

    def _restart(self, session: str, *, incognito: bool = False) -> None:
        self.talk.stop()
        self.talk = Talk(session, incognito=incognito)
        self.set_class(incognito, "-incognito")
        self._hits, self._amending = (), False
        self.query_one(Beside).fill("Memories used", (), {}, self.tools.clock())
        self._begun = self.begin()

    # -- one turn ------------------------------------------------------------------------------

    async def on_editor_submitted(self, event: Editor.Submitted) -> None:
        if event.text.startswith("/"):
            await self._command(event.text)
        elif self._busy:
            self.query_one(Editor).text = event.text
            self._tell("One answer at a time: Escape stops this one.")
        else:
            await self._ask(event.text, instead=self._amending)

    def on_editor_recalled(self) -> None:
        self.action_amend()

    async def _ask(self, text: str, *, instead: bool = False) -> None:
        """Say it, `instead` of the last message where that is taken back."""
        now = self.tools.clock()
        self._busy, self._amending = True, False
        await self._begun.wait()  # what was typed before the conversation is shown stands below it
        talk = self.query_one("#talk", VerticalScroll)
        if instead and (last := self._last_said()) is not None:
            await talk.remove_children(talk.children[talk.children.index(last) :])
        self._reply = Said("mem", minute(now, now), markdown=True)
        await talk.query("#welcome").remove()
        await talk.mount(Said("You", minute(now, now), text), self._reply)
        talk.anchor()
        self._stream = self._reply.markdown.get_stream(self._reply.markdown)
        self._tell("Thinking… Escape stops")
        self._answer(text, instead)

    @work(group="answer", exit_on_error=False)
    async def _answer(self, text: str, instead: bool) -> None:
        now, talk = self.tools.clock(), self.talk
        try:
            await self.tools.voice.ask(
                lambda memory: talk.reply(memory, text, now, self.post_message, instead=instead)
            )
        except (AppError, StorageError, ModelError) as error:
            await self._failed(text, error)
            if instead:
                self._begun = self.begin()  # as it stands in memory
        finally:
            self._busy = False

    async def _failed(self, text: str, error: AppError | StorageError | ModelError) -> None:
        """Nothing that was typed is lost: it goes back into the editor."""
        if self._reply is not None:
            await self._reply.remove()
        editor = self.query_one(Editor)
        editor.text = editor.text or text
        self._tell(one_line(f"{error} {error.hint}"))
        self.complain(error)

    async def on_replied(self, message: Replied) -> None:
        event = message.event
        match event:
            case Recalled():
                self._recalled(event)
            case Thought():
                self._tell(f"Thinking: {one_line(event.piece)}")
            case Spoken():
                if self._stream is not None:
                    await self._stream.write(printable(event.piece))
            case Called():
                self._note(f"Used {event.tool}: {one_line(event.argument)} → {one_line(event.result)}")
            case Folded():
                self._note(f"{event.turns} older messages became lines of the summary, to make room.")
            case Reminded():
                self._note(f"Reminder: {safe(event.text)}")
            case Corrected():
                self._note(f"Corrected: {safe(event.what)} (undo {event.run})")
            case Answered():
                await self._answered(event)

    def _recalled(self, event: Recalled) -> None:
        self._hits, self._used = event.hits, ()
        found = f"{len(event.hits)} memories" if event.hits else "No memory used"
        self._beside = f"{found} · {event.gate}"
        self._tell(f"{self._beside} · answering… Escape stops")
        self._weigh(event.hits)

    @work(exclusive=True, group="weigh", exit_on_error=False)
    async def _weigh(self, hits: tuple[Evidence, ...]) -> None:
        """Show the memories beside the answer, with how strong each is."""
        now, ids = self.tools.clock(), [hit.id for hit in hits]
        strengths = await self.tools.library.ask(lambda memory: curves.strengths(memory, ids, now))
        beside = self.query_one(Beside)
        beside.fill(self._beside, hits, strengths, now)
        beside.mark(self._used, hits, now)

    async def _answered(self, answer: Answered) -> None:
        if self._stream is not None:
            await self._stream.stop()
        self._used = answer.used
        self.query_one(Beside).mark(answer.used, self._hits, self.tools.clock())
        self._note(summary(answer, len(self._hits), incognito=self.talk.incognito))
        self._tell()

    def _note(self, words: str) -> None:
        if self._reply is not None:
            self._reply.note(words)

    # -- commands ------------------------------------------------------------------------------

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        text = event.text_area.text
        if not text.startswith("/"):
            if text and not self._busy:
                self._tell(AMENDING if self._amending else "")
        elif " " not in text:
            fitting = " · ".join(c.usage for c in matching(text[1:]))
            self._tell(fitting or "No such command: /help lists them")

    async def _command(self, line: str) -> None:
        command, rest = parse(line)
        if command is None:
            self.query_one(Editor).text = line
            names = ", ".join(f"/{c.name}" for c in COMMANDS)
            self._tell(f"There is no command {line.split()[0]}. There are {names}.")
            return
        actions: dict[str, Callable[[], object]] = {
            "help": lambda: self.app.run_action("help"),
            "quit": lambda: self.app.run_action("quit"),
            "new": self.action_new,
            "sessions": self.action_sessions,
            "incognito": self.action_incognito,
            "why": self._why,
            "again": self.action_again,
            "edit": self.action_amend,
            "context": lambda: self._window(rest),
            "sleep": lambda: self.post_message(Wanted("nights", "now")),
            "recall": lambda: self.post_message(Wanted("memories", f"?{rest}")),
            "forget": lambda: self.post_message(Wanted("memories", f"!{rest}" if rest else "")),
            "remember": lambda: self._remember(rest),
        }
        self._tell()
        outcome = actions[command.name]()
        if isinstance(outcome, Awaitable):
            await outcome

    def _say(self, words: str) -> None:
        talk = self.query_one("#talk", VerticalScroll)
        talk.mount(Static(Content(words), classes="quiet"))
        talk.scroll_end(animate=False)

    def _why(self) -> None:
        if not self._hits:
            self._say("No memory was used for the last answer.")
            return
        now = self.tools.clock()
        self._say(
            "\n".join(f"{h.id} · {ago(h.time, now)} · {h.why} · {one_line(h.text)}" for h in self._hits)
        )

    @work(group="context", exit_on_error=False)
    async def _window(self, change: str) -> None:
        now, talk, (verb, id) = self.tools.clock(), self.talk, [*change.split(), "", ""][:2]
        parts = await self.tools.voice.ask(lambda memory: talk.context(memory, now, verb, id))
        lines = [f"{p.name:<10} {p.tokens:>6}  {p.state:<8} {one_line(p.text)}" for p in parts]
        self._say("\n".join([*lines, f"{sum(p.tokens for p in parts)} tokens."]))

    @work(group="remember", exit_on_error=False)
    async def _remember(self, text: str) -> None:
        if not text:
            self._say("/remember TEXT keeps the text as it stands.")
            return
        kept = await self.tools.library.ask(
            partial(keep, text=text, now=self.tools.clock(), session=self.talk.session)
        )
        self._say(f"Kept as {kept}: {one_line(text)}")

    # -- actions -------------------------------------------------------------------------------

    def action_stop(self) -> None:
        if self._busy:
            self.talk.stop()
            self._tell("Stopping…")
        elif self._amending:
            self._amending, self.query_one(Editor).text = False, ""
            self._tell()
        else:
            self.query_one("#talk").focus()

    async def action_again(self) -> None:
        """Take the last answer back and have it anew."""
        last = self._last_said()
        if self._busy or last is None:
            self._tell("Escape stops this answer first." if self._busy else "Nothing was said here yet.")
        else:
            await self._ask(last.text, instead=True)

    def action_amend(self) -> None:
        """Bring the last message back into the editor; sent, it takes that one's place."""
        last = self._last_said()
        if self._busy or last is None:
            self._tell("Escape stops this answer first." if self._busy else "Nothing was said here yet.")
            return
        editor = self.query_one(Editor)
        editor.text, self._amending = last.text, True
        editor.move_cursor(editor.document.end)
        editor.focus()
        self._tell(AMENDING)

    def _last_said(self) -> Said | None:
        """The user's last message here."""
        return next((said for said in reversed(list(self.query(Said))) if said.by_user), None)

    def action_write(self) -> None:
        self.query_one(Editor).focus()

    def action_beside(self) -> None:
        self.query_one(Beside).toggle_class("-hidden")

    def action_new(self) -> None:
        self._restart(fresh_session(self.tools))

    def action_incognito(self) -> None:
        self._restart(fresh_session(self.tools), incognito=not self.talk.incognito)

    @work(group="sessions", exit_on_error=False)
    async def action_sessions(self) -> None:
        spans, now = await self.tools.library.ask(browse.sessions), self.tools.clock()
        if not spans:
            self._say("There are no earlier conversations yet.")
            return
        options = [
            (s.name, f"{ago(s.last, now):>12} · {s.turns:>3} turns · {one_line(s.words)}") for s in spans
        ]
        chosen = await self.app.push_screen_wait(Choose("Conversations, newest first", options))
        if chosen is not None:
            self._restart(chosen)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.post_message(Wanted("memories", event.option_id or ""))


def summary(answer: Answered, hits: int, *, incognito: bool) -> str:
    """The dim line below an answer: what was recalled, what was stored, how long it took."""
    parts = [f"{len(answer.used)} of {hits} memories used" if hits else "no memory used"]
    parts.append("nothing stored" if incognito else f"stored {', '.join(answer.stored)}")
    if answer.unsupported:
        parts.append(f"{len(answer.unsupported)} sentence(s) that no memory bears out")
    if answer.stopped:
        parts.append("stopped")
    return " · ".join(parts)


def fresh_session(tools: Tools) -> str:
    """A name for a new conversation, by the time at which it begins."""
    return f"{tools.clock():%Y-%m-%d-%H%M%S}"


def keep(memory: Memory, text: str, now: datetime, session: str) -> str:
    """Store a note of the user's own hand; returns its id."""
    from app.requests import remember

    return str(remember(memory, {"text": text, "session": session}, now)["id"])
