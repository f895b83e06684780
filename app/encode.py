"""From words to typed records, without a model: who said it, when, how much it matters, what it means in time.

Pure: it reads no store and no clock. The guard has the first word on what was said.
"""

from __future__ import annotations

import re
from datetime import datetime

from storage.records import Kind, Record, Source

LONE_SURROGATE = re.compile("[\ud800-\udfff]")
WEIGHTY = re.compile(
    r"\b(?:allerg\w+|diagnos\w+|medic\w+|doctor|hospital|surgery|pregnan\w+|died|death|funeral|born|birthday|"
    r"married|wedding|divorc\w+|engaged|moved?|moving|fired|hired|promot\w+|passport|insurance|contract|tax\w*|"
    r"emergency|promise\w*|deadline|appointment|remember|important|never|always)\b",
    re.IGNORECASE,
)
SMALL_TALK = re.compile(
    r"^\W*(?:hi|hey|hello|thanks?|thank you|ok(?:ay)?|yes|no|sure|cool|great|nice|wow|lol|haha\w*|bye"
    r"|good (?:morning|night)|see you|you're welcome)\b[\w\s,'!.]{0,24}$",
    re.IGNORECASE,
)


def turn(
    text: str,
    *,
    now: datetime,
    said_at: datetime | None = None,
    speaker: str | None = None,
    role: str = "user",
    source: Source = Source.USER_SAID,
    session: str | None = None,
    external_id: str | None = None,
) -> Record:
    """An episode: one turn of a conversation or one event, verbatim. `said_at` defaults to `now` (both aware)."""
    moment = said_at or now
    return Record(
        kind=Kind.EPISODIC,
        text=whole(text),
        source=source,
        trust=source,
        event_time=moment,
        recorded_at=now,
        speaker=speaker and whole(speaker),
        role=role,
        session=session and whole(session),
        external_id=external_id and whole(external_id),
        tz=_offset(moment),
        importance=importance_of(text, role),
    )


def whole(text: str) -> str:
    """`text` with U+FFFD for each half of a character pair, which no file and no database takes."""
    return LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)


def importance_of(text: str, role: str = "user") -> float:
    """1..10, from the words alone: small talk 1, an assistant's turn at most 3, health, money and life changes more."""
    if is_small_talk(text):
        return 1.0
    marks = len({m.lower() for m in WEIGHTY.findall(text)})
    score = (
        3.0 + 1.5 * min(marks, 3) + (0.5 if re.search(r"\d", text) else 0.0) + (0.5 if "!" in text else 0.0)
    )
    return min(score, 3.0 if role == "assistant" else 9.0)


def is_small_talk(text: str) -> bool:
    """Whether these words are worth no memory: a greeting, thanks, a bare yes."""
    return SMALL_TALK.match(text) is not None


def _offset(moment: datetime) -> str:
    text = moment.strftime("%z")
    return f"{text[:3]}:{text[3:5]}" if text else "+00:00"
