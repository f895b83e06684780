"""One conversation at a terminal: says what the assistant says, piece by piece, and stops a reply on Ctrl-C."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, Protocol

from app.clock import now
from app.events import (
    Answered,
    Called,
    Corrected,
    Event,
    Folded,
    Recalled,
    Reminded,
    Said,
    Stored,
    Thought,
    to_dict,
)
from cli.output import one_line, shown, styled

if TYPE_CHECKING:
    from app.working import Part

Stop = Callable[[], bool]
END_SIGNALS = ("SIGHUP", "SIGTERM")


class Speaker(Protocol):
    """What answers: the assistant in this process, or the one in the daemon."""

    def reply(self, text: str, now: datetime, stop: Stop | None = None) -> Iterator[Event]:
        """One turn, as events."""
        ...

    def context(self, change: str = "", id: str = "") -> list[Part]:
        """What is in the window, after one change of it."""
        ...


class Interrupt:
    """Ctrl-C while a reply runs stops the reply; a terminal that goes away also ends the chat."""

    def __init__(self) -> None:
        self.asked = False
        self.ending = False

    @contextmanager
    def watching(self) -> Iterator[Stop]:
        """Catch the signals for one reply; yields what tells it to stop."""
        self.asked = False
        names = [n for n in ("SIGINT", *END_SIGNALS) if hasattr(signal, n)]
        before = {name: signal.signal(getattr(signal, name), self._caught) for name in names}
        try:
            yield lambda: self.asked
        finally:
            for name, handler in before.items():
                signal.signal(getattr(signal, name), handler)

    def _caught(self, number: int, _: object) -> None:
        self.asked = True
        self.ending = self.ending or number != signal.SIGINT


class Talk:
    """Turns of one conversation, drawn as they happen. Keeps what `/why` shows of the last one."""

    def __init__(self, speaker: Speaker, *, json: bool = False, plain: bool = False) -> None:
        self.speaker = speaker
        self.recalled = Recalled(())
        self.answered: Answered | None = None
        self.interrupt = Interrupt()
        self._json = json
        self._dim = (lambda text: text) if plain else (lambda text: _dim(text))

    def say(self, text: str) -> None:
        """One turn. Raises what the assistant raises."""
        self.recalled, self.answered = Recalled(()), None
        with self.interrupt.watching() as stop:
            for event in self.speaker.reply(text, now(), stop):
                self._take(event)
                if not self._json:
                    self._draw(event)
        if self._json and self.answered is not None:
            print(json.dumps(self._line(), ensure_ascii=False), flush=True)

    def _take(self, event: Event) -> None:
        if isinstance(event, Recalled):
            self.recalled = event
        elif isinstance(event, Answered):
            self.answered = event

    def _draw(self, event: Event) -> None:
        match event:
            case Said(piece):
                print(shown(piece), end="", flush=True)
            case Thought(piece):
                print(self._dim(shown(piece)), end="", flush=True, file=sys.stderr)
            case Reminded():
                when = f" ({event.due:%a %d %b})" if event.due else ""
                self._note(f"Reminder{when}: {one_line(event.text)} [{event.id}]")
            case Corrected():
                undo = f" Take it back with: mem undo {event.run}" if event.run else ""
                self._note(f"{event.what}.{undo}")
            case Folded():
                self._note(f"The window was full: {event.turns} older messages became the running summary.")
            case Called():
                self._note(f"{event.tool}({one_line(event.argument)}): {one_line(event.result)}")
            case Answered():
                print(flush=True)
                for line in sources(event, self.recalled):
                    self._note(line)
                self._note(summary(event, self.recalled))
            case Stored():
                pass

    def _note(self, text: str) -> None:
        print(self._dim(f"· {text}"), file=sys.stderr, flush=True)

    def _line(self) -> dict[str, Any]:
        assert self.answered is not None
        line = to_dict(self.answered)
        del line["event"]
        return {"answer": line.pop("text"), **line, "recalled": [e.id for e in self.recalled.hits]}


def sources(answered: Answered, recalled: Recalled, most: int = 3) -> list[str]:
    """The memories that an answer rests on, each with its date and its words."""
    by_id = {item.id: item for item in recalled.hits}
    used = [by_id[id] for id in answered.used[:most] if id in by_id]
    return [f"[{e.id}] {e.time:%d %b %Y}, {e.speaker or e.kind}: {one_line(e.text)[:120]}" for e in used]


def summary(answered: Answered, recalled: Recalled) -> str:
    """The dim line after a turn: what was recalled, used and stored, and what it cost."""
    if recalled.hits:
        used = set(answered.used)
        ids = " ".join(f"{e.id}{'*' if e.id in used else ''}" for e in recalled.hits)
        parts = [f"recalled {ids} in {recalled.ms:.0f} ms"]
    else:
        parts = [f"nothing recalled ({recalled.gate})"]
    parts.append(f"stored {' '.join(answered.stored)}" if answered.stored else "nothing stored")
    if answered.stopped:
        parts.append("stopped")
    if answered.unsupported:
        parts.append(f"not borne out by memory: {one_line(answered.unsupported[0])[:60]}")
    return " · ".join(parts)


def why(answered: Answered | None, recalled: Recalled) -> list[str]:
    """Lines for `/why`: each memory that was shown, how it was found, whether the answer rests on it."""
    if answered is None:
        return ["Nothing was answered yet."]
    lines = [f"Memory was {'asked' if recalled.hits or recalled.ms else 'not asked'}: {recalled.gate}."]
    for item in recalled.hits:
        mark = "used" if item.id in answered.used else "shown"
        who = f", {item.speaker}" if item.speaker else ""
        past = ", no longer true" if not item.current else ""
        lines.append(f"{item.id} ({mark}; {item.time:%d %b %Y}{who}{past}; {item.score:.2f} {item.why})")
        lines.append(f"    {one_line(item.text)[:200]}")
    lines += [f"Not borne out by any of them: {sentence}" for sentence in answered.unsupported]
    cached = f"{answered.cached_tokens} of {answered.prompt_tokens} prompt tokens were cached"
    lines.append(f"{cached}; first word after {answered.first_token_ms:.0f} ms; {answered.model}.")
    return lines


def _dim(text: str) -> str:
    return styled(text, "dim") if sys.stderr.isatty() else text
