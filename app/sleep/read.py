"""Asks a chat model what the rules missed: which statement a message tells (choose.py), and what else an episode does.

The model proposes; code looks for the one turn that bears a sentence out, and refuses it where there is none. The
raw output is kept before anything is done with it, so that no crash pays twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.almanac import local
from app.encode import importance_of
from app.sleep import choose
from app.sleep.attributes import RELATIONS
from app.sleep.clauses import tells
from app.sleep.episodes import UNREAD, episode_turns, shown, speaker_of, speaks_for_itself
from app.sleep.proposals import Proposal
from app.sleep.support import supported
from app.sleep.whom import person_of
from app.sleep.work import Tally, Work
from app.when import describe, find_times, resolved
from models.chat import Message
from models.errors import ModelError
from storage.ledger import OPEN, Job, job_key
from storage.records import Kind, Record

if TYPE_CHECKING:
    from models.chat import ChatModel

UNFILLED, READ, FILLED = "unfilled", "read", "filled"  # what waits for the model, and what it answered
MOST_FACTS = 4
TOKENS = 130  # generated at most
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "facts": {"type": "array", "maxItems": MOST_FACTS, "items": {"type": "string", "maxLength": 110}}
    },
    "required": ["facts"],
}
SYSTEM = (
    "You read a conversation and write down what each speaker tells about their own life: facts that stay true, "
    "events, plans, tastes. One short sentence for each, with the speaker's name instead of \"I\", in the speaker's "
    'words. Nothing about greetings, jokes, "what if", or what others think. Nothing to tell: an empty list.'
)
SHOTS: tuple[tuple[str, list[str]], ...] = (
    (
        "Tom: Hey! Long time no see.\n"
        "Lea: Sorry, the twins keep me busy. They started school in Ghent on Monday.\n"
        "Tom: I'd give anything for a nap, my night shifts at the bakery are killing me.\n"
        "Lea: Ha, if I won the lottery I'd buy you a bed.",
        ["Lea's twins started school in Ghent on Monday.", "Tom works night shifts at the bakery."],
    ),
    ("user: Can you tell me how long rice keeps in the fridge?\nuser: Thanks, that helps.", []),
    (
        "user: Could you check this letter? It is for the museum job that I applied for last week.\n"
        "user: We had to put our old dog Rufus down, so please keep it light today.",
        ["The user applied for a museum job last week.", "The user had to put their old dog Rufus down."],
    ),
)
_FIRST = re.compile(r"\b(?:I|I'm|I've|I'd|I'll|my|me|mine|we|we're|we've|our|us)\b", re.IGNORECASE)
_THIRD = re.compile(r"\b(?:he|she|they|he's|she's|they're|his|her|hers|their)\b", re.IGNORECASE)
_MINE = re.compile(r"\b(?:my|mine|our|ours)\b", re.IGNORECASE)
_SECOND = re.compile(r"\b(?:you|you're|you've|your|yours)\b", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:[Tt]he|[Hh]is|[Hh]er|[Tt]heir|[Yy]our) \w+|\b(?:[Hh]e|[Ss]he|[Tt]hey)\b|[A-Z]\w+ (?:is|has|do|was)"
)
_IF = re.compile(r"\bif\b", re.IGNORECASE)
_RELATIVE = re.compile(rf"\b[Mm]y (?:\w+ )?({RELATIONS})\b")
_PRONOUN = re.compile(r"(?:I|he|she|they|it|we|you|this|that|his|her|their|my|our)\b", re.IGNORECASE)
_NAMED = re.compile(r"\b(?:names?|named|called)\b", re.IGNORECASE)
PROMPT = hashlib.blake2b(json.dumps([SYSTEM, SHOTS, SCHEMA, TOKENS]).encode(), digest_size=4).hexdigest()


@dataclass(frozen=True, slots=True)
class Reading:
    """One way of asking: the jobs that wait for it and those that hold its answers, its prompt and its shape."""

    waits: str
    answers: str
    mark: str
    tokens: int
    schema: Callable[[Job], Mapping[str, Any]]
    prompt: Callable[[Job, Sequence[Record]], list[Message]]


def read_episodes(work: Work, tally: Tally) -> None:
    """All that no model has read yet, newest first, while there is time. Nothing without a model."""
    if work.chat is None:
        return
    for reading in (CHOOSING, READING):
        for unread in work.ledger.jobs(reading.waits, OPEN, newest_first=True):
            if work.over():
                return
            _read(work, work.chat, unread, reading, tally)


def proposals_in(raw: str, turns: Sequence[Record], derived_by: str) -> tuple[list[Proposal], int]:
    """What of a model's raw output some turn bears out, and how much was refused."""
    found, refused = [], 0
    for item in _items(raw):
        fact = " ".join(item.split()) if isinstance(item, str) else ""
        turn = _witness(fact, turns)
        if turn is None or is_of_another(fact, turn) or not _tells(fact, turn):
            refused += 1
        else:
            found.append(_proposal(fact, turn, derived_by))
    return found, refused


def is_of_another(fact: str, turn: Record) -> bool:
    """Whether a fact says of the speaker what their words say of someone else, or does not say of whom it is."""
    start, end = _span(fact, turn.text)
    said = turn.text[start:end]
    about_self = fact.lower().startswith(("the user", speaker_of(turn).lower()))
    others = {m.lower() for m in _RELATIVE.findall(said)} - set(re.findall(r"\w+", fact.lower()))
    only_others = _THIRD.search(said) is not None and _FIRST.search(said) is None
    named = _NAMED.search(fact) is not None and _NAMED.search(turn.text) is None
    return (about_self and (bool(others) or only_others)) or named or _PRONOUN.match(fact) is not None


def _tells(fact: str, turn: Record) -> bool:
    """Whether the fact holds enough, and its source says "I" where the fact is about its speaker, not "you"."""
    start, end = _span(fact, turn.text)
    said = turn.text[start:end]
    speaker = person_of(speaker_of(turn))
    addressed = _SECOND.search(said) is not None and _FIRST.search(said) is None
    own = fact.lower().startswith(speaker.name.lower())
    owned = fact.lower().startswith(f"{speaker.name.lower()}'s ")
    if owned and _MINE.search(said) is None:  # "made me shift lead" is nobody's shift
        return False
    if addressed or _IF.search(said) or (own and _has_other_subject(fact, said)):
        return False
    return tells(fact, speaker, turn.event_time)


def _has_other_subject(fact: str, said: str) -> bool:
    """Whether the words that a fact about its speaker shares with its source follow a subject that is not "I"."""
    shared = [m.start() for m in re.finditer(r"[^\W\d_]{4,}", said) if m[0][:5].lower() in fact.lower()]
    lead = said[: min(shared, default=0)]
    return _OTHER.search(lead) is not None and _FIRST.search(lead) is None


def prompt(turns: Sequence[Record]) -> list[Message]:
    """The messages for one episode; all but the last are the same every time, so the model's cache holds them."""
    messages = [Message("system", SYSTEM)]
    for lines, facts in SHOTS:
        messages += [Message("user", lines), Message("assistant", json.dumps({"facts": facts}))]
    return [*messages, Message("user", "\n".join(map(shown, turns)))]


CHOOSING = Reading(
    UNFILLED,
    FILLED,
    choose.PROMPT,
    choose.TOKENS,
    lambda job: choose.schema(job.input.get("choice", ())),
    lambda job, turns: choose.prompt(turns[0], job.input.get("choice", ())),
)
READING = Reading(UNREAD, READ, PROMPT, TOKENS, lambda _: SCHEMA, lambda _, turns: prompt(turns))


def _read(work: Work, chat: ChatModel, unread: Job, reading: Reading, tally: Tally) -> None:
    turns = [t for t in episode_turns(work, unread.input["turns"]) if speaks_for_itself(t)]
    ids = [turn.id for turn in turns]
    key = job_key(reading.answers, ids, reading.mark, chat.version)
    by = f"read/{reading.mark}+{chat.name}"
    with work.write("read"):
        work.ledger.queue(reading.answers, key, work.run, {**unread.input, "turns": ids, "by": by}, work.now)
        claimed = bool(turns) and work.ledger.claim(key, work.moment())
        if not claimed:
            work.ledger.finish(unread.key, work.now)
    if not claimed:
        return
    try:
        asked = chat.stream(
            reading.prompt(unread, turns),
            max_tokens=reading.tokens,
            schema=reading.schema(unread),
            stop=work.over,
        )
        raw = "".join(asked)
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


def _witness(fact: str, turns: Sequence[Record]) -> Record | None:
    """The turn that bears `fact` out, the one that shares most words with it; models name the wrong one too often."""
    words = set(re.findall(r"\w+", fact.lower()))
    bearing = [t for t in turns if fact and supported(fact, t.text, speaker=speaker_of(t))]
    return max(bearing, key=lambda t: len(words & set(re.findall(r"\w+", t.text.lower()))), default=None)


def _proposal(fact: str, turn: Record, derived_by: str) -> Proposal:
    start, end = _span(fact, turn.text)
    fact = _dated(fact, turn)
    if turn.role == "other":  # models say "the user" of whoever speaks
        fact = re.sub(r"^The user\b", str(turn.speaker), fact)
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


def _dated(fact: str, turn: Record) -> str:
    """The fact with the days that its source's words for times mean."""
    said_at = local(turn.event_time, turn.tz)
    for span in find_times(turn.text, said_at):
        absolute = resolved(turn.text, said_at, span.begin, span.finish)
        words = rf"(\b(?:on|in|at) )?{re.escape(turn.text[span.begin : span.finish])}\b"
        if found := re.search(words, fact):
            told = f"{found[1]}{describe(span)}" if found[1] and absolute != found[0] else absolute
            fact = fact[: found.start()] + told + fact[found.end() :]
    return fact


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
