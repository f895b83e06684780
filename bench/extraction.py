"""What an extractor finds in written sessions, against the facts that are labelled there.

    python -m bench.extraction [--show] [--sessions FOLDER] [--only NAME...] [--model NAME] [--keep FOLDER]

A session is text: a heading (`# TIME SPEAKER, SPEAKER`), one turn a line, and below a turn what it states:
`= SUBJECT/OTHER NAME: WORD/OTHER WORD, WORD` has to be found, `~` may be. A statement matches when it is about the
subject and has all the words; `not` among them means that it denies or ends something. Jokes, wishes, questions
and other people's words are turns without labels.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.config import find_home
from app.encode import turn as encoded
from app.meaning import head_of
from app.sleep import choose
from app.sleep.extract import read_episode, worth_reading
from app.sleep.meant import NOTHING, SLOTS, Meanings, meaning
from app.sleep.read import SCHEMA, TOKENS, prompt, proposals_in
from app.sleep.support import echoes
from app.when import describe, find_times
from bench.kept import kept_chat
from models.errors import ModelError
from models.open import open_embedder
from storage.records import Record

if TYPE_CHECKING:
    from models.chat import ChatModel
    from models.embed import Embedder

SESSIONS = Path(__file__).parents[1] / "tests" / "data" / "sessions"
NEAR = 6  # words from the start of a statement within which its subject stands
LEAST = {"precision": 0.90, "recall": 0.35}
MOST = {"unsupported": 0.01, "junk": 0.02}
_DENIES = re.compile(r"\b(?:not|no|never|gave up|stopped|quit|left|avoids?|cannot)\b|n't\b", re.IGNORECASE)
_PRONOUNS = frozenset("he she it they his her we".split())


@dataclass(frozen=True, slots=True)
class Label:
    """A fact that a turn states: who may be named as its subject, and the words that say it, with their like."""

    subjects: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    denies: bool
    required: bool

    def matches(self, statement: str) -> bool:
        """Whether the statement says this."""
        return self.close_to(statement) and (_DENIES.search(statement) is not None) == self.denies

    def close_to(self, statement: str) -> bool:
        """Whether the statement says this or its contrary."""
        low = statement.lower()
        start = " ".join(low.split()[:NEAR])
        return any(s in start for s in self.subjects) and all(
            any(word in low for word in likes) for likes in self.words
        )


@dataclass(frozen=True, slots=True)
class Turn:
    """One line of a session with what it states."""

    speaker: str
    text: str
    said_at: datetime
    labels: tuple[Label, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A statement that an extractor read out of a turn (its place in the session)."""

    turn: int
    statement: str


@dataclass(slots=True)
class Score:
    """Statements by how they fared, and the labels that were met and missed."""

    right: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    junk: list[str] = field(default_factory=list)
    met: int = 0
    missed: list[str] = field(default_factory=list)

    def shares(self) -> dict[str, float]:
        """Precision, recall of the required labels, and the shares of unsupported statements and of junk."""
        bad = len(self.wrong) + len(self.unsupported) + len(self.junk)
        total = max(len(self.right) + bad, 1)
        return {
            "precision": len(self.right) / total,
            "recall": self.met / max(self.met + len(self.missed), 1),
            "unsupported": len(self.unsupported) / total,
            "junk": len(self.junk) / total,
        }


Extractor = Callable[[Sequence[Turn]], Iterable[Found]]


def sessions(folder: Path = SESSIONS, only: Sequence[str] = ()) -> list[list[Turn]]:
    """Every session of the folder, or those whose names begin so; turns are a minute apart."""
    files = [f for f in sorted(folder.glob("*.txt")) if f.name.startswith(tuple(only) or "")]
    return [read_session(file.read_text(encoding="utf-8")) for file in files]


def read_session(text: str) -> list[Turn]:
    """The turns of one session. Raises ValueError on a line that is none."""
    heading, *lines = text.splitlines()
    started = datetime.fromisoformat(heading.split()[1])
    turns: list[Turn] = []
    for line in lines:
        if line[:2] in ("= ", "~ "):
            last = turns[-1]
            turns[-1] = Turn(last.speaker, last.text, last.said_at, (*last.labels, _label(line)))
        else:
            speaker, said, words = line.partition(": ")
            if not said:
                raise ValueError(f"neither a turn nor a label: {line!r}")
            turns.append(Turn(speaker, words, started + timedelta(minutes=len(turns))))
    return turns


def _label(line: str) -> Label:
    who, _, what = line[2:].partition(":")
    words = [part.strip().lower() for part in re.split(r", (?!\d{3})", what)]
    subjects = tuple(s.strip().lower() for s in who.split("/") if s.strip().lower() not in _PRONOUNS)
    return Label(
        subjects or (who.split("/")[0].lower(),),
        tuple(tuple(word.split("/")) for word in words if word != "not"),
        "not" in words,
        line[0] == "=",
    )


def measure(extractor: Extractor, talks: Sequence[Sequence[Turn]]) -> Score:
    """How the extractor fares on these sessions."""
    score = Score()
    for talk in talks:
        found = list(extractor(talk))
        for one in found:
            _judge(one, talk, score)
        for place, said in enumerate(talk):
            near = [one.statement for one in found if one.turn == place]
            for label in said.labels:
                if label.required and any(label.matches(statement) for statement in near):
                    score.met += 1
                elif label.required:
                    score.missed.append(f"{said.speaker}: {said.text}  <- {label.words}")
    return score


def _judge(one: Found, talk: Sequence[Turn], score: Score) -> None:
    said = talk[one.turn]
    line = f"{one.statement}  <- {said.text}"
    if any(label.matches(one.statement) for label in said.labels):
        score.right.append(line)
    elif any(label.close_to(one.statement) for label in said.labels) or not _borne_out(one, said, talk):
        score.unsupported.append(line)
    elif said.labels:
        score.wrong.append(line)
    else:
        score.junk.append(line)


def _borne_out(one: Found, said: Turn, talk: Sequence[Turn]) -> bool:
    """Whether every name and number of the statement is in its turn, or follows from when and by whom it was said."""
    dates = [describe(span) for span in find_times(said.text, said.said_at)]
    known = " ".join([said.text, *dates, *{turn.speaker for turn in talk}]).lower()
    return all(
        word.lower() in known for word in re.findall(r"\b[A-Z][\w'’-]*\w|\d[\d,.]*\d|\d", one.statement[4:])
    )


def by_rules(talk: Sequence[Turn]) -> Iterator[Found]:
    """What the night finds without a chat model, by words and by meaning; an assistant's turns tell nothing."""
    turns = _records(talk)
    return (Found(int(proposal.turn), proposal.text) for proposal in read_episode(turns, meanings(turns)))


def meanings(turns: Sequence[Record]) -> Meanings:
    """What the heads of the night see in the turns of the user; nothing where the embedding model is missing."""
    embedder = _embedder()
    head = head_of(SLOTS, embedder.name) if embedder is not None else None
    if embedder is None or head is None:
        return {}
    own = [turn for turn in turns if turn.role == "user"]
    return {t.id: meaning(t.text, head.chances(embedder.embed([t.text])[0]), embedder) for t in own}


@cache  # opened once for all sessions
def _embedder() -> Embedder | None:
    try:
        return open_embedder("minilm-int8", find_home().models)
    except ModelError:
        return None


def by_model(chat: ChatModel) -> Extractor:
    """The rules and what a chat model finds besides, asked as the night asks it."""

    def read(talk: Sequence[Turn]) -> Iterator[Found]:
        turns = _records(talk)
        seen = meanings(turns)
        by_rules = read_episode(turns, seen)
        yield from (Found(int(proposal.turn), proposal.text) for proposal in by_rules)
        known = [proposal.text for proposal in by_rules]
        for turn in turns:
            if choice := choose.choice_of(turn, seen.get(turn.id, NOTHING), by_rules, ()):
                asked, shape = choose.prompt(turn, choice), choose.schema(choice)
                answer = chat.stream(asked, max_tokens=choose.TOKENS, schema=shape)
                for proposal in choose.chosen("".join(answer), turn, chat.name, choice)[0]:
                    known.append(proposal.text)
                    yield Found(int(proposal.turn), proposal.text)
        for part in worth_reading(turns, by_rules):
            answer = chat.stream(prompt(part), max_tokens=TOKENS, schema=SCHEMA)
            for proposal in proposals_in("".join(answer), part, chat.name)[0]:
                if not echoes(proposal.text, known):
                    known.append(proposal.text)
                    yield Found(int(proposal.turn), proposal.text)

    return read


def _records(talk: Sequence[Turn]) -> list[Record]:
    """The turns as the store holds them; a turn's id is its place."""
    return [_record(place, said) for place, said in enumerate(talk)]


def _record(place: int, said: Turn) -> Record:
    record = encoded(said.text, now=said.said_at, said_at=said.said_at)
    role = said.speaker if said.speaker in ("user", "assistant") else "other"
    return replace(record, id=str(place), speaker=said.speaker, role=role)


def main() -> int:
    """Print the table; with --show the statements that failed and the labels that were missed."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    options.add_argument("--show", action="store_true")
    options.add_argument("--sessions", type=Path, default=SESSIONS)
    options.add_argument("--only", nargs="*", default=[], help="beginnings of file names")
    options.add_argument("--model")
    options.add_argument("--keep", type=Path, help="a folder that holds a model's answers between runs")
    args = options.parse_args()
    talks = sessions(args.sessions, args.only)
    labels = [label for talk in talks for turn in talk for label in turn.labels if label.required]
    turns = sum(map(len, talks))
    print(f"{len(talks)} sessions, {turns} turns, {len(labels)} labelled facts")
    chat = kept_chat(args.model, args.keep) if args.model else None
    score = measure(by_model(chat) if chat else by_rules, talks)
    shares = score.shares()
    for name, share in shares.items():
        bound = f">= {LEAST[name]:.2f}" if name in LEAST else f"<= {MOST[name]:.2f}"
        print(f"{name:12} {share:6.3f}   {bound}")
    if chat:
        print(
            f"a turn       {chat.prompt / turns:.0f} prompt tokens (<= 200), {chat.generated / turns:.0f} ",
            end="",
        )
        print(f"generated (<= 40), {chat.seconds / turns:.2f} s; {chat.calls} calls")
    if args.show:
        for name in ("right", "wrong", "unsupported", "junk", "missed"):
            print(f"\n{name}:", *getattr(score, name), sep="\n  ")
    failed = [n for n, least in LEAST.items() if shares[n] < least]
    return bool(failed + [n for n, most in MOST.items() if shares[n] > most])


if __name__ == "__main__":
    sys.exit(main())
