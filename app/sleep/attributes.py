"""What kinds of facts there are: which slots hold one value at a time, and which rest on which. Knowledge, no logic."""

from __future__ import annotations

from collections.abc import Mapping

SINGLE = frozenset(
    """
    name|nickname|age|birthday|birthplace|nationality|native language|home city|home country|address|phone|email|employer
    |job title|boss|salary|work schedule|commute|office|partner|marital status|number of children|number of siblings
    |diet|gym|doctor|dentist|time zone|car|school|major|landlord|rent|bank|phone model|language class|height|weight|shoe size|blood type
    """.replace("\n", "")
    .replace("    ", "")
    .split("|")
)
"""Attributes of which a person has one at a time: a new value closes the old one."""

DEPENDS_ON: Mapping[str, tuple[str, ...]] = {
    "address": ("home city",),
    "bank": ("home country",),
    "boss": ("employer",),
    "commute": ("home city", "address", "employer", "office"),
    "dentist": ("home city",),
    "doctor": ("home city",),
    "gym": ("home city", "address"),
    "home country": ("home city",),
    "landlord": ("address", "home city"),
    "office": ("employer", "home city"),
    "rent": ("address", "home city"),
    "salary": ("employer", "job title"),
    "school": ("home city",),
    "time zone": ("home city", "home country"),
    "work schedule": ("employer", "job title"),
    "job title": ("employer",),
}
"""What becomes doubtful when something else changes: attribute -> the attributes that it rests on."""

RELATIONS = (
    "sister|brother|mother|mom|mum|father|dad|son|daughter|wife|husband|girlfriend|boyfriend|partner|fiancé|fiancée|fiance|"
    "aunt|uncle|cousin|niece|nephew|grandmother|grandfather|grandma|grandpa|best friend|friend|roommate|flatmate|neighbou?r|"
    "boss|manager|colleague|coworker|dog|cat|puppy|kitten|pet|parrot|horse|rabbit|therapist|doctor|dentist|landlord|landlady"
)
PETS = frozenset({"dog", "cat", "puppy", "kitten", "pet", "parrot", "horse", "rabbit"})
PARTNERS = frozenset("wife husband girlfriend boyfriend partner fiancé fiancée fiance".split())

IMPORTANCE: Mapping[str, float] = {
    "allergy": 9, "health": 8, "medication": 8, "instruction": 7, "name": 8, "birthday": 7, "home city": 7, "employer": 6,
    "job title": 6, "partner": 7, "marital status": 7, "child": 7, "diet": 7, "address": 6, "preference": 5, "plan": 5,
    "likes": 4, "dislikes": 4, "hobby": 4, "pet": 5, "event": 4,
}  # fmt: skip


def is_single_valued(attribute: str) -> bool:
    """Whether a subject has one value of this attribute at a time."""
    return attribute in SINGLE or attribute.startswith("favourite ")


def importance_of(attribute: str) -> float:
    """1..10."""
    return IMPORTANCE.get(attribute, 4.0)
