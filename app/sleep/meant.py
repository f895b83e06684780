"""Which slot of its user a message fills by what it means, and with what: for changes in words that no rule foresees.

People say that something changed in endless ways ("have me in induction all week, still can't find the toilets"). One
head (app/meaning.py) knows from the message's vector which slot is spoken of, another which of its words are the value
(app/sleep/spans.py). What they propose must be borne out by the message, as what a chat model proposes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from app.meaning import head_of
from app.sleep.episodes import speaker_of
from app.sleep.fills import filling, relative_in
from app.sleep.rules import Candidate
from app.sleep.spans import Words, words_of
from app.sleep.vectors import vectors_of
from app.sleep.whom import person_of
from app.slots import KIN, NONE
from storage.records import Record

if TYPE_CHECKING:
    from app.memory import Memory
    from models.embed import Embedder

SLOTS = Path(__file__).with_name("slots.json")
LEAST = 0.2  # from which on what the heads propose is looked at without a chat model
SURE = 0.5  # from which on that it is so now, and of its speaker, is settled, in whatever shape of sentence
LIKELY = 0.8  # chance that a message fills no slot, from which on its words are not looked at
LONGEST = 400  # characters; in a longer message topic and value need not belong together


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the heads see in a message: the chance of each slot, and the words where one is likely."""

    chances: Mapping[str, float]
    words: Words | None = None

    def likeliest(self, many: int = 1) -> list[tuple[str, float]]:
        """The slots that it fills most likely, with how much speaks for each, 0..1; best first.

        Chance of the slot times the root of the chance of the word that most belongs to it: both must speak for it.
        """
        scores = {
            slot: chance * (self.words.belonging(slot) if self.words else 1.0) ** 0.5
            for slot, chance in self.chances.items()
            if slot != NONE
        }
        return sorted(scores.items(), key=lambda item: -item[1])[:many]


Meanings: TypeAlias = Mapping[str, Meaning]  # by the id of a turn
NOTHING = Meaning({})


def meanings_of(memory: Memory, turns: Sequence[Record]) -> Meanings:
    """What the heads see in those turns of the user that are embedded; nothing where they do not read these vectors."""
    embedder = memory.embedder
    head = head_of(SLOTS, embedder.name) if embedder is not None else None
    own = [turn for turn in turns if turn.role == "user"]
    if head is None or embedder is None or not own:
        return {}
    vectors = vectors_of(memory, own)
    return {t.id: meaning(t.text, head.chances(vectors[t.seq]), embedder) for t in own if t.seq in vectors}


def meaning(text: str, chances: Mapping[str, float], embedder: Embedder) -> Meaning:
    """What the heads see in a text whose slots have these chances."""
    near = chances[NONE] < LIKELY and len(text) <= LONGEST
    return Meaning(chances, words_of(text, embedder) if near else None)


def by_meaning(turn: Record, meaning: Meaning, known: Collection[str] = ()) -> Iterator[Candidate]:
    """The slot that a message fills, as the heads see it; none where they are unsure, or the message bears it not out.

    `known`: values, in lower case, that slots hold already; beside one of them, the other is the news.
    """
    for slot, score in meaning.likeliest():
        if meaning.words is not None and score >= LEAST:
            value = meaning.words.value(slot, known)
            speaker = person_of(speaker_of(turn))
            told = filling(named(slot, turn.text), value, speaker, turn, sure=score >= SURE)
            if told:
                yield told


def named(slot: str, text: str) -> str:
    """A label of the head as the slot of somebody: "relative's city" as that of whom the text calls its own."""
    kin = relative_in(text) if slot == KIN else None
    return f"{kin}'s home city" if kin else "" if slot == KIN else slot
