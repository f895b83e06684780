"""The portrait of the user in core memory: short lines, each resting on live facts that may speak for the user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from app.guard.trust import may_influence
from app.sleep.work import Tally, Work
from storage.records import Filter, Kind, Link, LinkKind, Record, Source, least_trust

MOST_WORDS = 420  # about 600 tokens
PER_SECTION = 8
BY = "portrait/1"
LIVE = Filter(kinds=frozenset({Kind.SEMANTIC}), include_superseded=False)

SECTIONS: Mapping[str, tuple[str, ...]] = {
    "How to answer": ("instruction", "answer", "style", "language", "format", "tone"),
    "Identity": ("name", "age", "birth", "job", "employer", "work", "profession", "nationality", "education", "school"),
    "Health": ("allerg", "health", "diet", "medic", "condition", "blood"),
    "Places": ("city", "home", "address", "country", "live", "timezone", "time zone"),
    "People": ("partner", "wife", "husband", "child", "son", "daughter", "sister", "brother", "mother", "father",
               "friend", "pet", "dog", "cat", "boss", "relation", "family", "sibling", "parent"),
    "Preferences": ("like", "love", "prefer", "favourite", "favorite", "dislike", "hate", "hobby", "interest", "taste"),
    "Plans": ("plan", "goal", "intend", "trip", "appointment", "deadline"),
}  # fmt: skip
"""Sections in order of weight, with the words in a fact's attribute that put it there."""


def paint_portrait(work: Work, tally: Tally) -> None:
    """The job: lines are written, reworded or closed only where the facts under them changed."""
    facts = [f for f in work.store.records(LIVE) if f.subject == "user" and "suspect" not in f.extra]
    allowed = [f for f in facts if may_influence(f)]
    tally.read += len(facts)
    lines = within(MOST_WORDS, sections(allowed))
    known = {
        r.attribute: r
        for r in work.store.records(Filter(kinds=frozenset({Kind.CORE}), include_superseded=False))
        if r.derived_by == BY
    }
    with work.write("portrait"):
        for section, chosen in lines.items():
            _write(work, section, chosen, known.pop(f"portrait: {section.lower()}", None), tally)
        for line in known.values():
            work.store.update(replace(line, valid_to=work.now))
            tally.superseded += 1
            tally.changes.append(f"- {line.id} {line.text}")


def sections(facts: Iterable[Record]) -> dict[str, list[Record]]:
    """Facts by section: weightiest first, the newest first among equals."""
    found: dict[str, list[Record]] = {name: [] for name in SECTIONS}
    for fact in sorted(facts, key=lambda f: (-f.importance, -f.use_count, -f.event_time.timestamp(), f.seq)):
        section = section_of(fact)
        if section is not None and len(found[section]) < PER_SECTION:
            found[section].append(fact)
    return {name: chosen for name, chosen in found.items() if chosen}


def section_of(fact: Record) -> str | None:
    """The section that a fact belongs to, None when it tells nothing lasting about the user."""
    attribute = (fact.attribute or "").lower()
    if attribute.startswith("former "):
        return None
    for section, words in SECTIONS.items():
        if any(word in attribute for word in words):
            return section
    return None


def within(words: int, lines: Mapping[str, Sequence[Record]]) -> dict[str, list[Record]]:
    """As many facts of each section as fit: one of each in turn, so that none is crowded out."""
    kept: dict[str, list[Record]] = {name: [] for name in lines}
    for rank in range(PER_SECTION):
        for name, facts in lines.items():
            if rank < len(facts):
                words -= len(facts[rank].text.split()) + 1
                if words < 0:
                    return {n: f for n, f in kept.items() if f}
                kept[name].append(facts[rank])
    return {n: f for n, f in kept.items() if f}


def _write(work: Work, section: str, facts: Sequence[Record], old: Record | None, tally: Tally) -> None:
    text = f"{section}: {' '.join(fact.text for fact in facts)}"
    if old is not None and old.text == text:
        return
    before: list[str] = []
    if old is None:
        [line] = work.store.insert([_line(work, section, text, facts)])
        tally.added += 1
    else:
        line = replace(old, text=text, event_time=max(f.event_time for f in facts))
        work.store.update(line)
        work.forget_vectors([line])
        links = work.store.links(line.id, LinkKind.DERIVED_FROM, back=False)
        before = [fact.text for fact in work.store.get_many([link.dst for link in links]).values()]
        for link in links:
            work.store.unlink(link)
    work.store.link(Link(line.id, fact.id, LinkKind.DERIVED_FROM) for fact in facts)
    now = [fact.text for fact in facts]
    lines = [f"+ {t}" for t in now if t not in before] + [f"- {t}" for t in before if t not in now]
    tally.changes.append(
        f"{'+' if old is None else '~'} {line.id} {section}: {' '.join(lines) or 'in another order'}"
    )


def _line(work: Work, section: str, text: str, facts: Sequence[Record]) -> Record:
    return Record(
        kind=Kind.CORE,
        text=text,
        source=Source.MODEL_INFERRED,
        trust=least_trust([f.trust for f in facts]),
        event_time=max(f.event_time for f in facts),
        recorded_at=work.now,
        subject="user",
        attribute=f"portrait: {section.lower()}",
        importance=8.0,
        protected="portrait",
        derived_by=BY,
    )
