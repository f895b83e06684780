"""Plain statements that fill no slot but are worth keeping: habits, ways of living, ends, achievements, asks.

Tables of patterns, no logic. Each names its words `v`, which begin with "I", "we" or "my" and make a sentence alone.
"""

from __future__ import annotations

import re

_NOT_ALONE = r"(?!(?:it|that|this|them|you|so|one|those|these|for granted|care|part|it'?s|well|hard|out)\b)"
"""Objects that mean nothing without the sentence before."""

_OFTEN = r"(?:(?:now|still|also|mostly|usually|often|always|only|never|mainly|sometimes) )*"
HABITS = (
    "drink|eat|bike|cycle|swim|run|sing|cook|paint|draw|knit|kayak|climb|hike|walk|write|teach|coach|volunteer|pay|earn|use|wear|"
    "bake|dance|ski|surf|sail|ride|drive|study|take|grow|collect|train|work|own|smoke|garden|practise|practice|rent|share|commute"
)
DEPARTURES = "fly|leave|start|arrive|move|travel|have|land|return|finish|retire|graduate"
_MOOD = (
    "crying|kidding|joking|coming|looking|trying|thinking|dying|going|doing|feeling|being|having|saying|asking|guessing|"
    "hoping|wondering|talking|telling|laughing|starting|getting|sitting|losing|freezing|waiting|begging|calling|not"
)
_REST = r"[^.!?;]"

TOLD: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (attribute, re.compile(rf"(?<![\w'])(?P<v>{pattern})", re.IGNORECASE))
    for attribute, pattern in (
        ("habit", rf"I {_OFTEN}(?:{HABITS})\b (?:myself, )?{_NOT_ALONE}{_REST}{{3,110}}"),
        ("avoids", rf"I (?:don't|do not) (?:{HABITS})\b(?! it| that| this| them| so| well){_REST}{{0,60}}"),
        ("avoids", rf"I(?:'ve| have) never (?:been|\w+ed|\w+en|\w+wn|\w+um)\b (?!that|it|so|this|seen|heard|thought|met)"
                   rf"{_REST}{{3,60}}"),
        ("status", rf"I(?:'m| am) (?:(?:now|currently|still) )*off (?:sugar|alcohol|meat|caffeine|coffee|dairy|gluten|work)\b"
                   rf"{_REST}{{0,60}}"),
        ("status", rf"I(?:'m| am) (?:(?:now|currently|still|also) )*(?!(?:{_MOOD})\b)\w{{3,}}ing\b{_REST}{{0,60}}"
                   rf"\b(?:now|these days|every \w+|since \w+|this (?:year|term|season)|at the moment|on \w+days)\b{_REST}{{0,50}}"),
        ("status", rf"I(?:'m| am) (?:(?:now|currently|still|also) )*(?:saving|training|fasting|freelancing|retraining) (?!you\b){_REST}{{4,80}}"),
        ("past", rf"I used to (?!be (?:so|like|the same))\w+ {_NOT_ALONE}{_REST}{{3,80}}"),
        ("relationship", rf"we(?:'re| are) (?:not together|no longer together|back together|engaged|expecting){_REST}{{0,40}}"),
        ("relationship", rf"we (?:broke up|split up|separated|got back together){_REST}{{0,40}}"),
        ("event", rf"I(?:'ve| have)?(?: (?:just|finally|recently|also))* (?:passed|won|signed up for|started (?!to|\w+ing|the day|with)|graduated|finished|completed|"
                  rf"got (?:an?|the|my|into|promoted)|adopted|published|launched|sold|lost|broke|retired|applied for|accepted|"
                  rf"made (?:captain|partner|lieutenant|manager|the team)|gave up|built|wrote)\b {_NOT_ALONE}{_REST}{{3,100}}"),
        ("event", rf"my (?:\w+ )?\w+ (?:got stolen|was stolen|broke down|died|passed away|got cancelled|was cancelled)"
                  rf"{_REST}{{0,60}}"),
        ("plan", rf"I(?:'m| am)(?: \w+)? (?!(?:{_MOOD})\b)\w{{3,}}ing\b {_NOT_ALONE}{_REST}{{3,80}}"),
        ("plan", rf"I(?:'m| am) (?:away|out|off|in|at|on holiday|on leave)\b{_REST}{{3,100}}"),
        ("plan", rf"I(?:'m| am) (?:\d+ weeks|due|giving|getting married){_REST}{{0,80}}"),
        ("plan", rf"(?:I|we) (?:already |also )?(?:{DEPARTURES}|sing|play|meet|perform|marry|speak)\b {_NOT_ALONE}{_REST}{{3,100}}"),
    )
)  # fmt: skip
"""Attribute and words. A plan needs a date besides."""

DATED = frozenset({"plan"})
"""Attributes that are worth keeping only with a date."""

TAIL = re.compile(
    r"(?:,? (?:and (?:you|it's|that's)|but|because|though|by the way|to be honest|honestly|remember|imagine|you know|"
    r"haha|lol|so|if|which)\b|, (?:it's|that's|I'm|I|you|did|do|don't|my|the|he|she|we|they|everyone|what|how)\b).*$",
    re.IGNORECASE,
)
"""Where another thought begins."""

ASKS = re.compile(
    r"^\s*(?:(?:and|also|please|ok|so),? )*(?P<v>(?:don't|do not) (?!(?:you|worry|know|think|forget|be|mind|care|get me)\b)"
    r"[^.!?]{6,160})",
    re.IGNORECASE,
)
"""What a user asks of their assistant, without "please" or "always"."""

PRESENT = re.compile(
    rf"\bI ((?:(?:now|still|also|mostly|usually|often|always|only|never|mainly|already) )*)({HABITS}|{DEPARTURES})\b"
)
"""A verb that takes an "s" when a name stands for "I"."""
