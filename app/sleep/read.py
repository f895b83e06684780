"""Asks a chat model what the rules missed in an episode: one short call, one tiny schema, small numbers for turns.

The model proposes sentences; each must be borne out by the one turn that it names, or it is refused. The raw output
is kept before anything is done with it, so that no crash pays twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from app.encode import importance_of
from app.guard.hostile import inert
from app.guard.secrets import redact
from app.sleep.episodes import UNREAD, episode_turns, speaker_of, speaks_for_itself
from app.sleep.proposals import Proposal
from app.sleep.support import supported
from app.sleep.work import Tally, Work
from models.chat import Message
from models.errors import ModelError
from storage.ledger import OPEN, Job, job_key
from storage.records import Kind, Record

if TYPE_CHECKING:
    from models.chat import ChatModel

READ = "read"
LONGEST = 400  # characters of a turn that are shown
MOST_FACTS = 3
TOKENS = 120  # generated at most
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "facts": {
            "type": "array",
            "maxItems": MOST_FACTS,
            "items": {
                "type": "object",
                "properties": {"turn": {"type": "integer"}, "fact": {"type": "string", "maxLength": 120}},
                "required": ["turn", "fact"],
            },
        }
    },
    "required": ["facts"],
}
SYSTEM = (
    "You read a conversation and write down what each speaker tells about their own life: facts that stay true, "
    'events, plans, tastes. One short sentence for each, with the speaker\'s name instead of "I", in the words of '
    'that turn. Nothing about greetings, jokes, "what if", or what others think. Nothing to tell: an empty list.'
)
SHOTS: tuple[tuple[str, list[tuple[int, str]]], ...] = (
    (
        "1 Tom: Hey! Long time no see.\n"
        "2 Lea: Sorry, the twins keep me busy. They started school in Ghent on Monday.\n"
        "3 Tom: I'd give anything for a nap, my night shifts at the bakery are killing me.\n"
        "4 Lea: Ha, if I won the lottery I'd buy you a bed.",
        [(2, "Lea's twins started school in Ghent on Monday."), (3, "Tom works night shifts at the bakery.")],
    ),
    ("1 user: Can you tell me how long rice keeps in the fridge?\n2 user: Thanks, that helps.", []),
    (
        "1 user: Could you check this letter? It is for the museum job that I applied for last week.\n"
        "2 user: We had to put our old dog Rufus down, so please keep it light today.",
        [
            (1, "The user applied for a museum job last week."),
            (2, "The user had to put the old dog Rufus down."),
        ],
    ),
)
PROMPT = hashlib.blake2b(json.dumps([SYSTEM, SHOTS, SCHEMA, TOKENS]).encode(), digest_size=4).hexdigest()


def read_episodes(work: Work, tally: Tally) -> None:
    """Every episode that no model has read yet, newest first, while there is time. Nothing without a model."""
    if work.chat is None:
        return
    for unread in work.ledger.jobs(UNREAD, OPEN, newest_first=True):
        if work.over():
            return
        _read(work, work.chat, unread, tally)


def proposals_in(raw: str, turns: Sequence[Record], derived_by: str) -> tuple[list[Proposal], int]:
    """What of a model's raw output stands up to the turns that it was read from, and how much was refused."""
    found, refused = [], 0
    for item in _items(raw):
        turn = _turn_named(item, turns)
        fact = " ".join(str(item.get("fact", "")).split()) if isinstance(item, dict) else ""
        if turn is None or not fact or not supported(fact, turn.text, speaker=speaker_of(turn)):
            refused += 1
            continue
        found.append(_proposal(fact, turn, derived_by))
    return found, refused


def prompt(turns: Sequence[Record]) -> list[Message]:
    """The messages for one episode; all but the last are the same every time, so the model's cache holds them."""
    messages = [Message("system", SYSTEM)]
    for lines, facts in SHOTS:
        answer = {"facts": [{"turn": turn, "fact": fact} for turn, fact in facts]}
        messages += [Message("user", lines), Message("assistant", json.dumps(answer))]
    said = [f"{n} {speaker_of(t)}: {inert(redact(t.text)[0])[:LONGEST]}" for n, t in enumerate(turns, 1)]
    return [*messages, Message("user", "\n".join(said))]


def _read(work: Work, chat: ChatModel, unread: Job, tally: Tally) -> None:
    turns = [t for t in episode_turns(work, unread.input["turns"]) if speaks_for_itself(t)]
    ids = [turn.id for turn in turns]
    key = job_key(READ, ids, PROMPT, chat.version)
    by = f"read/{PROMPT}+{chat.name}"
    with work.write("read"):
        work.ledger.queue(READ, key, work.run, {"turns": ids, "by": by}, work.now)
        claimed = bool(turns) and work.ledger.claim(key, work.moment())
        if not claimed:
            work.ledger.finish(unread.key, work.now)
    if not claimed:
        return
    try:
        raw = "".join(chat.stream(prompt(turns), max_tokens=TOKENS, schema=SCHEMA, stop=work.over))
    except ModelError as error:
        with work.write("read"):
            work.ledger.fail(key, str(error), work.now)
        tally.rejected += 1
        return
    usage = chat.last_usage
    if usage is not None and usage.stopped:
        with work.write("read"):
            work.ledger.release(key, work.now)
        return
    with work.write("read"):
        work.ledger.keep(key, raw, work.now)
        work.ledger.finish(unread.key, work.now)
    tally.model_calls += 1
    if usage is not None:
        tally.tokens += usage.prompt_tokens - usage.cached_tokens + usage.completion_tokens


def _items(raw: str) -> list[Any]:
    try:
        facts = json.loads(raw)["facts"]
    except (ValueError, TypeError, KeyError):
        return [None]  # nonsense counts as one refusal
    return facts[:MOST_FACTS] if isinstance(facts, list) else [None]


def _turn_named(item: Any, turns: Sequence[Record]) -> Record | None:
    number = item.get("turn") if isinstance(item, dict) else None
    if isinstance(number, int) and not isinstance(number, bool) and 1 <= number <= len(turns):
        return turns[number - 1]
    return None


def _proposal(fact: str, turn: Record, derived_by: str) -> Proposal:
    start, end = _span(fact, turn.text)
    return Proposal(
        turn=turn.id,
        said_at=turn.event_time,
        trust=turn.trust,
        kind=Kind.SEMANTIC,
        text=fact,
        start=start,
        end=end,
        derived_by=derived_by,
        subject=speaker_of(turn),
        importance=importance_of(turn.text),
    )


def _span(fact: str, text: str) -> tuple[int, int]:
    """The sentence of `text` that shares most words with `fact`."""
    words = set(re.findall(r"\w+", fact.lower()))
    sentences = list(re.finditer(r"\S[^.!?…\n]*[.!?…]*", text))
    best = max(
        sentences,
        key=lambda m: (len(words & set(re.findall(r"\w+", m[0].lower()))), -m.start()),
        default=None,
    )
    return (best.start(), best.end()) if best else (0, len(text))
