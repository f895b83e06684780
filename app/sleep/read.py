"""Asks a chat model what the rules missed in an episode: one short call, a schema that is a short list of sentences.

The model proposes; code looks for the one turn that bears a sentence out, and refuses it where there is none. The
raw output is kept before anything is done with it, so that no crash pays twice.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from app.almanac import local
from app.encode import importance_of
from app.guard.hostile import inert
from app.guard.secrets import redact
from app.sleep.attributes import RELATIONS
from app.sleep.clauses import tells
from app.sleep.episodes import UNREAD, episode_turns, speaker_of, speaks_for_itself
from app.sleep.fills import OWN, SLOTS, filling
from app.sleep.proposals import Proposal
from app.sleep.support import supported
from app.sleep.whom import person_of
from app.sleep.work import Tally, Work
from app.when import describe, find_times, resolved
from models.chat import Message
from models.errors import ModelError
from storage.ledger import OPEN, Job, job_key
from storage.records import Filter, Kind, Record

if TYPE_CHECKING:
    from models.chat import ChatModel

READ = "read"
LONGEST = 400  # characters of a turn that are shown
TOKENS = 80  # generated at most
FREE, NOTHING = "other", "nothing"  # in the place of a slot: a sentence that fills none, and no sentence
SYSTEM = (
    "You keep notes on the lives of people who talk. Write down what a message tells about its speaker's own life "
    "(facts, events, plans, tastes) as one short sentence in the speaker's words, with the speaker's name instead of "
    '"I"; then the slot that it fills, or "other", and the value in the message\'s own words. Greetings, questions, '
    'jokes, "what if", and what strangers do tell "nothing".'
)
SHOTS: tuple[tuple[str, str, str, str], ...] = (
    (
        "user: Emptied my old desk on Friday, and from today Brightwell pays my bills!",
        "The user works at Brightwell now.",
        "employer",
        "Brightwell",
    ),
    (
        "Lea: Sorry, the twins keep me busy. They started school in Ghent on Monday.",
        "Lea's twins started school in Ghent on Monday.",
        FREE,
        "",
    ),
    ("user: My neighbour traded his bike for a scooter, what a sight.", NOTHING, NOTHING, ""),
    (
        "user: Long story short, Dr. Ionescu checks my teeth these days, so gentle!",
        "The user's dentist is Dr. Ionescu now.",
        "dentist",
        "Dr. Ionescu",
    ),
    (
        "Tom: I'd give anything for a nap, I can't eat gluten and the canteen forgot again.",
        "Tom can't eat gluten.",
        FREE,
        "",
    ),
    ("Tom: Ha, if I won the lottery I'd buy you a house in Rome.", NOTHING, NOTHING, ""),
    (
        "user: My sister unpacked her last box in Bergen, I flew in to help.",
        "The user's sister lives in Bergen now.",
        "sister's home city",
        "Bergen",
    ),
)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "fact": {"type": "string", "maxLength": 110},
        "slot": {"enum": [NOTHING, FREE, *SLOTS]},
        "value": {"type": "string", "maxLength": 40},
    },
    "required": ["fact", "slot", "value"],
}
_FIRST = re.compile(r"\b(?:I|I'm|I've|I'd|I'll|my|me|mine|we|we're|we've|our|us)\b", re.IGNORECASE)
_THIRD = re.compile(r"\b(?:he|she|they|he's|she's|they're|his|her|hers|their)\b", re.IGNORECASE)
_SECOND = re.compile(r"\b(?:you|you're|you've|your|yours)\b", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:[Tt]he|[Hh]is|[Hh]er|[Tt]heir|[Yy]our) \w+|\b(?:[Hh]e|[Ss]he|[Tt]hey)\b|[A-Z]\w+ (?:is|has|do|was)"
)
_IF = re.compile(r"\bif\b", re.IGNORECASE)
_RELATIVE = re.compile(rf"\b[Mm]y (?:\w+ )?({RELATIONS})\b")
_PRONOUN = re.compile(r"(?:I|he|she|they|it|we|you|this|that|his|her|their|my|our)\b", re.IGNORECASE)
_NAMED = re.compile(r"\b(?:names?|named|called)\b", re.IGNORECASE)
PROMPT = hashlib.blake2b(json.dumps([SYSTEM, SHOTS, SCHEMA, TOKENS]).encode(), digest_size=4).hexdigest()


def read_episodes(work: Work, tally: Tally) -> None:
    """Every episode that no model has read yet, newest first, while there is time. Nothing without a model."""
    if work.chat is None:
        return
    notes = _notes(work)
    for unread in work.ledger.jobs(UNREAD, OPEN, newest_first=True):
        if work.over():
            return
        _read(work, work.chat, unread, notes, tally)


def _notes(work: Work) -> str:
    """What is known of the user's slots and what is not, for the model to see what a message changes."""
    known = (f for f in work.store.records(Filter(kinds=frozenset({Kind.SEMANTIC}))) if f.subject == "user")
    live = {
        f.attribute: f.extra["value"]
        for f in known
        if f.valid_to is None and f.attribute in OWN and "value" in f.extra
    }
    return noted(live)


def noted(known: Mapping[str, str]) -> str:
    """The user's slots with their values as a line of a prompt."""
    return "; ".join(f"{slot}: {known.get(slot, '?')}" for slot in OWN)


def proposals_in(raw: str, turns: Sequence[Record], derived_by: str) -> tuple[list[Proposal], int]:
    """What of a model's raw output some turn bears out, and how much was refused."""
    try:
        told = json.loads(raw)
        fact, slot, value = (str(told[name]) for name in ("fact", "slot", "value"))
    except (ValueError, TypeError, KeyError):
        return [], 1
    if NOTHING in (fact, slot):
        return [], 0
    found = _proposal(fact, slot, value, turns, derived_by)
    return ([found], 0) if found else ([], 1)


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
    if addressed or _IF.search(said) or (own and _has_other_subject(fact, said)):
        return False
    return tells(fact, speaker, turn.event_time)


def _has_other_subject(fact: str, said: str) -> bool:
    """Whether the words that a fact about its speaker shares with its source follow a subject that is not "I"."""
    shared = [m.start() for m in re.finditer(r"[^\W\d_]{4,}", said) if m[0][:5].lower() in fact.lower()]
    lead = said[: min(shared, default=0)]
    return _OTHER.search(lead) is not None and _FIRST.search(lead) is None


def prompt(turns: Sequence[Record], notes: str) -> list[Message]:
    """The messages for these turns; all but the last are the same all night, so the model's cache holds them."""
    messages = [Message("system", f"{SYSTEM}\nKnown of the user: {notes}")]
    for line, *told in SHOTS:
        answer = json.dumps(dict(zip(("fact", "slot", "value"), told, strict=True)))
        messages += [Message("user", line), Message("assistant", answer)]
    said = [f"{speaker_of(turn)}: {inert(redact(turn.text)[0])[:LONGEST]}" for turn in turns]
    return [*messages, Message("user", "\n".join(said))]


def _read(work: Work, chat: ChatModel, unread: Job, notes: str, tally: Tally) -> None:
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
        raw = "".join(chat.stream(prompt(turns, notes), max_tokens=TOKENS, schema=SCHEMA, stop=work.over))
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


def _proposal(fact: str, slot: str, value: str, turns: Sequence[Record], derived_by: str) -> Proposal | None:
    """A slot with its value, else a sentence that its source bears out; None where neither is."""
    for turn in turns:
        if new := filling(slot, value, person_of(speaker_of(turn)), turn):
            span = (new.start, new.end)
            return _drawn(turn, new.text, span, derived_by, (new.person.slot, new.attribute, new.value))
    fact = " ".join(fact.split())
    witness = _witness(fact, turns)
    if witness is None or is_of_another(fact, witness) or not _tells(fact, witness):
        return None
    span = _span(fact, witness.text)
    if witness.role == "other":  # models say "the user" of whoever speaks
        fact = re.sub(r"^The user\b", str(witness.speaker), fact)
    return _drawn(witness, _dated(fact, witness), span, derived_by, (speaker_of(witness), None, None))


def _witness(fact: str, turns: Sequence[Record]) -> Record | None:
    """The turn that bears `fact` out, the one that shares most words with it."""
    words = set(re.findall(r"\w+", fact.lower()))
    bearing = [t for t in turns if fact and supported(fact, t.text, speaker=speaker_of(t))]
    return max(bearing, key=lambda t: len(words & set(re.findall(r"\w+", t.text.lower()))), default=None)


def _drawn(
    turn: Record,
    text: str,
    span: tuple[int, int],
    derived_by: str,
    slot: tuple[str, str | None, str | None],
) -> Proposal:
    return Proposal(
        turn=turn.id,
        said_at=turn.event_time,
        trust=turn.trust,
        kind=Kind.SEMANTIC,
        text=text,
        start=span[0],
        end=span[1],
        derived_by=derived_by,
        subject=slot[0],
        attribute=slot[1],
        value=slot[2],
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
