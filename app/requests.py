"""What the daemon does for each request, as plain values in and out. Knows no socket and no thread.

Each handler takes the lane's memory, the request's values, the time and a `stop` that a long answer asks; it
yields the lines of the answer, without the closing one's mark.
"""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app.errors import AppError, BadRequest, ModelError, StorageError
from app.events import to_dict

if TYPE_CHECKING:
    from app.assistant import Assistant
    from app.memory import Memory

Values = dict[str, Any]
Stop = Callable[[], bool]
KEPT = 8  # conversations whose windows stay laid out


def recall(memory: Memory, values: Mapping[str, Any], now: datetime) -> Values:
    """One question in the contract's form, under "question"."""
    from app.lookup import answer, lookup_from

    return answer(memory, lookup_from(values.get("question"), now))


def remember(memory: Memory, values: Mapping[str, Any], now: datetime) -> Values:
    """Keep "text"; "said_at" (ISO 8601), "kind", "pin", "tags" and "session" as `mem remember` has them.

    What asks for a reminder, as in a conversation, also becomes a task; "task" has its "id" and the "promise".
    """
    from dataclasses import replace

    from app import encode, tasks
    from app.present import record_keys
    from app.records import Kind

    text = _text(values, "text")
    said_at = values.get("said_at")
    record = encode.turn(
        text,
        now=now,
        said_at=datetime.fromisoformat(said_at) if said_at else None,
        session=values.get("session"),
    )
    tags = values.get("tags") or []
    record = replace(
        record,
        kind=Kind(values.get("kind") or "episodic"),
        pinned=bool(values.get("pin")),
        protected="written by hand",
        extra={"tags": list(tags)} if tags else {},
    )
    (kept,) = memory.add([record], "remember", now)
    reminder = tasks.read(text, now) if kept.kind is Kind.EPISODIC and not said_at else None
    task = tasks.keep(memory, reminder, kept, now) if reminder else None
    asked = {"task": {"id": task.id, "promise": tasks.promise(reminder)}} if reminder and task else {}
    return record_keys(kept) | {"embedded": memory.embedder_error is None} | asked


class Conversations:
    """The conversations that the talk lane carries on, least recently used first."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, Assistant] = OrderedDict()

    def say(self, memory: Memory, values: Mapping[str, Any], now: datetime, stop: Stop) -> Iterator[Values]:
        """One turn of "session" with "text", as events."""
        text = _text(values, "text")
        for event in self._carried_on(memory, values, now).reply(text, now, stop):
            yield to_dict(event)

    def context(self, memory: Memory, values: Mapping[str, Any], now: datetime, _: Stop) -> Iterator[Values]:
        """The parts of the window of "session", after the "change" of the turn "id" if one is asked for."""
        parts = self._carried_on(memory, values, now).context(
            values.get("change") or "", values.get("id") or ""
        )
        yield from (dataclasses.asdict(part) for part in parts)

    def retake(self, memory: Memory, values: Mapping[str, Any], now: datetime, _: Stop) -> Iterator[Values]:
        """Take back the last turn of "session"; one line with its "text"."""
        yield {"text": self._carried_on(memory, values, now).retake(now)}

    def _carried_on(self, memory: Memory, values: Mapping[str, Any], now: datetime) -> Assistant:
        session = _text(values, "session")
        assistant = self._open.get(session)
        if assistant is None or assistant.memory is not memory:
            assistant = self._open[session] = _assistant(memory, session, now)
        self._open.move_to_end(session)
        while len(self._open) > KEPT:
            self._open.popitem(last=False)
        return assistant

    def ask(self, memory: Memory, values: Mapping[str, Any], now: datetime, stop: Stop) -> Iterator[Values]:
        """One grounded answer to "question" with "budget" tokens of evidence, as events."""
        budget = int(values.get("budget") or 1000)
        asked = _assistant(memory, None, now).ask(_text(values, "question"), now, stop, budget=budget)
        for event in asked:
            yield to_dict(event)


def failure(error: AppError | StorageError | ModelError | ValueError) -> Values:
    """An error as the closing line of an answer; the client raises it again by its class's name."""
    hint = getattr(error, "hint", "") or "See `mem daemon status`."
    kind = "BadRequest" if isinstance(error, ValueError) else type(error).__name__
    return {"error": {"kind": kind, "message": str(error), "hint": hint}}


def _assistant(memory: Memory, session: str | None, now: datetime) -> Assistant:
    from app.assistant import Assistant

    return Assistant(memory, memory.chat, session, now=now, brief=session is None)


def _text(values: Mapping[str, Any], name: str) -> str:
    text = values.get(name)
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(f"The request has no {name!r}.", "Update mem and restart the daemon.")
    return text
