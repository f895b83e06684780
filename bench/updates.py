"""Life changes told in passing: is the new value first, the old one there for its time, and what rested on it in doubt?

    python -m bench.updates [--lives 10] [--seed 1] [--model ID]

Each life is a store of its own with about two dozen slots. Every slot is told once, changed once months later in other
words, and asked about afterwards; small talk, plans that came to nothing, what others do and what-ifs lie between.
Sentences and values are drawn from a seed. Recall, night and embedder are the real ones; with `--model` the night
reads with that chat model, too.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from app.config import Config, find_home, replaced
from app.encode import turn
from app.memory import Memory
from app.open import open_memory
from app.recall.recall import Query, Recall
from app.sleep.night import sleep
from storage.records import Filter, Kind, LinkKind, Record

BORN = datetime(2023, 1, 9, 18, tzinfo=UTC)
CHANGED = timedelta(days=240)
ASKED = timedelta(days=500)


@dataclass(frozen=True, slots=True)
class Slot:
    """Something that changes: how it is told at first, how a change is told, how it is asked, and its values."""

    name: str
    told: tuple[str, ...]
    changed: tuple[str, ...]
    asked: str
    values: tuple[str, ...]


CITIES = ("Lisbon", "Ghent", "Bergen", "Turin", "Leeds", "Graz", "Nantes", "Malmö", "Valencia", "Krakow")
FIRMS = ("Northwind", "Halberg", "Quantia", "Bluepeak", "Ostrava Steel", "Lumina", "Kestrel Labs", "Farrow")
NAMES = ("Priya", "Tomas", "Ingrid", "Omar", "Beatriz", "Kenji", "Saoirse", "Dmitri", "Leila", "Marek")
SLOTS = (
    Slot(
        "home city",
        (
            "I live in {v}, right by the station.",
            "I've been living in {v} for a while now.",
            "We live in {v}, it's nice here.",
        ),
        (
            "So, big news: we moved to {v} last week!",
            "I just moved to {v}, boxes everywhere.",
            "Honestly I can't believe I live in {v} now.",
            "I relocated to {v} at the weekend.",
        ),
        "Which city do I live in?",
        CITIES,
    ),
    Slot(
        "employer",
        ("I work at {v}, mostly on boring stuff.", "I work for {v} these days.", "I'm working at {v}."),
        (
            "I started at {v} on Monday.",
            "I joined {v} this week, so many new faces.",
            "I switched jobs, I work for {v} now.",
            "I got a new job at {v}!",
        ),
        "Where do I work?",
        FIRMS,
    ),
    Slot(
        "job title",
        ("I'm a {v}, so I'm on my feet all day.", "I work as a {v}.", "As for my job, I'm a {v}."),
        (
            "I'm a {v} now, they finally promoted me.",
            "I became a {v} this spring.",
            "I now work as a {v}, quite a change.",
        ),
        "What is my job?",
        ("nurse", "teacher", "welder", "data analyst", "baker", "translator", "project manager", "librarian"),
    ),
    Slot(
        "gym",
        ("My gym is {v}, I go there twice a week.", "I go to {v} gym before work."),
        ("I switched gyms, I go to {v} now.", "My new gym is {v}.", "I changed my gym to {v}, it's cheaper."),
        "Which gym do I go to?",
        ("IronHouse", "FitLane", "PulseBox", "GreenGym", "Atlas", "Momentum"),
    ),
    Slot(
        "commute",
        ("I commute by {v}, forty minutes each way.", "My commute is by {v}."),
        (
            "These days I commute by {v}.",
            "I go to work by {v} now.",
            "My commute is by {v} now, much better.",
        ),
        "How do I get to work?",
        ("train", "bike", "tram", "ferry", "bus", "car"),
    ),
    Slot(
        "car",
        ("I drive a {v}, it's older than my niece.", "My car is a {v}."),
        (
            "I sold the old one and I drive a {v} now.",
            "I bought a {v} last week, so long old car!",
            "My new car is a {v}.",
        ),
        "What car do I drive?",
        ("Volvo", "Fiat Panda", "Skoda", "Toyota Yaris", "Tesla", "Mazda"),
    ),
    Slot(
        "phone model",
        ("My phone is a {v} and it's dying.", "I have a {v} as my phone."),
        ("I got a new phone, it's a {v}.", "My new phone is a {v}.", "I switched to a {v} as my phone."),
        "What phone do I have?",
        ("Pixel 6", "iPhone 12", "Galaxy S21", "Fairphone 4", "Nokia X20"),
    ),
    Slot(
        "diet",
        ("I'm {v}, so no worries about the menu.", "I'm {v}, have been for years."),
        ("I'm {v} now, doctor's idea.", "I went {v} last month.", "I've become {v}, believe it or not."),
        "What is my diet?",
        ("vegetarian", "vegan", "pescatarian", "gluten-free"),
    ),
    Slot(
        "doctor",
        ("My doctor is Dr. {v}, very patient.", "My GP is Dr. {v}."),
        (
            "My new doctor is Dr. {v}.",
            "I changed doctors, my doctor is Dr. {v} now.",
            "My doctor retired, now my doctor is Dr. {v}.",
        ),
        "Who is my doctor?",
        ("Almeida", "Brandt", "Castellan", "Duarte", "Eklund", "Ferrer"),
    ),
    Slot(
        "boss",
        ("My boss is {v}, we get along.", "My boss {v} is strict about dates."),
        ("My new boss is {v}.", "My boss is {v} now, the old one left.", "I've got a new boss, {v}."),
        "Who is my boss?",
        NAMES,
    ),
    Slot(
        "partner",
        ("My girlfriend is called {v}.", "My girlfriend {v} makes the best soup."),
        (
            "{v} is my girlfriend now, we met at the choir.",
            "My new girlfriend is called {v}.",
            "I have a new girlfriend, {v}.",
        ),
        "What is the name of my partner?",
        NAMES,
    ),
    Slot(
        "favourite food",
        ("My favourite food is {v}.", "My favorite food is {v}, always was."),
        (
            "My favourite food is {v} now.",
            "These days my favourite food is {v}.",
            "My new favourite food is {v}.",
        ),
        "What is my favourite food?",
        ("ramen", "lasagne", "pierogi", "tacos", "moussaka", "dal"),
    ),
    Slot(
        "favourite colour",
        ("My favourite colour is {v}.", "My favourite color is {v}, if you must know."),
        (
            "My favourite colour is {v} now.",
            "I think my favourite colour is {v} these days.",
            "Funny, by now my favourite colour is {v}.",
        ),
        "What is my favourite colour?",
        ("teal", "ochre", "crimson", "indigo", "olive"),
    ),
    Slot(
        "work schedule",
        ("I work {v}.", "My shifts are {v}, I work {v}."),
        ("They changed my hours, I work {v} now.", "From this month I work {v}.", "I now work {v}."),
        "When do I work?",
        ("nights", "mornings", "part-time", "weekends", "four days a week"),
    ),
    Slot(
        "sister's city",
        ("My sister lives in {v}.", "My sister lives in {v} with two cats."),
        (
            "My sister moved to {v}.",
            "My sister just moved to {v}, I helped with the sofa.",
            "My sister lives in {v} now.",
        ),
        "Where does my sister live?",
        CITIES,
    ),
    Slot(
        "brother's job",
        ("My brother works as a {v}.", "My brother is a {v}."),
        ("My brother is a {v} now.", "My brother became a {v}.", "My brother now works as a {v}."),
        "What does my brother do for a living?",
        ("plumber", "pilot", "chef", "lawyer", "carpenter", "florist"),
    ),
    Slot(
        "age",
        ("I'm {v} years old.", "I'm {v} years old and my knees know it."),
        ("I turned {v} yesterday!", "I'm {v} years old now.", "As of today I'm {v} years old."),
        "How old am I?",
        ("34", "41", "52", "29", "63"),
    ),
    Slot(
        "dentist",
        ("My dentist is Dr. {v}.", "My dentist is Dr. {v}, near the park."),
        ("My new dentist is Dr. {v}.", "I changed dentists, my dentist is Dr. {v} now."),
        "Who is my dentist?",
        ("Grieg", "Haddad", "Iversen", "Janssen", "Kovacs"),
    ),
    Slot(
        "major",
        ("I study {v} in the evenings.", "I'm studying {v}.", "My major is {v}."),
        ("I switched my major to {v}.", "I study {v} now.", "I'm studying {v} now, statistics broke me."),
        "What do I study?",
        ("biology", "history", "economics", "philosophy", "geology"),
    ),
    Slot(
        "landlord",
        ("My landlord is {v}, he fixes nothing.", "My landlord is called {v}."),
        ("My new landlord is {v}.", "The house was sold, my landlord is {v} now."),
        "Who is my landlord?",
        ("Mr. Petrov", "Mrs. Okafor", "Mr. Lindqvist", "Mrs. Bianchi"),
    ),
    Slot(
        "marital status",
        ("I'm {v}, in case you wonder.", "Well, I'm {v}."),
        ("We got {v} last month!", "I'm {v} now.", "I got {v}, and yes, there is a story."),
        "Am I married?",
        ("married", "engaged", "divorced", "separated"),
    ),
    Slot(
        "bank",
        ("My bank is {v}.", "My bank is {v}, since school."),
        ("My new bank is {v}.", "I switched my bank to {v}.", "I changed banks, my bank is {v} now."),
        "Which bank do I use?",
        ("Meridian", "Alder Bank", "Nordlys", "Cobalt"),
    ),
)
BETWEEN = (
    "What a day. The printer ate my report.",
    "Can you suggest a name for a boat?",
    "Thanks, that was helpful!",
    "My neighbour moved to Vienna, lucky him.",
    "Imagine if I lived in Monaco, ha.",
    "I thought about working at Google, but no.",
    "A colleague says her doctor is Dr. Wolf and swears by him.",
    "The soup at the corner place was too salty again.",
    "If I were a pilot I'd fly to Peru tomorrow.",
    "Did you know that octopuses have three hearts?",
    "We watched a film about a whale.",
    "My aunt's favourite food is haggis, can you believe it?",
    "I might get a Porsche one day, just kidding.",
    "It rained all week and the cellar smells.",
    "How do I get wine out of a carpet?",
)
NEVER_TOLD = (
    "What is my blood type?",
    "What is the name of my dog?",
    "Which university did I graduate from?",
    "What is my shoe size?",
    "When is my wedding anniversary?",
    "Which instrument do I play?",
    "What is my passport number?",
    "Who is my lawyer?",
    "How many children do I have?",
    "What is my grandmother called?",
)
RESTS_ON = {
    "gym": ("home city",),
    "commute": ("home city", "employer"),
    "doctor": ("home city",),
    "dentist": ("home city",),
    "landlord": ("home city",),
    "boss": ("employer",),
    "work schedule": ("employer", "job title"),
    "job title": ("employer",),
    "bank": (),
}
"""What a person would take for doubtful after a change, as far as the slots above go."""


@dataclass(frozen=True, slots=True)
class Told:
    """One slot of a life: its old and its new value, None where it never changed."""

    slot: Slot
    old: str
    new: str | None


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lives", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--model", default="")
    parser.add_argument("--embed", default="minilm-int8")
    parser.add_argument("--misses", action="store_true", help="print what went wrong")
    wanted = parser.parse_args()
    config = replaced(replaced(Config(), "models.chat", wanted.model), "models.embed", wanted.embed)
    score: Counter[str] = Counter()
    started = time.perf_counter()
    for life in range(wanted.lives):
        with opened(config) as memory:
            score += one_life(memory, Random(wanted.seed * 1000 + life), misses=wanted.misses)
    print(f"{score['changes']} changes in {wanted.lives} lives, {time.perf_counter() - started:.0f} s\n")
    print("| figure | measured | bound |\n|---|---|---|")
    for name, of, bound in (
        ("current first", "changes", ">= .95"),
        ("old by --as-of", "changes", ">= .95"),
        ("old as current", "changes", "<= .02"),
        ("facts superseded", "changes", ""),
        ("dependants flagged", "dependants", ">= .80"),
        ("false flags", "bystanders", "<= .05"),
        ("absence: abstains", "never told", ">= .90"),
        ("presence: abstains", "changes", "low"),
    ):
        print(f"| {name} | {score[name] / max(1, score[of]):.3f} | {bound} |")


@contextmanager
def opened(config: Config) -> Iterator[Memory]:
    """A memory in a folder that goes away."""
    with tempfile.TemporaryDirectory() as folder:
        memory = open_memory(replace(find_home(Path(folder)), path=Path(folder)), config)
        yield memory
        memory.close()


def one_life(memory: Memory, rng: Random, *, misses: bool) -> Counter[str]:
    """Tell, sleep, change, sleep, ask."""
    slots = rng.sample(SLOTS, len(SLOTS))
    rests = [slot.name for slot in slots if RESTS_ON.get(slot.name)]
    steady = {*rests[:2], *[slot.name for slot in slots if slot.name not in RESTS_ON][:2]}
    told = []
    for slot in slots:
        old, new = rng.sample(slot.values, 2)
        told.append(Told(slot, old, None if slot.name in steady else new))
    chat = memory.chat if memory.config.models.chat else None
    for moment, change in ((BORN, False), (BORN + CHANGED, True)):
        last = _talk(memory, rng, told, moment, change=change)
        sleep(memory, chat, last + timedelta(hours=8), budget_seconds=1e9)
    return _asked(memory, told, misses=misses) + _doubted(memory, told) + _absent(memory)


def _talk(memory: Memory, rng: Random, told: Sequence[Told], moment: datetime, *, change: bool) -> datetime:
    """Tell the slots in sessions of five, with other talk between; returns when the last word was said."""
    for number, one in enumerate(t for t in told if not change or t.new is not None):
        session = f"{moment:%Y-%m-%d}-{number // 5}"
        if number % 5 == 0:
            moment += timedelta(days=1)
        value = one.new if change else one.old
        words = rng.choice(one.slot.changed if change else one.slot.told).format(v=value)
        for text in (rng.choice(BETWEEN), words, rng.choice(BETWEEN)):
            moment += timedelta(minutes=2)
            memory.add([turn(text, now=moment, speaker="me", session=session)], "say", moment)
    return moment


def _asked(memory: Memory, told: Sequence[Told], *, misses: bool) -> Counter[str]:
    score: Counter[str] = Counter()
    now, then = BORN + ASKED, BORN + timedelta(days=40)
    recall = Recall(memory.store, memory.embedder)
    for one in told:
        if one.new is None:
            continue
        found = recall.recall(Query(one.slot.asked, now))
        hits = [hit.record for hit in found.hits]
        back = [
            hit.record for hit in recall.recall(Query(one.slot.asked, now, filter=Filter(as_of=then))).hits
        ]
        first, before = _first(hits, one), _first(back, one)
        good = first is not None and _says(first, one.new)
        score["changes"] += 1
        score["current first"] += good
        score["old by --as-of"] += before is not None and _says(before, one.old)
        score["old as current"] += first is not None and not good and not _is_history(memory, first)
        score["presence: abstains"] += found.abstain
        closed = [
            f for f in memory.store.records(Filter(kinds=frozenset({Kind.SEMANTIC}))) if _says(f, one.old)
        ]
        score["facts superseded"] += any(f.superseded_by is not None for f in closed)
        if misses and not (good and closed):
            shown = first.text if first else None
            print(
                f"{one.slot.name}: {one.old} -> {one.new}; first: {shown}; facts: {[f.text for f in closed]}"
            )
    return score


def _doubted(memory: Memory, told: Sequence[Told]) -> Counter[str]:
    """Facts that never changed: those that rest on one that did should be in doubt, the others not."""
    score: Counter[str] = Counter()
    changed = {one.slot.name for one in told if one.new is not None}
    for one in told:
        if one.new is not None:
            continue
        facts = [
            f for f in memory.store.records(Filter(kinds=frozenset({Kind.SEMANTIC}))) if _says(f, one.old)
        ]
        doubt = any("suspect" in f.extra for f in facts)
        rests = changed & set(RESTS_ON.get(one.slot.name, ()))
        score["dependants" if rests else "bystanders"] += 1
        score["dependants flagged" if rests else "false flags"] += doubt
    return score


def _absent(memory: Memory) -> Counter[str]:
    recall = Recall(memory.store, memory.embedder)
    found = [recall.recall(Query(question, BORN + ASKED)) for question in NEVER_TOLD]
    return Counter({"never told": len(found), "absence: abstains": sum(f.abstain for f in found)})


def _first(records: Sequence[Record], one: Told) -> Record | None:
    """The first memory that names the old or the new value in the slot's own words."""
    return next((r for r in records if _says(r, one.old) or _says(r, str(one.new))), None)


def _says(record: Record, value: str) -> bool:
    return value.lower() in record.text.lower() and record.kind is not Kind.GIST


def _is_history(memory: Memory, record: Record) -> bool:
    """Whether the record is marked as past: it closed, or every fact drawn from it did."""
    if record.kind is not Kind.EPISODIC:
        return record.superseded_by is not None
    ids = [link.src for link in memory.store.links(record.id, LinkKind.DERIVED_FROM, out=False)]
    facts = [f for f in memory.store.get_many(ids).values() if f.kind is Kind.SEMANTIC]
    return bool(facts) and all(f.superseded_by is not None for f in facts)


if __name__ == "__main__":
    main()
