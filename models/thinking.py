"""Tells a thinking model's reasoning from its reply, piece by piece. Knows no model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

OPENING, CLOSING = "<think>", "</think>"


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what a model says: its reasoning, or its reply."""

    kind: Literal["thought", "text"]
    text: str


class ThoughtSplitter:
    """Splits a stream at <think> and </think>, wherever the pieces are cut.

    Only a reply that begins with <think> (white space aside) holds thoughts: later the words mean themselves.
    `thinking` is True when the prompt has already opened the thought.
    """

    def __init__(self, *, thinking: bool = False) -> None:
        self._state: Literal["start", "thought", "after", "text"] = "thought" if thinking else "start"
        self._held = ""

    def feed(self, text: str) -> list[Piece]:
        """What is certain after this piece; the rest is held until more comes."""
        self._held += text
        pieces: list[Piece] = []
        while self._held and self._step(pieces):
            pass
        return pieces

    def end(self) -> list[Piece]:
        """What was held when the stream ended."""
        held, self._held = self._held, ""
        kind: Literal["thought", "text"] = "thought" if self._state == "thought" else "text"
        return [Piece(kind, held)] if held and self._state != "after" else []

    def _step(self, pieces: list[Piece]) -> bool:
        """Consume what can be told apart; True when something changed and more may follow."""
        match self._state:
            case "start":
                return self._begin()
            case "thought":
                return self._think(pieces)
            case "after":
                self._held = self._held.lstrip()
                self._state = "text" if self._held else "after"
                return bool(self._held)
            case "text":
                pieces.append(Piece("text", self._held))
                self._held = ""
                return False

    def _begin(self) -> bool:
        bare = self._held.lstrip()
        if bare.startswith(OPENING):
            self._held, self._state = bare.removeprefix(OPENING), "thought"
            return True
        if OPENING.startswith(bare):
            return False  # may still become the tag
        self._state = "text"
        return True

    def _think(self, pieces: list[Piece]) -> bool:
        thought, tag, rest = self._held.partition(CLOSING)
        if tag:
            self._held, self._state = rest, "after"
        else:
            keep = _overlap(thought, CLOSING)
            thought, self._held = thought[: len(thought) - keep], thought[len(thought) - keep :]
        if thought:
            pieces.append(Piece("thought", thought))
        return bool(tag)


def _overlap(text: str, tag: str) -> int:
    """How many characters at the end of `text` could be the beginning of `tag`."""
    return next((size for size in range(min(len(tag) - 1, len(text)), 0, -1) if text.endswith(tag[:size])), 0)
