"""How a change is told: any verb of leaving, any slot that has a name, and what came for it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from app.sleep.rules import extract, is_single_valued

NOW = datetime(2024, 5, 6, 18, tzinfo=UTC)


def slots(text: str) -> dict[str, str]:
    """What a sentence of the user tells of slots that hold one value."""
    found = extract(text, "user", NOW)
    return {
        c.attribute: c.value
        for c in found
        if c.attribute and c.value and c.subject == "user" and is_single_valued(c.attribute)
    }


@pytest.mark.parametrize(
    ("text", "slot", "value"),
    [
        ("We got rid of the van and bought a Skoda Octavia.", "car", "Skoda Octavia"),
        ("My bank annoyed me, so I've switched my account over to Moonvale.", "bank", "Moonvale"),
        ("I said goodbye to my gym and joined Steelworks.", "gym", "Steelworks"),
        ("Our old car is gone, it's a Renault Zoe now.", "car", "Renault Zoe"),
        ("My phone fell in the lake, so I use a Nokia G22 now.", "phone model", "Nokia G22"),
        ("The old boss retired, Marta is in charge.", "boss", "Marta"),
        ("Edwin has taken over as my manager.", "boss", "Edwin"),
        ("They gave me Rosalind as my new supervisor.", "boss", "Rosalind"),
        ("I found a different dentist, Dr. Quist.", "dentist", "Dr. Quist"),
        ("My teeth are in the hands of Dr. Abel now.", "dentist", "Dr. Abel"),
        ("We put down roots in Ljubljana.", "home city", "Ljubljana"),
        ("Trondheim is home now.", "home city", "Trondheim"),
        ("We exchanged our flat for a cottage in Évora.", "home city", "Évora"),
        ("Kiteworks poached me in March.", "employer", "Kiteworks"),
        ("I don't work there any more, it's Parallax now.", "employer", "Parallax"),
        ("We've been banking with Oakmont for years.", "bank", "Oakmont"),
        ("My better half is Rosa.", "partner", "Rosa"),
        ("I got together with Henrik.", "partner", "Henrik"),
        ("Risotto has dethroned everything as my favourite dish.", "favourite dish", "Risotto"),
        ("When it comes to music, fado is my favourite.", "favourite music", "fado"),
        ("I've been put on late shifts.", "work schedule", "late shifts"),
        ("I parted with my landlord and got Mrs. Tanaka.", "landlord", "Mrs. Tanaka"),
    ],
)
def test_what_took_the_place_of_what(text: str, slot: str, value: str) -> None:
    assert slots(text).get(slot) == value


@pytest.mark.parametrize(
    "text",
    [
        "If I swapped my car for a Kia I'd save a fortune.",
        "I almost swapped my car for a Kia.",
        "I have not swapped my car for a Kia.",
        "My brother swapped his car for a Kia.",
        "Should I swap my bank for Moonvale?",
        "Anna said I traded my gym for Steelworks.",
        "Imagine Bruno took over as my boss.",
        "I moved my account yesterday.",
        "I left my phone at Harbour Street.",
        "I took my car to Bergen.",
        "We drove our car to Porto with Maria.",
    ],
)
def test_what_only_sounds_like_a_change(text: str) -> None:
    assert slots(text) == {}


def test_one_value_fills_one_slot() -> None:
    """ "Moved" tells of a home only where nothing else was moved, and a doctor for teeth is a dentist."""
    assert slots("I've moved my account to Westhaven.") == {"bank": "Westhaven"}
    assert slots("I gave up on my dentist and see Dr. Lorenz instead.") == {"dentist": "Dr. Lorenz"}
