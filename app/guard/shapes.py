"""What a value looks like: a code, something that no language has as a word, a word. Knows nothing of what is said of it.

Pure. Dates, times, prices, counts, versions, addresses and names of files and products are told apart here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(r"(?<![\w.:/=-])[^\s\"“”'`(),=]{3,80}")
_NUMERAL = r"(?:zero|oh|one|two|three|four|five|six|seven|eight|nine|double)"
_SPELLED = re.compile(
    rf"\b{_NUMERAL}(?:[ -]{_NUMERAL}){{2,11}}\b|(?<![\d.,])\d(?: \d){{2,11}}(?! ?[\d.,])", re.IGNORECASE
)
_TURNS = re.compile(r"\b\d{1,2} (?:left|right)\b(?:,? (?:then )?\d{1,2} (?:left|right)\b)+", re.IGNORECASE)
_QUOTE = re.compile(r"[\"“„‘'`](?P<said>[^\"”“’'`\n]{3,60})[\"”“’'`](?!\w)")
_DIGITS = re.compile(
    r"[#*]?\d[\d-]*[#*]?|\d{4} \d{4}|[A-Z]\d{3,6}[#*]?|\d{1,4}[^\W\d_a-z]\d{2,6}|\d{2,6}[A-Z]"
)
# A number of things: a unit, or a plural, which a verb is where something that it acts on follows ("4711 opens the gate").
_UNIT = re.compile(
    r"\s*(?:%|€|\$|£|(?:[a-z-]+ )?(?:euros?|dollars|pounds|pesos|years?|months?|weeks?|days?|hours?|minutes?|seconds?|people)\b|"
    r"am\b|pm\b|status|square|feet|degrees|volts?|watts?|kilos?\b|[kmg]?bits?\b|[kmgt]bi?t?/?s?\b|(?:error|meter|line)\b|"
    r"(?:km|kg|ms|cm|mm|ml|kw|kwh|mg|kcal|fps|rpm|ft|lbs?|hz|st|nd|rd|th)\b|"
    r"(?: (?!and|or|to|for|on|at|in|as)[a-z]+)?? (?!(?:i|a|wa|thi|ha|doe|u|thank|plu|alway|open|unlock|work|get|let|disarm|turn|perhap|unles)s\b)"
    r"[a-z]+s\b(?<!ss)(?! (?:the|it|my|our|me|us|your|his|her|this|that|an?|off|on)\b))",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:(?<!punch )(?<!key )in|since|until|till|at|from|every|about|over|under|around|than|number|no\.?|room|page|flat|apartment|unit|platform|"
    r"http|status|error|order|invoice|ticket|flight|line|level|version|chapter|port|bus|train|tram|house|seat|lot|table|column|row|cell|locker|costs?|paid|worth|(?<!ask )(?<!asks )for|"
    r"(?:by|on)(?= (?:19|20)\d\d)|"
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.?(?: \d{1,2}(?:st|nd|rd|th)?,?)?)\s+$",
    re.IGNORECASE,
)
_VERSION = re.compile(r"\s*v?\d+(?:\.\d+)+")
_HEX = re.compile(r"(?=.*\d)(?=.*[a-f])[0-9a-f]{16,}")
_ADDRESS = re.compile(
    r"https?://|www\.|.+@.+\.|/\w+/|\d{1,3}(?:\.\d{1,3}){3}|[A-Z]:\\|[\w/.-]+/\w+\.[a-z]{1,4}$"
)
_PLAINLY = re.compile(
    r"[0-9a-f]{7,}(?:-[0-9a-f]+)*|\d+(?:st|nd|rd|th|x|am|pm|h|km|kg|cm|mm|[KMGT]B|fps|px|rpm|mph|k?Hz|ms)|[A-Z]{2,}-\d+|"
    r"[A-Z]{2,4}\d|v?\d+(?:\.\d+)+[a-z]{0,2}|[A-Z]{1,4}\d+\.\d+|[a-z]+(?:-[a-z]+)+|1Password|UTF-?\d+|\d{4}s|[A-Z]\w*\.(?:js|py|com|org|net|io)|[@#][A-Za-z][\w.-]*|[A-Z][a-z]+\.[a-z]+|\S*[a-z]/[a-z]\S*|(?:[A-Za-z]+[_-])*(?:password|secret|token|key|name|here|id|KEY|TOKEN|SECRET|PASSWORD|HERE|ID)(?:[_-][A-Za-z]+)*|\w+\++"
)
_ODD = re.compile(r"[^\w.,'’/-]|_|[a-z][A-Z]|[A-Z]\w*(?:[-._]\w+)+$|\w+(?:[-._]\w+)*[-._][A-Z]\w*$")
# How words end that say in what state a thing is, in English, and elsewhere.
_STATES = re.compile(r".*(?:ed|ing|ly|able|ible|ous|ful|less|ive|er than)", re.IGNORECASE)
_STATES_ABROAD = re.compile(
    r"(?:\w{2,3})?ge\w{2,}(?:t|en)|(?:ver|be|er|ent|zer|ab|aus)\w{3,}(?:t|en)|.*(?:lich|isch|lijk)|"
    r"\w{4,}(?:[aiu][dt][oa]|ect[oae]|ori[oa]|os[oa]|ée?s?)|\w{5,}(?:owe|ný|né|ен|ено|ный)",
    re.IGNORECASE,
)

# Words that follow "the password is" in honest sentences.
PLAIN = frozenset(
    """
    the a an my your his her our their its it that this not no very really too so just still always never now then here
    there what which who how why when where wrong right correct incorrect required needed missing secure safe strong weak
    long short same different new old secret hidden lost forgotten empty easy hard good bad better fine okay going about
    important under over with for from and but like somewhere something anything nothing everything written stolen case-sensitive
    manager managers please you she they was are were been have has had will can could should would must does did
    valid invalid due stuck broken known unknown gone down public private shared annoying silly soon later again twice tomorrow
    today yesterday already page field limit count usage link prompt policy window box between only also even more most less least
    input output argument parameter string strings hash hashing plaintext plain well hashed kept none
    funny odd strange great nice awful terrible clever cute stupid
    one two three four five six someone somebody everyone nobody him them because since until before after
    zu sehr nicht falsch sicher richtig trop très pas muy no demasiado troppo molto non muito não te erg niet för inte
    """.split()
)


@dataclass(frozen=True, slots=True)
class Value:
    """Something in a clause that might be a secret: `code` of digits, `odd` by its characters, or `quoted`."""

    start: int
    end: int
    text: str
    shape: str
    weight: int  # how little it looks like anything else


def values(clause: str) -> Iterator[Value]:
    """Everything in the clause that looks like no word, date, price or count."""
    for pattern in (_SPELLED, _TURNS):
        for m in pattern.finditer(clause):
            if not _UNIT.match(clause, m.end()):
                yield Value(m.start(), m.end(), m[0], "code", 1 + (pattern is _TURNS))
    for m in _QUOTE.finditer(clause):
        yield Value(m.start("said"), m.end("said"), m["said"], "quoted", 1)
    for m in _TOKEN.finditer(clause):
        text = m[0].rstrip(".,:;!?)") if not re.fullmatch(r"(?=.*\d)(?=.*[A-Za-z])\S*!", m[0]) else m[0]
        end = m.start() + len(text)
        if code_like(text):
            if not (_UNIT.match(clause, end) or _COUNTED.search(clause, 0, m.start())):
                yield Value(m.start(), end, text, "code", 1 + text.endswith(("#", "*")))
        elif _HEX.fullmatch(text):
            yield Value(m.start(), end, text, "hex", 2)
        elif not _VERSION.match(clause, end) and is_odd(text) and (weight := _weight(text)):
            yield Value(m.start(), end, text, "odd", weight)


def is_counted(clause: str, end: int) -> bool:
    """Whether a unit follows here."""
    return _UNIT.match(clause, end) is not None


def code_like(value: str) -> bool:
    """Digits, perhaps with a letter, three or more; not a date, a time or a price."""
    digits = re.sub(r"\D", "", value)
    date = re.fullmatch(r"\d{4}-\d\d?-\d\d?|\d{4}-\d\d", value)
    return (
        bool(_DIGITS.fullmatch(value))
        and len(re.sub(r"\W", "", value)) >= 3
        and len(digits) <= 20
        and not date
    )


def is_odd(value: str) -> bool:
    """Letters of both cases within, digits among letters, or characters that no word has; no address, date or file."""
    if len(value) < 4 or len(set(value)) < 3 or not re.search(r"[^\W\d_]", value):
        return False
    if _ADDRESS.match(value) or re.search(r"[(){}\[\]<>]|\*\*|^_", value) or _PLAINLY.fullmatch(value):
        return False
    return bool(re.search(r"\d", value) or _ODD.search(value))


def is_word(value: str, *, abroad: bool = False) -> bool:
    """A plain word that can be a password, and does not only say something about one (`abroad`: not in English)."""
    bare = value.lower().strip("'*")
    letters = bare.replace("-", "").replace(".", "").isalpha() and bare.split("-")[0] not in PLAIN
    states = (_STATES_ABROAD if abroad else _STATES).fullmatch(bare)
    return len(bare) >= 5 and letters and bare not in PLAIN and not states


def _weight(text: str) -> int:
    """1 for what a product or a name might be (iPhone15, GitHub), 2 for letters with digits, 3 with odd characters too."""
    odd = re.search(r"[#!$&%@*=?^~]", text.lstrip("#").rstrip("?!")) or re.search(r"\d.*!$", text)
    if odd or not re.search(r"\d", text):
        return 3 if odd else 1
    return 2 if len(text) >= 8 or re.search(r"[-_.]|\d[A-Za-z]", text) else 1
