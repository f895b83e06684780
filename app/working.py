"""Working memory: what stands in the model's context window, laid out from stable to volatile and within budget.

Order: system text, portrait and running summary (one system message), then the conversation, then the
evidence right before the newest message. Evidence never enters the conversation, so each turn's prompt
begins with the one before it and the model's prefix cache holds. Knows texts and token counts, no store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from app.encode import importance_of, is_small_talk
from models.chat import Message

Role = Literal["user", "assistant"]

MESSAGE_TOKENS = 8  # what a chat template adds round one message, at most
SPARE_TOKENS = 16  # the template's own head and tail
REFILL = 0.5  # after folding, the share of its room that the conversation keeps: folding must be rare
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation. `id` is its record, "" when it was not stored."""

    role: Role
    text: str
    id: str
    tokens: int
    pinned: bool = False
    hidden: bool = False
    folded: bool = False

    @property
    def verbatim(self) -> bool:
        return not (self.hidden or self.folded)


@dataclass(frozen=True, slots=True)
class Part:
    """One row of `/context`: what is in the window, how many tokens it takes, and how it stands."""

    name: str
    text: str
    tokens: int
    state: str = ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A prompt that fits: its messages, its tokens (an upper bound), and how many turns were folded to make room."""

    messages: tuple[Message, ...]
    tokens: int
    folded: int = 0
    evidence_tokens: int = 0


class Window:
    """The conversation as one model sees it."""

    def __init__(
        self,
        count: Callable[[str], int],
        size: int,
        system: str,
        *,
        examples: Sequence[Message] = (),
        reply_tokens: int = 512,
    ) -> None:
        """`count` counts tokens, `size` is the whole window. `system` and the `examples` (worked turns) stand
        before everything; the examples are left out of a window that they would fill by more than an eighth."""
        self._count = count
        self.size = size
        self.reply_tokens = min(reply_tokens, max(16, size // 4))
        self.system = self._shortened(system, max(16, size // 3))
        cost = sum(self._cost(m.content) for m in examples)
        self._examples, self._examples_cost = (tuple(examples), cost) if cost <= size // 8 else ((), 0)
        self._room_without_summary = (
            size - self.reply_tokens - self._cost(self.system) - self._examples_cost - SPARE_TOKENS
        )
        self.turns: list[Turn] = []
        self.evidence_tokens = 0
        self._verbatim: list[Turn] | None = None
        self._gists: dict[int, tuple[float, str]] = {}
        self._summary: str | None = None
        self._counted: int | None = None

    # -- what is in it ---------------------------------------------------------------------------

    def add(self, role: Role, text: str, id: str = "") -> None:
        """Append one message that was said."""
        self.turns.append(Turn(role, text, id, self._cost(text)))
        self._verbatim = None

    def load(self, turns: Iterable[tuple[Role, str, str]]) -> None:
        """Take up an earlier conversation, oldest first, as (role, text, id); what does not fit is folded."""
        for role, text, id in turns:
            self.add(role, text, id)
        self._fold_to_fit(self._room_for_turns(0))

    def take_back(self) -> str:
        """Remove the user's last message and what followed it; returns its words, "" where there is none."""
        last = max((place for place, turn in enumerate(self.turns) if turn.role == "user"), default=None)
        if last is None:
            return ""
        words = self.turns[last].text
        del self.turns[last:]
        self._gists = {place: gist for place, gist in self._gists.items() if place < last}
        self._verbatim = self._summary = self._counted = None
        self.evidence_tokens = 0
        return words

    @property
    def opening(self) -> tuple[Message, ...]:
        """The messages before the conversation."""
        return (Message("system", self._head()), *self._examples)

    @property
    def standing(self) -> tuple[Message, ...]:
        """What the next prompt begins with, unless something is folded for it."""
        return (*self.opening, *(Message(t.role, t.text) for t in _alternating(self.verbatim)))

    @property
    def verbatim(self) -> list[Turn]:
        """The turns that stand in the prompt as they were said."""
        if self._verbatim is None:
            self._verbatim = [t for t in self.turns if t.verbatim]
        return self._verbatim

    @property
    def shown_ids(self) -> frozenset[str]:
        """Records that stand verbatim in the window: evidence need not repeat them."""
        return frozenset(t.id for t in self.verbatim if t.id)

    def parts(self) -> list[Part]:
        """What `/context` shows, in the order of the prompt."""
        rows = [Part("system", self.system, self._cost(self.system) + self._examples_cost)]
        if summary := self.summary():
            rows.append(Part("summary", summary, self._count(summary)))
        rows += [Part(t.id or t.role, t.text, t.tokens if t.verbatim else 0, _state(t)) for t in self.turns]
        if self.evidence_tokens:
            rows.append(Part("evidence", "(of the last turn)", self.evidence_tokens))
        return rows

    # -- what the user may change ------------------------------------------------------------------

    def pin(self, id: str, *, pinned: bool = True) -> bool:
        """Keep a turn verbatim however full the window gets. False when no turn has this id."""
        return self._change(id, pinned=pinned, hidden=False, folded=False)

    def hide(self, id: str) -> bool:
        """Leave a turn out of the prompt; memory keeps it."""
        return self._change(id, hidden=True, pinned=False)

    def fold(self, id: str) -> bool:
        """Replace a turn by its line in the running summary."""
        return self._change(id, folded=True, pinned=False)

    def fold_before(self, keep: int) -> int:
        """Fold all but the newest `keep` messages and what is pinned; returns how many."""
        old = [n for n, t in enumerate(self.turns[: len(self.turns) - keep]) if t.verbatim and not t.pinned]
        for place in old:
            self._put(place, replace(self.turns[place], folded=True))
        return len(old)

    def restore(self, id: str) -> bool:
        """Bring a hidden or folded turn back verbatim, pinned: a full window would fold what is old again at once."""
        return self._change(id, hidden=False, folded=False, pinned=True)

    # -- the prompt --------------------------------------------------------------------------------

    def room_for_evidence(self, newest: str, budget: int) -> int:
        """Tokens that evidence may take beside this message, at most `budget`."""
        free = self._room() - self._cost(newest)
        return max(0, min(budget, free, self.size // 4))

    def layout(self, newest: str, evidence: str = "", foot: str = "") -> Layout:
        """The prompt for this message, with `foot` between evidence and message.

        Old turns fold first, then evidence yields, and only a message longer than the window itself is
        shortened, in the middle, with a notice.
        """
        room = self._room()
        if self._cost(newest) > room:
            newest, evidence = self._shortened(newest, room), ""
        last = f"{evidence}\n\n{foot}{newest}" if evidence else newest
        self.evidence_tokens = self._cost(last) - self._cost(newest)
        folded = self._fold_to_fit(self._room_for_turns(self._cost(last)))
        messages = (*self.standing, Message("user", last))
        conversation = sum(t.tokens for t in _alternating(self.verbatim))
        tokens = self._head_cost() + conversation + self._cost(last) + SPARE_TOKENS
        return Layout(messages, tokens, folded, self.evidence_tokens)

    def summary(self) -> str:
        """One line for each folded message of the user, oldest first, within a tenth of the window.

        The lines that matter least go first; no sentence is cut.
        """
        if self._summary is None:
            folded = (place for place, t in enumerate(self.turns) if t.folded and not t.hidden)
            lines = {place: gist for place in folded if (gist := self._gist(place))[1]}
            left, kept = self.size // 10, list[int]()
            for place in sorted(lines, key=lambda p: (lines[p][0], p), reverse=True):
                left -= self._count(lines[place][1]) + 1
                if left < 0:
                    break
                kept.append(place)
            self._summary = "\n".join(lines[place][1] for place in sorted(kept))
        return self._summary

    # -- inside ------------------------------------------------------------------------------------

    def _head(self) -> str:
        summary = self.summary()
        return f"{self.system}\n\nEarlier in this conversation:\n{summary}" if summary else self.system

    def _head_cost(self) -> int:
        """Tokens of everything before the conversation; counted again only when something was folded."""
        if self._counted is None:
            self._counted = self._cost(self._head()) + self._examples_cost
        return self._counted

    def _gist(self, place: int) -> tuple[float, str]:
        """How much a turn matters, and its line; read once, as words do not change."""
        if place not in self._gists:
            turn = self.turns[place]
            self._gists[place] = importance_of(turn.text, turn.role), gist_line(turn)
        return self._gists[place]

    def _put(self, place: int, turn: Turn) -> None:
        self.turns[place] = turn
        self._verbatim = self._summary = self._counted = None

    def _room(self) -> int:
        return self.size - self.reply_tokens - self._head_cost() - SPARE_TOKENS

    def _room_for_turns(self, newest: int) -> int:
        """What the conversation may take; a tenth of the window is kept free for the summary to grow into."""
        return self._room_without_summary - newest - self.size // 10

    def _fold_to_fit(self, room: int) -> int:
        """Fold the oldest turns until the rest takes at most half of `room`; nothing when all of it fits."""
        taken = sum(t.tokens for t in self.verbatim)
        if taken <= room:
            return 0
        folded = 0
        for spare_pinned in (True, False):  # a pinned turn goes only when nothing else is left
            for place, turn in enumerate(self.turns):
                if taken <= (room * REFILL if spare_pinned else room):
                    break
                if turn.verbatim and not (turn.pinned and spare_pinned):
                    self._put(place, replace(turn, folded=True))
                    taken, folded = taken - turn.tokens, folded + 1
        return folded

    def _change(self, id: str, **values: bool) -> bool:
        for place, turn in enumerate(self.turns):
            if turn.id == id:
                self._put(place, replace(turn, **values))  # type: ignore[arg-type]
                return True
        return False

    def _cost(self, text: str) -> int:
        return self._count(text) + MESSAGE_TOKENS

    def _shortened(self, text: str, room: int) -> str:
        """The beginning and the end of a text in whole sentences, with a notice between, within `room` tokens."""
        if self._cost(text) <= room:
            return text
        notice = "\n[... {} words are left out here; memory holds all of it ...]\n"
        pieces = [p for p in _SENTENCE_END.split(text) if p]
        if len(pieces) < 4:
            pieces = text.split(" ") if " " in text else _chopped(text)
        joint = " " if " " in text else ""
        budget = max(0, room - self._cost(notice.format(len(text))))
        head = self._longest(pieces, budget // 2, joint)
        tail = self._longest(pieces[head:][::-1], budget - budget // 2, joint)
        left_out = joint.join(pieces[head : len(pieces) - tail])
        parts = (joint.join(pieces[:head]), joint.join(pieces[len(pieces) - tail :]))
        return notice.format(len(left_out.split())).join(parts).strip()

    def _longest(self, pieces: Sequence[str], budget: int, joint: str) -> int:
        """How many leading pieces fit into `budget` tokens (bisected: counting is what costs)."""
        low, high = 0, len(pieces)
        while low < high:
            middle = (low + high + 1) // 2
            if self._count(joint.join(pieces[:middle])) <= budget:
                low = middle
            else:
                high = middle - 1
        return low


def gist_line(turn: Turn) -> str:
    """The sentence of a turn that says most, for the running summary; "" for an assistant's turn and small talk."""
    if turn.role != "user" or is_small_talk(turn.text):
        return ""
    pieces = [p.strip() for p in _SENTENCE_END.split(turn.text) if p.strip()]
    best = max(pieces, key=lambda p: (importance_of(p), -pieces.index(p)), default="")
    return f'- The user said: "{best}"' if 0 < len(best) <= 400 else ""


def _alternating(turns: Sequence[Turn]) -> list[Turn]:
    """The turns such that user and assistant take turns, as chat templates demand, ending with an answer."""
    out: list[Turn] = []
    for turn in turns:
        if out and out[-1].role == turn.role:
            joined = f"{out[-1].text}\n{turn.text}"
            out[-1] = replace(out[-1], text=joined, tokens=out[-1].tokens + turn.tokens)
        elif out or turn.role == "user":
            out.append(turn)
    if out and out[-1].role == "user":
        out.append(Turn("assistant", "(no answer)", "", MESSAGE_TOKENS))
    return out


def _chopped(text: str, size: int = 200) -> list[str]:
    return [text[i : i + size] for i in range(0, len(text), size)]


def _state(turn: Turn) -> str:
    marks = (("pinned", turn.pinned), ("hidden", turn.hidden), ("folded", turn.folded))
    return ", ".join(name for name, on in marks if on)
