"""Questions of generated conversations that take two memories: who "my sister" is, and what was told of her by name."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.make_conversations import Talk

MANY = 6


@dataclass(slots=True)
class Hop:
    """What one says in an earlier and in a later session, and the question that takes both."""

    who: str
    said: tuple[str, str]
    sessions: tuple[int, int]
    question: str
    turns: list[str] = field(default_factory=list)


def tell(talk: Talk, hops: Sequence[Hop], session: int, role: str) -> None:
    """Say what belongs into this session; once a hop has been told in whole, ask for it."""
    for hop in hops:
        for text, number in zip(hop.said, hop.sessions, strict=True):
            if number == session:
                hop.turns.append(talk.say(hop.who, text, role))
                if len(hop.turns) == len(hop.said):
                    talk.ask(
                        "hop", hop.question.format(my="my" if role == "user" else f"{hop.who}'s"), hop.turns
                    )


def planned(lines: Sequence[str], speakers: Sequence[str], sessions: int, rng: random.Random) -> list[Hop]:
    """Some of `lines` (what is said first | later | a question), each by one of the speakers, sessions apart."""
    hops = []
    for line in rng.sample(lines, MANY):
        first, later, question = (part.strip() for part in line.split("|"))
        early, late = sorted(rng.sample(range(sessions), 2))
        hops.append(Hop(rng.choice(speakers), (first, later), (early, late), question))
    return hops
