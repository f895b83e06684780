"""Links memories that say nearly the same (`similar`). Both are kept: each was said, and when matters."""

from __future__ import annotations

import re

from app.sleep.names import mentions
from app.sleep.vectors import Near, grow_index, nearest_before
from app.sleep.work import Tally, Work
from storage.records import Filter, Kind, Link, LinkKind, Record

SAME = 0.95  # cosine
LEAST_WORDS = 4  # "Thanks!" is no duplicate of "Thanks!"
NEAREST = 4
SLICE = 1_000
MATERIAL = Filter(kinds=frozenset({Kind.EPISODIC, Kind.RESOURCE}))
_NUMBER = re.compile(r"\d+(?:[.:,/]\d+)*")


def link_duplicates(work: Work, tally: Tally) -> None:
    """The job: each new memory against all that were there before it."""
    grow_index(work.memory, work.now, work.over)
    while not work.over():
        records = [
            r for r in work.store.since(work.mark("duplicates"), MATERIAL, SLICE) if r.seq <= work.horizon
        ]
        if not records:
            return
        near = nearest_before(work.memory, [r for r in records if _is_long(r)], NEAREST, SAME, MATERIAL)
        links = [link for r in records for link in _twins(work, r, near.get(r.seq, []))]
        with work.write("duplicates"):
            work.store.link(links)
            work.set_mark("duplicates", records[-1].seq)
        tally.read += len(records)
        tally.merged += len(links)


def same_things(one: str, other: str) -> bool:
    """Whether two texts name the same people, places and numbers."""
    return _things(one) == _things(other)


def _is_long(record: Record) -> bool:
    return len(record.text.split()) >= LEAST_WORDS


def _twins(work: Work, record: Record, near: Near) -> list[Link]:
    others = work.store.by_seq([seq for seq, _ in near]) if near else {}
    return [
        Link(record.id, others[seq].id, LinkKind.SIMILAR, round(score, 4))
        for seq, score in near
        if seq in others
        and others[seq].speaker == record.speaker
        and same_things(record.text, others[seq].text)
    ]


def _things(text: str) -> tuple[frozenset[str], frozenset[str]]:
    names = frozenset(name.lower() for name, _ in mentions(text))
    return names, frozenset(_NUMBER.findall(text))
