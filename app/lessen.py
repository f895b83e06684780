"""What remains of a derived memory when some of what it rests on is forgotten: the same, without those words.

It reads the store and writes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from app.records import Filter, Kind, LinkKind, Record
from app.sleep.names import keywords
from storage.records import TRUST_ORDER, least_trust
from storage.store import Store

_WORD = re.compile(r"\w+")
WITNESSES = 20  # memories that are looked at for a word, the best matches
OWN_WORDS = frozenset({"quote", "value", "title"})  # details that follow from what the memory rests on


def without(store: Store, record: Record, going: Sequence[Record]) -> Record:
    """`record`, which rests on other memories too, as if those of `going` had never been."""
    gone = {r.id: r for r in going}
    if record.kind is Kind.GIST:
        return _gist_without(store, record, gone)
    if record.kind is Kind.CORE:
        text = record.text
        for fact in gone.values():
            text = text.replace(f" {fact.text}", "")
        return replace(record, text=text)
    links = [k for k in store.links(record.id, LinkKind.DERIVED_FROM, back=False) if k.dst not in gone]
    quotes = [store.get(link.dst).text[link.start : link.end] for link in links if link.start is not None]
    extra = {**record.extra, "quote": quotes[0]} if quotes and "quote" in record.extra else record.extra
    left = [witness.trust for witness in store.get_many([link.dst for link in links]).values()]
    best = max(left, key=TRUST_ORDER.index, default=record.trust)
    return replace(record, extra=extra, trust=least_trust([record.trust, best]))


def without_echoes(record: Record, passages: Collection[str]) -> Record:
    """`record` without a context or a detail that repeats one of the passages (lower case)."""
    extra = {k: v for k, v in record.extra.items() if k in OWN_WORDS or not _repeats(str(v), passages)}
    context = "" if _repeats(record.context, passages) else record.context
    return replace(record, context=context, extra=extra)


def titled(store: Store, going: Sequence[Record]) -> list[str]:
    """Ids of what may have its title from memories that go: their episodes by the first turns, sessions and topics."""
    wholes: dict[str, None] = {}
    ids = {r.id for r in going if r.kind is Kind.EPISODIC}
    for kind in (LinkKind.SAME_EPISODE, LinkKind.PART_OF, LinkKind.PART_OF):
        ids |= {link.dst for id in sorted(ids) for link in store.links(id, kind, back=False)}
        wholes |= dict.fromkeys(sorted(ids))
    return list(wholes)


def without_title(store: Store, record: Record, going: Sequence[Record]) -> Record:
    """`record` with a title that holds no word which only the erased `going` said."""
    said = " ".join(r.text.lower() for r in going)
    extra = dict(record.extra)
    for name in ("title", "episode"):
        words = str(extra.get(name, "")).split()
        kept = [w for w in words if w.lower() not in said or _is_said(store, w.lower())]
        extra |= {name: " ".join(kept)} if len(kept) < len(words) else {}
    return replace(record, extra=extra)


def _is_said(store: Store, word: str) -> bool:
    turns = Filter(kinds=frozenset({Kind.EPISODIC, Kind.RESOURCE}))
    found = store.search_text('"{}"'.format(word.replace('"', "")), WITNESSES, turns)
    return any(word in record.text.lower() for record in store.by_seq([seq for seq, _ in found]).values())


def _gist_without(store: Store, gist: Record, gone: dict[str, Record]) -> Record:
    """The gist without the lines that quote a turn that is gone, or hold a word that only such turns said."""
    links = store.links(gist.id, LinkKind.DERIVED_FROM, back=False)
    quotes = {gone[k.dst].text[k.start : k.end] for k in links if k.dst in gone}
    left = store.get_many([k.dst for k in links if k.dst not in gone]).values()
    alone = _words(gone.values()) - _words(left)
    head, *lines = gist.text.split("\n")
    kept = [
        x for x in lines if x.partition(": ")[2] not in quotes and alone.isdisjoint(_WORD.findall(x.lower()))
    ]
    said = [line.partition(": ")[2] or line for line in kept]
    extra = {**gist.extra, "title": " ".join(keywords(said, 4))} if "title" in gist.extra else gist.extra
    return replace(gist, text="\n".join([head, *kept]), extra=extra)


def _words(records: Iterable[Record]) -> set[str]:
    return {word for record in records for word in _WORD.findall(record.text.lower())}


def _repeats(text: str, passages: Collection[str]) -> bool:
    lowered = " ".join(text.lower().split())
    return any(passage in lowered for passage in passages)
