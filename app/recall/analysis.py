"""What a question asks: whom it names, whose words it is about, what kind of answer it seeks. Pure; knows no store."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from app.recall.words import STOP, words
from app.when import TimeSpan, find_times

MOST_CHARACTERS = 2000  # of a question that are read
MOST_TERMS = 40

_SEEKS: Mapping[str, re.Pattern[str]] = {
    "time": re.compile(r"\b(?:when|what (?:day|date|year|month|time)|which (?:day|year|month)|how long)\b"),
    "number": re.compile(r"\bhow (?:many|much|old|long|often|far|tall)\b|\bnumber of\b"),
    "place": re.compile(
        r"\bwhere\b|\bwhich (?:city|country|place|state|town)\b|\bwhat (?:city|country|place)\b"
    ),
    "person": re.compile(r"\bwho(?:m|se)?\b"),
    "list": re.compile(
        r"\b(?:what|which) (?:\w+ )?(?:\w{3,}s|kinds?|types?) \b|\bhow many\b|\ball (?:the|of|my)\b|\blist\b"
        r"|\bin what ways\b|\bsummar\w+\b|\beverything\b|\border\b"
    ),
    # a conclusion that many remarks lead to, none of them in the question's words
    "inference": re.compile(r"\b(?:would|could|might|should|likely|probably|considered)\b"),
    "reason": re.compile(r"\bwhy\b|\bhow come\b|\breasons?\b"),
    "photo": re.compile(r"\b(?:photos?|pictures?|images?|paint\w*|posters?|sign|look like)\b"),
    # advice or work, for which standing wishes count, rather than what was said
    "help": re.compile(
        r"^(?!.*\b(?:did|was|were|have i|had i|mentioned|told|conversations?|so far)\b)(?:how (?:do|can|should|would"
        r"|might|could)|(?:can|could|would) you|please|help|show|give|explain|write|i(?:'m| want| need|'d)\b|if i\b"
        r"|(?:what(?:'s| is| are| would| should| steps)|which)\b(?!.*\bmy\b))"
    ),
}
_SELF = re.compile(r"\b(?:i|me|my|mine|i'm|i've|i'd|i'll)\b")
_ASSISTANT = re.compile(
    r"\byou (?:\w+ )?(?:suggest|recommend|say|said|told|tell|mention|advise|give|gave|propose|list|explain|provide|"
    r"describe)\w*\b|\byour (?:\w+ )?(?:suggest|recommend|advice|answer|list|explanation|response|reply)\w*\b"
    r"|\bremind me what you\b"
)
_OWN_WORDS = re.compile(
    r"\bi (?:first )?(?:brought up|mentioned|raised|said|told you|asked)\b"
    r"|\b(?:did|have|had) i (?:\w+ )?(?:say|said|mention|mentioned|bring up|tell|told|ask|asked|describe|outline)\b"
    r"|\bmy (?:questions|messages|requests)\b"
)
_QUESTION_WORDS = re.compile(
    r"^(?:when|what|who|whom|whose|where|why|how|which|did|does|do|is|are|was|were|has|have|had|would|could|can|will"
    r"|in|on|at|by|from|since|for|about|many|much|long|kinds?|types?|of)\b[\s,]*",
    re.IGNORECASE,
)
# What a request says of itself rather than of its subject; meaning and words are looked for without it.
_REQUEST = re.compile(
    r"\b(?:can|could|would|will) you (?:please |also )*(?:list|give me|provide(?: me)?(?: with)?|walk me through"
    r"|summari[sz]e|show me|tell me|help me(?: to)?|explain|remind me(?: of)?|describe|recall)\b"
    r"|^please (?:list|summari[sz]e|tell me|show me|remind me(?: of)?)\b"
    r"|\b(?:an? |the )?(?:\w+ )?(?:summary|overview|recap) of\b"
    r"|\bthe order in which (?:i|we) (?:first )?(?:brought up|mentioned|discussed|talked about|raised)\b"
    r"|\b(?:the )?(?:different|various) (?:aspects|parts|areas|kinds|types) of\b"
    r"|\b(?:throughout|across|over|in|during|from) (?:all )?(?:of )?(?:our|my|the) (?:\w+ )?"
    r"(?:conversations?|chats?|discussions?|sessions?|talks|messages|requests)\b"
    r"|\bover time\b|,? in order\b|\bmention only\b.*?\bitems?\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Analysis:
    """A question taken apart.

    Attributes:
        bare: the question without the names of speakers (turns contain the *other* person's name) and without
            what a request says of itself.
        statement: `bare` without its question words, nearer to how an answer sounds.
        named: speakers whom the question names, as the store spells them.
        teller: the one of them whose words would answer: "What did Ann tell Ben?" seeks Ann's; None for "Ann and Ben".
        terms: words to look for in full text; names of speakers are not among them.
        seeks: kinds of answer (`time`, `number`, `place`, `person`, `list`, `inference`, `reason`, `photo`, `help`).
        times: the intervals that it names, "last week" among them.
        of_self, of_assistant: it asks about its asker ("I", "my"), or for what the assistant said.
        of_asker: it asks for what its asker said ("the order in which I brought up").
        slot: of its user or a relative, that it asks for: (subject, attribute).
    """

    text: str
    bare: str
    statement: str
    named: tuple[str, ...]
    teller: str | None
    terms: tuple[str, ...]
    seeks: frozenset[str]
    times: tuple[TimeSpan, ...]
    of_self: bool
    of_assistant: bool
    of_asker: bool
    slot: tuple[str, str] | None = None

    @property
    def together(self) -> tuple[str, ...]:
        """The two whom it asks about alike ("What have Ann and Ben both read?"); none where it seeks one moment."""
        alike = len(self.named) == 2 and self.teller is None and "time" not in self.seeks
        return self.named if alike else ()


def analyse(question: str, speakers: Iterable[str], now: datetime) -> Analysis:
    """Take a question apart; `speakers` are those whom the store has heard, `now` (aware) is when it is asked."""
    text = " ".join(question[:MOST_CHARACTERS].replace("\0", " ").split())
    names = _names(speakers)
    named: dict[str, None] = {}
    kept: list[str] = []
    for token in text.split(" "):
        word = token.strip(".,;:!?()[]\"'’").lower()
        speaker = names.get(word) or names.get(re.sub(r"['’]s?$", "", word))
        if speaker is None:
            kept.append(token)
        else:
            named[speaker] = None
            kept += [token[-1]] if token[-1:] in "?.,!" else []
    bare = " ".join(kept).replace(" ?", "?") if named else text
    lower = text.lower().replace("’", "'")
    bare = _subject(bare)
    found = [word for word in dict.fromkeys(words(bare)) if word not in STOP]
    return Analysis(
        text=text,
        bare=bare,
        statement=_statement(bare) or bare,
        named=tuple(named),
        teller=_teller(text, tuple(named)),
        terms=tuple(found[:MOST_TERMS]),
        seeks=frozenset(name for name, pattern in _SEEKS.items() if pattern.search(lower)),
        times=tuple(find_times(text, now)),
        of_self=_SELF.search(lower) is not None,
        of_assistant=_ASSISTANT.search(lower) is not None,
        of_asker=_OWN_WORDS.search(lower) is not None,
    )


def _teller(question: str, named: tuple[str, ...]) -> str | None:
    """Who does what is asked about: the first one named, or whom it came from; None for two who do it together."""
    if len(named) != 2:
        return named[0] if len(named) == 1 else None
    first, second = (re.escape(name.split()[0]) for name in named)
    if re.search(rf"\b(?:{first}(?:['’]s)?,? (?:and|&|or) {second}|both)\b", question, re.IGNORECASE):
        return None
    return named[bool(re.search(rf"\b(?:from|by) {second}\b(?!['’])", question, re.IGNORECASE))]


def _names(speakers: Iterable[str]) -> dict[str, str]:
    """First names and whole names in lower case, to the speaker; a first name that two share goes to neither."""
    firsts: dict[str, str | None] = {}
    for speaker in speakers:
        lower = speaker.lower()
        first = lower.split()[0] if lower.split() else ""
        if len(first) > 1 and first not in STOP and first not in ("user", "assistant", "system", "me"):
            firsts[first] = speaker if firsts.get(first, speaker) == speaker else None
    return {name: speaker for name, speaker in firsts.items() if speaker is not None}


def _subject(question: str) -> str:
    """The question without what it says of itself; whole where too little would be left."""
    shorter = " ".join(_REQUEST.sub(" ", question).split())
    return shorter if sum(word not in STOP for word in words(shorter)) >= 2 else question


def _statement(question: str) -> str:
    for _ in range(4):
        shorter = _QUESTION_WORDS.sub("", question)
        if shorter == question:
            break
        question = shorter
    return question.strip(" ?")
