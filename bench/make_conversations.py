"""Conversations with labelled questions, made from templates: what recall is fitted on.

    python -m bench.make_conversations OUT [--people 12] [--assistant 6] [--seed 1]

Two friends over months, and a user with an assistant. Writes NAME.turns.jsonl.gz and NAME.questions.jsonl.gz
in the form of the public benchmarks, whose people and words appear nowhere here.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from bench import hops

HERE = Path(__file__).parent
START = datetime(2022, 1, 10, 18, tzinfo=UTC)
CHATTER = (
    "Any general tips for {name}?",
    "Thanks, that helps. What else should I watch?",
    "Okay, and how would I do that in practice?",
    "What do people often get wrong when {name}?",
)
ABOUT = (
    " That was the good thing about {thing}.",
    " You know how {thing} can be.",
    " It is all I think of since {thing} came up.",
    " With {thing} one never knows.",
    " I tell everybody about {thing} now.",
)
OPENINGS = (
    "Sure!",
    "Certainly!",
    "Of course.",
    "Great question.",
    "Absolutely, let's look at it.",
    "Good to hear.",
)
STEPS = (
    "Start small and write down where you stand today, so that you can compare later.",
    "Set yourself a clear milestone and look at it once a week.",
    "Keep a list of what is open and what has been decided.",
    "Check the details with the people who are involved before you commit.",
    "Leave a margin for surprises, both in time and in money.",
    "Review what worked, change one thing at a time and try again.",
    "If something is unclear, tell me more about it and we can refine the plan together.",
    "Break the task into parts that take no longer than an hour.",
)


@dataclass(slots=True)
class Event:
    """Something that one person tells of, with the turns that hold it and its details."""

    who: str
    category: Category
    said: str
    asked: str
    thing: str
    photo: str
    at: datetime
    told: str = ""
    details: list[tuple[str, str]] = field(default_factory=list)  # kind of detail, turn


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of event: questions about all of them, questions that infer from them, and the events."""

    name: str
    broad: list[str]
    inferring: list[str]
    events: list[list[str]]


@dataclass(slots=True)
class Talk:
    """A conversation in the making."""

    name: str
    turns: list[dict[str, str]] = field(default_factory=list)
    questions: list[dict[str, object]] = field(default_factory=list)
    session: str = ""
    now: datetime = START

    def say(self, speaker: str, text: str, role: str = "other") -> str:
        """Add a turn; returns its id."""
        id = f"{self.name}-{len(self.turns)}"
        self.now += timedelta(seconds=40)
        turn = {"id": id, "speaker": speaker, "role": role, "session": self.session}
        self.turns.append(turn | {"time": self.now.isoformat(), "text": text})
        return id

    def ask(self, category: str, query: str, evidence: Iterable[str]) -> None:
        """Add a question with the turns that answer it."""
        id = f"{self.name}-q{len(self.questions)}"
        found = sorted(set(evidence))
        self.questions.append(
            {"id": id, "query": query, "category": category, "evidence": found, "sessions": []}
        )


def between_people(name: str, rng: random.Random, sessions: int = 18) -> Talk:
    """Two friends who tell each other of their lives, and questions about it."""
    talk, pair = Talk(name), rng.sample(lists("phrases.txt")["name"], 2)
    events = _plan(pair, rng, sessions)
    facts = [
        (line, rng.choice(pair), rng.randrange(sessions)) for line in rng.sample(lists("facts.txt")[""], 30)
    ]
    far = hops.planned(lists("hops.txt")[""], pair, sessions, random.Random(f"{name} hops"))
    for number in range(sessions):
        talk.session = f"{name}-s{number}"
        talk.now = START + timedelta(days=9 * number + rng.randint(0, 5), hours=rng.randint(0, 5))
        _session(talk, pair, [e for e, s in events if s == number], rng)
        for line, who, session in facts:
            if session == number:
                _mention(talk, line, who, pair[1 - pair.index(who)], rng)
        hops.tell(talk, far, number, "other")
    _ask_people(talk, [e for e, _ in events], pair, rng)
    return talk


def with_assistant(name: str, rng: random.Random, projects: int = 3) -> Talk:
    """A user who works on some projects with an assistant, over weeks, and questions about it."""
    talk = Talk(name)
    chosen = rng.sample(_projects(), projects)
    queue = [(project, line) for project in chosen for line in project[1:]]
    rng.shuffle(queue)
    told: dict[str, list[tuple[list[str], str]]] = {project[0]: [] for project in chosen}
    later: list[tuple[str, list[str], str]] = []
    far = hops.planned(lists("hops.txt")[""], ["user"], len(queue), random.Random(f"{name} hops"))
    for number, (project, line) in enumerate(queue):
        if number % 4 == 0:
            talk.session, talk.now = f"{name}-s{number // 4}", START + timedelta(days=number)
        _exchange(talk, project, line, told, later, rng)
        _chatter(talk, project, rng)
        hops.tell(talk, far, number, "user")
    for head, parts, first in later:
        talk.now += timedelta(days=2)
        second = talk.say("user", parts[2], "user")
        talk.say("assistant", _reply(parts[2], "", rng), "assistant")
        talk.ask("update", parts[1], [first, second])
        told[head].append((parts, second))
    for project in chosen:
        _ask_overall(talk, project[0], told[project[0]], rng)
    return talk


@cache
def lists(file: str) -> dict[str, list[str]]:
    """A phrase file: lines by the list that they stand in."""
    current: list[str] = []
    out = {"": current}
    for line in (HERE / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            out[line[2:]] = current = []
        elif line and not line.startswith("#"):
            current.append(line)
    return {name: lines for name, lines in out.items() if lines}


def _categories() -> list[Category]:
    found = []
    for head, lines in lists("topics.txt").items():
        name, broad, inferring = (part.strip() for part in head.split("|"))
        events = [[part.strip() for part in line.split("|")] for line in lines]
        found.append(Category(name, _split(broad), _split(inferring), events))
    return found


def _projects() -> list[list[str]]:
    return [[head, *lines] for head, lines in lists("projects.txt").items()]


def _split(text: str, mark: str = ";") -> list[str]:
    return [part.strip() for part in text.split(mark)]


def _plan(pair: list[str], rng: random.Random, sessions: int) -> list[tuple[Event, int]]:
    planned = []
    for category in _categories():
        for said, asked, thing, photo in rng.sample(category.events, rng.randint(5, len(category.events))):
            event = Event(rng.choice(pair), category, said, asked, thing, photo, START)
            planned.append((event, rng.randrange(sessions)))
    return planned


def _session(talk: Talk, pair: list[str], events: list[Event], rng: random.Random) -> None:
    phrases = lists("phrases.txt")
    first, second = rng.sample(pair, 2)
    talk.say(first, rng.choice(phrases["greet"]).format(n=second))
    for event in events:
        other = pair[1 - pair.index(event.who)]
        if rng.random() < 0.25:
            talk.say(other, rng.choice(phrases["small"]))
        _tell(talk, event, other, phrases, rng)
    talk.say(second, rng.choice(phrases["bye"]).format(n=first))


def _mention(talk: Talk, line: str, who: str, other: str, rng: random.Random) -> None:
    said, before, asked = (part.strip() for part in line.split("|"))
    phrases = lists("phrases.txt")
    if before:
        talk.say(other, f"{rng.choice(phrases['small'])} {before}" if rng.random() < 0.4 else before)
    turn = talk.say(who, said if rng.random() < 0.7 else f"{other}, {said[0].lower()}{said[1:]}")
    if rng.random() < 0.7:
        topic = {"n": who, "noun": "that", "Noun": "That", "feel": rng.choice(phrases["feel"])}
        talk.say(other, rng.choice(phrases["cheer"]).format(**topic))
    wrong = rng.random() < 0.2
    talk.ask("mixed-up" if wrong else "fact", asked.format(x=other if wrong else who), [turn])


def _tell(talk: Talk, event: Event, other: str, phrases: dict[str, list[str]], rng: random.Random) -> None:
    def fill(kind: str, n: str, **more: str) -> str:
        noun = "it" if rng.random() < 0.35 else event.thing if " " in event.thing else f"{event.thing}"
        values = {
            "n": n,
            "noun": noun,
            "Noun": noun[0].upper() + noun[1:],
            "feel": rng.choice(phrases["feel"]),
        }
        return rng.choice(phrases[kind]).format(**values, **more)

    when, days = _split(rng.choice(phrases["when"]), "|")
    event.at = talk.now - timedelta(days=int(days))
    photo = f" [shares a photo: a photo of {event.photo}]" if rng.random() < 0.3 else ""
    opening = fill("announce", other, said=event.said, when=when, When=when[0].upper() + when[1:])
    event.told = talk.say(event.who, opening + photo)
    for head, (questions, answers, _) in rng.sample(sorted(lists("details.txt").items()), rng.randint(0, 3)):
        value = rng.choice(phrases[head])
        if head == "where":
            value += " " + rng.choice(phrases["town"])
        ask = rng.choice(_split(questions))
        talk.say(other, fill("react", event.who, ask=ask))
        answer = rng.choice(_split(answers)).format(v=value, V=value[0].upper() + value[1:])
        if rng.random() < 0.6:
            answer += rng.choice(ABOUT).format(thing=event.thing)
        if rng.random() < 0.5:
            answer = f"{fill('echo', other)} {answer}"
        event.details.append((head, talk.say(event.who, answer[0].upper() + answer[1:])))
        if rng.random() < 0.3:
            talk.say(other, fill("cheer", event.who))
            talk.say(event.who, fill("echo", other))
    talk.say(other, fill("cheer", event.who))
    if rng.random() < 0.5:
        talk.say(event.who, fill("echo", other))


def infinitive(said: str) -> str:
    """What was said in the past tense as a question puts it: "took my kids out" -> "take the kids out"."""
    verb, _, rest = said.partition(" ")
    irregular = dict(_split(line, "|") for line in lists("phrases.txt")["irregular"])
    verb = irregular.get(verb, verb.removesuffix("ed") if verb.endswith("ed") else verb)
    return re.sub(r"\bmy\b", "the", f"{verb} {rest}")


def _ask_people(talk: Talk, events: list[Event], pair: list[str], rng: random.Random) -> None:
    details = lists("details.txt")
    for event in events:
        event.asked = rng.choice((event.asked, *[infinitive(event.said)] * 2))
        day = f"{event.at:%B %Y}"
        plain = {
            "temporal": [
                f"When did {event.who} {event.asked}?",
                f"On what date did {event.who} {event.asked}?",
            ],
            "dated": [f"What did {event.who} do in {day} that had to do with {event.thing}?"],
            "single": [
                f"Did {event.who} ever {event.asked}?",
                f"What do we know about {event.who} and {event.thing}?",
            ],
        }
        for form in rng.sample(sorted(plain), 2):
            talk.ask(form, rng.choice(plain[form]), [event.told])
        for head, turn in event.details:
            wrong = rng.random() < 0.12
            who = pair[1 - pair.index(event.who)] if wrong else event.who
            query = rng.choice(_split(details[head][2])).format(x=who, asked=event.asked, thing=event.thing)
            talk.ask("mixed-up" if wrong else "detail", query, [turn])
    for person in pair:
        for category in _categories():
            own = [e.told for e in events if e.who == person and e.category.name == category.name]
            if len(own) > 1:
                for broad in category.broad:
                    talk.ask("multi", broad.format(x=person), own)
                talk.ask("inferred", rng.choice(category.inferring).format(x=person), own[:2])
    for category in _categories():
        shared = [e for e in events if e.category.name == category.name]
        if {e.who for e in shared} == set(pair):
            thing = category.broad[0].format(x=f"{pair[0]} and {pair[1]}")
            talk.ask("both", thing.replace("does", "do").replace("has", "have"), [e.told for e in shared])


def _exchange(
    talk: Talk,
    project: list[str],
    line: str,
    told: dict[str, list[tuple[list[str], str]]],
    later: list[tuple[str, list[str], str]],
    rng: random.Random,
) -> None:
    mark, parts = line[0], [part.strip() for part in line.lstrip("!? ").split("|")]
    name = project[0].split("|")[0].strip()
    extra = rng.choice(("", f" This is about {name}.", " Can you help me with that?", " What do you think?"))
    first = talk.say("user", parts[0] + extra, "user")
    short = parts[1] if mark == "?" else ""
    reply = talk.say("assistant", _reply(parts[0], short, rng), "assistant")
    if mark == "?":
        talk.ask("advice", parts[2], [reply])
    elif mark == "!":
        talk.ask("instruction", parts[1], [first])
    else:
        told[project[0]].append((parts, first))
        if len(parts) > 2:
            later.append((project[0], parts, first))
        else:
            talk.ask("fact", parts[1], [first])


def _chatter(talk: Talk, project: list[str], rng: random.Random) -> None:
    if rng.random() < 0.6:
        name = project[0].split("|")[0].strip()
        ask = rng.choice(CHATTER).format(name=name)
        talk.say("user", ask, "user")
        talk.say("assistant", _reply(ask, "", rng), "assistant")


def _reply(said: str, short: str, rng: random.Random) -> str:
    words = [
        w
        for w in re.findall(r"[A-Za-z]{4,}", said)
        if w.lower() not in ("that", "with", "what", "have", "this")
    ]
    topic = " ".join(words[:3]) or "this"
    steps = rng.sample(STEPS, rng.randint(3, 6))
    body = [
        f"### {i}. {' '.join(rng.sample(words, min(2, len(words)))).title()}\n{step}"
        for i, step in enumerate(steps, 1)
    ]
    lead = f"I would suggest {short}." if short else f"Let us look at {topic} step by step."
    middle = rng.randrange(len(body)) if short else 0
    return "\n\n".join(
        [rng.choice(OPENINGS), *body[:middle], lead, *body[middle:], "Let me know how it goes!"]
    )


def _ask_overall(talk: Talk, head: str, told: list[tuple[list[str], str]], rng: random.Random) -> None:
    name, overall = (part.strip() for part in head.split("|"))
    talk.ask("summary", overall, [turn for _, turn in told])
    for _ in range(3):
        (one, first), (two, second) = rng.sample(told, 2)
        query = f"Which came first: that {_as_you(one[0])}, or that {_as_you(two[0])}?"
        talk.ask("order", query, [first, second])
    talk.ask("several", f"How many different numbers did I mention about {name}?",
             [turn for parts, turn in told if re.search(r"\d", parts[0])])  # fmt: skip


def _as_you(text: str) -> str:
    return re.split(r"[,.!?]| and | but ", text)[0].lower()


def write(talk: Talk, folder: Path) -> None:
    """The two files of one conversation. Its questions are asked a day after its last turn."""
    now = (talk.now + timedelta(days=1)).isoformat()
    rows: Iterator[tuple[str, list[dict[str, object]]]] = iter(
        [("turns", [dict(t) for t in talk.turns]), ("questions", [q | {"now": now} for q in talk.questions])]
    )
    for name, values in rows:
        with gzip.open(folder / f"{talk.name}.{name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.writelines(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=12)
    parser.add_argument("--assistant", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    a = parser.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    for number in range(a.people):
        write(between_people(f"people.{number}", random.Random(f"{a.seed} people {number}")), a.out)
    for number in range(a.assistant):
        write(with_assistant(f"assistant.{number}", random.Random(f"{a.seed} assistant {number}")), a.out)


if __name__ == "__main__":
    main()
