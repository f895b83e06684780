"""What a message is about and one value of that kind in it: enough to tell a change, whatever its sentences look like.

People say that something changed in endless words ("Bye bye old banger, hello Skoda"). A message of its user that
holds words of one slot's topic, a sign of change and exactly one value that can fill the slot, is read as that. Where
anything speaks against it (another person, a plan, a question, a holiday) it is left alone. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.sleep.attributes import RELATIONS
from app.sleep.forms import DIET, HOURS, JOB, NAME
from app.sleep.values import CAR, LANGUAGE, PHONE

LONGEST = 280  # characters; in a longer message topic and value need not belong together
_CHANGED = re.compile(
    r"\b(?:now|new|finally|official(?:ly)?|instead|switch\w*|swap\w*|changed?|any ?more|no longer|from here on|for good|ended|replaced|"
    r"gone|went|done|over|old|left|joined|started|start|registered|picked up|treated myself|treated ourselves|first|taken over|took over|"
    r"stepped in|came along|promot\w+|hello|since|these days|traded|signed|gave up|retired|quit|put me)\b",
    re.IGNORECASE,
)
_AGAINST = re.compile(
    rf"\b(?:he|she|they|his|her|their|him|holiday|vacation|trip|visit\w*|weekend|airbnb|hotel|booked|rent(?:ed|al|ing)?|hire car|borrow\w*|"
    rf"wish|hope|maybe|might|would|could|should|if|want(?:s|ed)?|thinking|considering|plan\w*|almost|nearly|used to|never|not (?!there|going back)|(?:have|has|had|did|do|does|is|are|was)n't|"
    rf"my (?:\w+ )?(?!boss|manager|doctor|partner|girlfriend|boyfriend|wife|husband)(?:{RELATIONS})(?:'s)?|someone|somebody|everyone|colleague's|neighbou?r)\b",
    re.IGNORECASE,
)
_MINE = re.compile(
    r"\b(?:I|my|me|mine|we|our|us|myself)\b|^(?:\W*\w+ed|got|new|first|picked|bye|hello|sold)\b",
    re.IGNORECASE,
)
_PERSON = r"(?:(?<=[a-z,:;] )(?P<v>[A-Z][a-z]+)|(?:^|(?<=[.!?] ))(?P<w>[A-Z][a-z]+)(?= (?:is|has|stepped|took|came)\b))(?!['’]s)\b"


@dataclass(frozen=True, slots=True)
class Hint:
    """A slot, the words of its topic, what can fill it, and the sentence that it makes ({s} subject, {v} value)."""

    attribute: str
    topic: re.Pattern[str]
    value: re.Pattern[str]
    template: str


def _hint(attribute: str, topic: str, value: str, template: str) -> Hint:
    return Hint(attribute, re.compile(rf"\b(?:{topic})\b", re.IGNORECASE), re.compile(value), template)


HINTS = (
    _hint("gym", r"gyms?|leg day|treadmills?|weights|workouts?", rf"\b(?:at|with|to|joined|it's|gym,|is) (?:the )?{NAME}", "{s}'s gym is {v}."),
    _hint("phone model", r"phone|mobile|handset", rf"\b(?P<v>{PHONE})", "{s}'s phone is a {v}."),
    _hint("car", r"car|garage|driving|carport|driveway|banger|fuel|dealer", rf"\b(?P<v>{CAR})", "{s} drives a {v}."),
    _hint("doctor", r"doctor|GP|practice|surgery|file", r"\b(?P<v>Dr\.? [A-Z]\w+)", "{s}'s doctor is {v}."),
    _hint("boss", r"boss|manager|my team|report to|answer to|in charge", _PERSON, "{s}'s boss is {v}."),
    _hint("partner", r"relationship|dating|girlfriend|boyfriend|my ex|breakup|the one I'm with", _PERSON, "{s}'s partner is {v}."),
    _hint("language class", r"lessons?|course|class(?:es)?|learning", rf"\b(?P<v>{LANGUAGE})\b", "{s} is learning {v}."),
    _hint("diet", r"eat|eating|diet|food|recipes?|meals?|dinners?", rf"\b(?P<v>{DIET})\b", "{s} eats {v}."),
    _hint("work schedule", r"shifts?|hours|rota|schedule|working pattern|at work", rf"\b(?P<v>{HOURS})\b", "{s} works {v}."),
    _hint("job title", r"job|career|role|promotion|promoted|profession|business card|line of work", rf"\b(?:an?|says|as) (?P<v>{JOB})\b", "{s} works as {v}."),
    _hint("employer", r"job|firm|company|badge|employer|payroll|notice|(?:first|second) (?:day|week|month)", rf"\b(?:at|with|for|joined) {NAME}", "{s} works at {v}."),
    _hint("home city", r"move|moved|flat|apartment|house|home|boxes", rf"\b(?:in|to) {NAME}|(?P<w>[A-Z]\w+) is (?:officially |now )?home\b", "{s} lives in {v}."),
)  # fmt: skip
"""The first that fits has the message; what names its topic more surely stands before."""


def hinted(text: str) -> Iterator[tuple[Hint, re.Match[str], str]]:
    """The one slot that a message tells of by its topic: the hint, where its value stands, and the value."""
    if (
        len(text) > LONGEST
        or "?" in text
        or not _CHANGED.search(text)
        or not _MINE.search(text)
        or _AGAINST.search(text)
    ):
        return
    for hint in HINTS:
        if hint.topic.search(text):
            values = {m["v"] or m.groupdict().get("w") or "": m for m in hint.value.finditer(text)}
            if len(values) == 1:
                [(value, m)] = values.items()
                yield hint, m, value
                return
