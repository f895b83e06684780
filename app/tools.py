"""Tools that a model may call, under a grammar: keep what was said, note a task, fold what is over, look further.

The model chooses and names words; code decides whether that is done. Offered only where the user's words give cause,
once a turn, after the answer; words that the user did not say are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from app import corrections, tasks
from app.citations import sentences
from app.corrections import Correction, Wish
from app.events import Called, Evidence
from app.evidence import line
from app.recall.words import stem, words
from app.when import find_times

if TYPE_CHECKING:
    from app.memory import Memory
    from app.working import Window
    from models.chat import ChatModel, Message

MOST_TOKENS = 60  # of one call
MOST_WORDS = 120  # characters of its argument
MOST_PHRASES = 6  # of a message, among which the model chooses
SHOWN = 3  # memories that stand before a model that is asked what to look for
OWN = 0.8  # of an argument's words must be the user's
KEPT_TURNS = 2  # messages that stay verbatim when what is over is folded
_CHOICES = {
    "remember": r"\b(?:important|keep in mind|worth remembering|for the record|don't let me forget|want you to know|"
    r"make sure you (?:know|remember)|you should know)\b",
    "task": r"\b(?:i|we)(?:'ve| have|'d)? (?:(?:really|still|also|just) )*"
    r"(?:need to|have to|must|should|ought to|got to|better)\b|\b(?:to-?do|deadline|don't forget to)\b",
    "fold": r"\b(?:that's (?:done|settled|it for now)|we're done (?:with|here)|let's (?:move on|change the subject)|"
    r"(?:new|another|different) topic|that settles)\b",
}
_CUES = {tool: re.compile(cue, re.IGNORECASE) for tool, cue in _CHOICES.items()}
_ASK = {
    "remember": '"remember": the user told something to keep for good; words: that',
    "task": '"task": the user has something to do; words: what, as short as possible',
    "fold": '"fold": the user is done with the subject so far',
}
_LOOK = "Which words would you look for in memory to answer it? Give at most six."


@dataclass(frozen=True, slots=True)
class Choice:
    """A tool, and the words that it is called with."""

    tool: str
    words: str


def able(chat: ChatModel, setting: str) -> bool:
    """Whether this model is given tools: by the setting "on" or "off", else where it is able."""
    return setting == "on" or (setting == "auto" and bool(getattr(chat, "calls_tools", False)))


def cued(text: str) -> tuple[str, ...]:
    """The tools for which a message gives cause."""
    said = text.replace("’", "'")
    return () if said.rstrip().endswith("?") else tuple(t for t, cue in _CUES.items() if cue.search(said))


def instruction(offered: Sequence[str]) -> str:
    """What the model is asked after its answer."""
    listed = "\n".join(_ASK[tool] for tool in offered)
    return f'Of my last message: choose one tool, or "none".\n{listed}'


def phrases(text: str) -> tuple[str, ...]:
    """The user's own words that a tool may be called with: what follows "I need to", and each sentence."""
    said = sentences(text.replace("’", "'"))
    cues = [(sentence, _CUES["task"].search(sentence)) for sentence in said]
    wanted = [sentence[cue.end() :] for sentence, cue in cues if cue]
    found = dict.fromkeys(part.strip(" .!,;:") for part in [*wanted, *said])
    return tuple(part for part in found if 0 < len(part) <= MOST_WORDS)[:MOST_PHRASES]


def choose(
    chat: ChatModel,
    messages: Sequence[Message],
    offered: Sequence[str],
    text: str,
    stop: Callable[[], bool] | None = None,
) -> Choice | None:
    """The model's choice after the message `text`; None for none, or where it was stopped. Raises ModelError."""
    said: Mapping[str, Any] = {"enum": [*own]} if (own := phrases(text)) else _WORDS
    found = _object(chat, messages, _schema({"tool": {"enum": ["none", *offered]}, "words": said}), stop)
    tool, words_given = str(found.get("tool", "none")), str(found.get("words", ""))
    return Choice(tool, words_given) if tool in offered else None


def further(chat: ChatModel, opening: Sequence[Message]) -> Callable[[str, Sequence[Evidence]], str]:
    """What proposes the words to look for next, from a question and what was found so far."""

    def propose(question: str, found: Sequence[Evidence]) -> str:
        from models.chat import Message

        notes = "\n".join(line(e) for e in found[:SHOWN])
        asked = Message("user", f"Notes:\n{notes}\n\nQuestion: {question}\n{_LOOK}")
        return str(_object(chat, [*opening, asked], _schema({"words": _WORDS}), None).get("words", ""))

    return propose


def carry_out(
    memory: Memory, choice: Choice, said: str, session: str, window: Window, now: datetime
) -> Called:
    """Do what was chosen, if the user's words bear it out; `said` is the record of those words."""
    if choice.tool == "fold":
        return Called("fold", "", f"{window.fold_before(KEPT_TURNS)} messages are one line each now")
    record = memory.store.get(said)
    if not _is_own(choice.words, record.text):
        return Called(choice.tool, choice.words, "refused: those are not your words")
    if choice.tool == "remember":
        done = corrections.carry_out(memory, Correction(Wish.REMEMBER), (said,), said, session, now)
        return Called(
            "remember", choice.words, f"{done.what}; mem undo {done.run}" if done else "nothing to keep"
        )
    times = [span for span in find_times(record.text, now) if span.end > now]
    due = max(times[0].start + tasks.MORNING, now) if times else None
    kept = tasks.keep(memory, tasks.Reminder(choice.words, due), record, now)
    on = f", due {due:%d %b %Y}" if due else ""
    return Called("task", choice.words, f"noted as {kept.id}{on}; mem forget {kept.id} takes it back")


_WORDS: Mapping[str, Any] = {"type": "string", "maxLength": MOST_WORDS}


def _schema(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": dict(fields),
        "required": [*fields],
        "additionalProperties": False,
    }


def _object(
    chat: ChatModel,
    messages: Sequence[Message],
    schema: Mapping[str, Any],
    stop: Callable[[], bool] | None,
) -> Mapping[str, Any]:
    """What the model said, as the grammar makes it; empty where it was cut short."""
    said = "".join(chat.stream(messages, max_tokens=MOST_TOKENS, schema=schema, stop=stop))
    try:
        found = json.loads(said)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _is_own(words_given: str, said: str) -> bool:
    given = [stem(word) for word in words(words_given)]
    own = {stem(word) for word in words(said)}
    return bool(given) and sum(word in own for word in given) >= OWN * len(given)
