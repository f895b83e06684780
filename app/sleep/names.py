"""Names and telling words in a text, by form alone: capitalised words that are no ordinary sentence start, relations
("my sister Ana"), and the words that stand out. No model, no store.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path

from app.sleep.attributes import RELATIONS
from storage.records import Entity

_NAME = r"[A-ZÀ-ÖØ-Þ][\w'’-]*[a-zß-öø-ÿ]"
_NAMES = re.compile(rf"(?<![\w@#./])({_NAME}(?: (?:(?:de|da|van|von|of|the|del|di) )?{_NAME}){{0,3}})")
_SENTENCE_START = re.compile(r"(?:^|[.!?…:;\n\"“(]\s*|[-*•]\s+)$")
_RELATION = re.compile(
    rf"\b[Mm]y ((?:(?:little|big|older|younger|step|late) ?-?)?(?:{RELATIONS}))"
    rf"(?:,| is called| named|'s name is)? ({_NAME})"
)
_PLACE = re.compile(rf"\b(?:in|to|from|near|at|around|visit(?:ed|ing)?) ({_NAME}(?: {_NAME})?)")
_WORD = re.compile(r"[^\W\d_][\w'-]{3,}")


def mentions(text: str) -> Iterator[tuple[str, str]]:
    """(name, kind) of each person, place or thing that `text` names; kind "thing" where the words do not tell."""
    ordinary = _words("ordinary")
    places = {match[1] for match in _PLACE.finditer(text)}
    people = {match[2] for match in _RELATION.finditer(text)}
    for match in _NAMES.finditer(text):
        name = match[1].removesuffix("'s").removesuffix("’s")
        words = name.split()
        starts = _SENTENCE_START.search(text[: match.start()]) is not None
        while words and words[0].lower() in ordinary:
            words, starts = words[1:], False
        if (
            not words
            or words[-1].lower() in ordinary
            or (starts and len(words) == 1 and words[0] not in people)
        ):
            continue
        name = " ".join(words)
        yield name, "person" if name in people else "place" if name in places else "thing"


def relations(text: str) -> Iterator[tuple[str, str]]:
    """(relation, name) for each "my sister Ana": then "my sister" is another name of Ana."""
    for match in _RELATION.finditer(text):
        yield f"my {match[1].lower()}", match[2]


class Names:
    """Entities by every name that they go by, kept in step with the store by whoever adds to both."""

    def __init__(self, entities: Iterable[Entity]) -> None:
        self._by_alias = {alias: entity for entity in entities for alias in entity.aliases}
        self._relations = {a for a in self._by_alias if a.startswith("my ")}

    def find(self, alias: str) -> Entity | None:
        """The entity that goes by this name."""
        return self._by_alias.get(alias.lower())

    def put(self, entity: Entity) -> None:
        """Know an entity, or what it is called now."""
        for alias in entity.aliases:
            self._by_alias[alias] = entity
        self._relations |= {a for a in entity.aliases if a.startswith("my ")}

    def by_relation(self, text: str) -> Iterator[Entity]:
        """Entities that `text` means without naming them ("my sister")."""
        words = text.lower()
        if "my " in words:
            yield from (self._by_alias[a] for a in sorted(self._relations) if re.search(rf"\b{a}\b", words))


def keywords(texts: Sequence[str], most: int = 6) -> list[str]:
    """The words that recur or stand out in `texts`: longer ones and names first among equals."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update({word.lower() for word in _WORD.findall(text)} - _words("common") - _words("ordinary"))
    ranked = sorted(counts.items(), key=lambda item: (-item[1], -len(item[0]), item[0]))
    return [word for word, _ in ranked[:most]]


@cache  # a list of words that ships with the program
def _words(name: str) -> frozenset[str]:
    return frozenset(Path(__file__).with_name(f"{name}.txt").read_text(encoding="utf-8").split())
