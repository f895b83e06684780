"""Asks a chat model which of a few statements a message tells, where its meaning is heard and not surely.

A small model names slots badly and picks well: what it picks, out of statements that code made, against the likeliest,
is dropped; what it picks with it stands. One short call, one word of an answer.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeAlias

from app.guard.hostile import inert
from app.guard.secrets import redact
from app.sleep.attributes import is_single_valued
from app.sleep.episodes import shown, speaker_of
from app.sleep.fills import filling
from app.sleep.meant import Meaning, named
from app.sleep.proposals import Proposal, from_candidate
from app.sleep.whom import person_of
from models.chat import Message
from storage.records import Record

ASKED = 0.1  # how much must speak for a slot before a model is asked
CHOICES = 3  # statements to choose from
TOKENS = 8  # generated at most
LETTERS, NEITHER = "ABC", "none"
SYSTEM = (
    "A person writes to their assistant. Say which of the statements about the person's own life, as it is now, the "
    "message tells. What others do, wishes, plans, jokes, the past, and what it only mentions tell none of them."
)
SHOTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "user: Emptied my old desk on Friday, and from today Brightwell pays my bills!",
        ("employer is Brightwell", "bank is Brightwell", "landlord is Brightwell"),
        "A",
    ),
    (
        "user: My neighbour traded his bike for a Vespa, what a sight.",
        ("car is Vespa", "commute is bike", "employer is Vespa"),
        NEITHER,
    ),
    (
        "user: Could you move Thursday's reminder? Dr. Ionescu only drills on Mondays.",
        ("doctor is Dr. Ionescu", "dentist is Dr. Ionescu", "work schedule is Mondays"),
        "B",
    ),
    (
        "user: Ha, if I won the lottery I'd buy a house in Rome.",
        ("home city is Rome", "bank is Rome", "landlord is Rome"),
        NEITHER,
    ),
    (
        "user: Sis unpacked her last box in Bergen, I flew in to help.",
        ("home city is Bergen", "commute is flew", "sister's home city is Bergen"),
        "C",
    ),
    (
        "user: The vet said Rex needs fewer treats, poor old boy.",
        ("doctor is Rex", "diet is fewer treats", "boss is Rex"),
        NEITHER,
    ),
)
Choice: TypeAlias = Sequence[tuple[str, int, int]]  # slot, and where its value stands; the likeliest first
PROMPT = hashlib.blake2b(json.dumps([SYSTEM, SHOTS, TOKENS]).encode(), digest_size=4).hexdigest()


def choice_of(
    turn: Record, meaning: Meaning, proposals: Sequence[Proposal], known: Collection[str]
) -> Choice:
    """What a message of the user may tell: to ask about where something speaks for it and it fills no slot yet.

    `known`: values, in lower case, that slots hold already.
    """
    filled = any(p.turn == turn.id and is_single_valued(p.attribute or "") for p in proposals)
    likely = meaning.likeliest(CHOICES)
    if filled or meaning.words is None or not likely or likely[0][1] < ASKED:
        return ()
    told = [(named(slot, turn.text), meaning.words.value(slot, known)) for slot, _ in likely]
    places = [(slot, turn.text.find(value), len(value)) for slot, value in told if slot and value]
    return [(slot, start, start + length) for slot, start, length in places]


def prompt(turn: Record, choice: Choice) -> list[Message]:
    """The messages for one turn; all but the last are the same every time, so the model's cache holds them."""
    messages = [Message("system", SYSTEM)]
    for line, statements, answer in SHOTS:
        messages += [Message("user", _asked(line, statements)), Message("assistant", json.dumps(answer))]
    statements = tuple(f"{slot} is {inert(redact(turn.text[start:end])[0])}" for slot, start, end in choice)
    return [*messages, Message("user", _asked(shown(turn), statements))]


def _asked(line: str, statements: Sequence[str]) -> str:
    told = (f"{letter}: The user's {each}." for letter, each in zip(LETTERS, statements, strict=False))
    return "\n".join([line, *told])


def schema(choice: Choice) -> Mapping[str, Any]:
    """What a model may answer."""
    return {"enum": [*LETTERS[: len(choice)], NEITHER]}


def chosen(raw: str, turn: Record, derived_by: str, choice: Choice) -> tuple[list[Proposal], int]:
    """The likeliest slot, where the model's raw output picks it and the message bears it out; and what was refused."""
    try:
        agrees = json.loads(raw) == LETTERS[0]
    except ValueError:
        return [], 1
    if not agrees or not choice:
        return [], 0
    slot, start, end = choice[0]
    told = filling(slot, turn.text[start:end], person_of(speaker_of(turn)), turn, sure=True)
    return ([from_candidate(told, turn, derived_by)], 0) if told else ([], 1)
