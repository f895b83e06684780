"""The daemon as its clients use it: the same verbs as in process, and the errors as the classes they were."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app import errors, wire
from app.place import Home

if TYPE_CHECKING:
    from app.events import Event
    from app.working import Part

READING = frozenset({"recall", "status"})  # a daemon that dies over one of these is as good as none


def request(home: Home, values: Mapping[str, Any]) -> dict[str, Any] | None:
    """The daemon's answer to one request; None when no daemon answers. Raises what the daemon raised."""
    try:
        answer = wire.ask(home.socket, values)
    except wire.NoDaemon:
        return None
    except wire.Failed as failed:
        if failed.kind == "Gone" and values["op"] in READING:
            return None
        raise _raised(failed) from failed
    return {name: value for name, value in answer.items() if name != "done"}


class RemoteAssistant:
    """A conversation that the daemon carries on. Speaks as `Assistant` does; `now` is the daemon's own."""

    def __init__(self, home: Home, session: str | None) -> None:
        self._home = home
        self._session = session

    def reply(self, text: str, now: datetime, stop: Callable[[], bool] | None = None) -> Iterator[Event]:  # noqa: ARG002
        """One turn, as events. Raises NoDaemon before anything was said, else what the daemon raised."""
        return self._events({"op": "say", "session": self._session, "text": text}, stop)

    def ask(
        self,
        question: str,
        now: datetime,  # noqa: ARG002
        stop: Callable[[], bool] | None = None,
        *,
        budget: int = 1000,
    ) -> Iterator[Event]:
        """One grounded answer, as events. Raises NoDaemon, and what the daemon raised."""
        return self._events({"op": "ask", "question": question, "budget": budget}, stop)

    def context(self, change: str = "", id: str = "") -> list[Part]:
        """What is in the window, after one change of the turn `id`. Raises what the daemon raised, NoDaemon."""
        from app.working import Part

        asked = {"op": "context", "session": self._session, "change": change, "id": id}
        return [Part(**line) for line in self._lines(asked)]

    def retake(self, now: datetime) -> str:  # noqa: ARG002
        """Take back the last turn; returns the user's words. Raises what the daemon raised, NoDaemon."""
        return str(self._lines({"op": "retake", "session": self._session})[0]["text"])

    def _lines(self, values: Mapping[str, Any]) -> list[dict[str, Any]]:
        """All lines of an answer but the closing one."""
        try:
            return [line for line in wire.call(self._home.socket, values) if "done" not in line]
        except wire.Failed as failed:
            raise _raised(failed) from failed

    def _events(self, values: Mapping[str, Any], stop: Callable[[], bool] | None) -> Iterator[Event]:
        from app.events import from_dict

        line = wire.connect(self._home.socket)
        hushed = False
        try:
            line.send(values)
            for answer in wire.answers(line):
                if "event" in answer:
                    yield from_dict(answer)
                if not hushed and stop is not None and stop():
                    hushed = True
                    line.send({"op": "hush"})
        except wire.Failed as failed:
            raise _raised(failed) from failed
        except OSError as error:
            raise errors.AppError(f"The daemon is gone: {error.strerror}.", "Say it again.") from error
        finally:
            line.close()


def _raised(failed: wire.Failed) -> Exception:
    kind = getattr(errors, failed.kind, errors.AppError)
    error: Exception = kind(str(failed), failed.hint)
    return error
