"""Secrets that are told in words: "the gate code is ...", "use ... as the password". A noun names it, a linker gives it.

Pure. A value is believed by its shape (letters with digits, odd characters, digits for a code); a plain word only
where it is given outright.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PLACE = (
    r"door|gate|alarm|safe|entry|entrance|access|unlock|vault|locker|garage|voicemail|building|key ?pad|lock ?box|"
    r"padlock|bike lock|luggage lock|lock|sim|intercom|banking|atm|installer|parking|pool|barrier|flat|house|office"
)
_WORD = (
    r"(?:(?:wi-?fi )?pass ?(?:word|phrase|code|wd)|passwd|pwd?|puk|master(?!'s)(?= is|:| password)|admin pass|pass(?= ?[:=])|psk|wpa2? key|hotspot key|"
    r"passwort|kennwort|mot de passe|contrase(?:ñ|n)a|palavra-passe|senha|wachtwoord|l(?:ö|o)senord|has(?:ł|l)o|"
    r"(?:secret|safe|code) ?word|security answer|answer to my security question|wi-?fi(?: code| key)?)"
)
_CODE = (
    rf"(?:pin(?: code| number)?|passcode|puk|cvv2?|cvc|security code|digits on the back|"
    rf"(?:one[- ]time|2fa|otp|backup|recovery|entry)(?: code)?s?|combination|(?:{_PLACE})(?:'s)? (?:code|combination)|"
    rf"(?:parental|family|child|visitor|guest|delivery|mailbox|lift|elevator|stairwell|gym|staff) codes?|code (?:for|to|of) (?:the|my|our|\w+'s) [\w' ]{{0,16}}?(?:{_PLACE}|home)|(?:suitcase|diary|luggage) (?:lock|code))"
)
_KEYED = (
    r"(?:(?:api|access|auth|secret|private|encryption|license|licence|product|recovery|storage|client)[ _-]?(?:key|token|secret)"
    r"|secret|token|bearer|key)"
)
_OF = r"(?: (?:for|to|of|on|at|in)\b[\w' .-]{1,40}?)?"
_GIVEN = (
    r"(?:['\"]?[ \t]*(?:[:=?]|->|=>)[ \t]*|'s (?:now )?|,? (?:it'?s|that'?s|is|was|are|said|will be|to|as)"
    r"(?: (?:now|still|always|currently|set to|changed to|reset to))*:? | (?:ist|lautet|est|es|é|è) )"
)
_QUOTED = r"[\"“‘'`](?P<quoted>[^\"”’'`\n]{3,80})[\"”’'`]"
_VALUE = r"(?P<value>[^\s\"'`“”’]{3,80})"

_OUTRIGHT = re.compile(rf"(?:\b|_){_WORD}{_OF}{_GIVEN}(?:{_QUOTED}|{_VALUE})", re.IGNORECASE)
_ASIDE = re.compile(
    rf"\b{_WORD},? (?P<value>[^\s,.]{{4,40}}),|(?:, |\band |\bsay )(?:the )?{_WORD} (?P<last>[^\s,.]{{4,40}})\W*$",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    rf"\b(?:pass ?phrase|phrase (?:secr(?:è|e)te|de passe)|frase (?:segreta|secreta|de paso)|master(?: password)?|security question|security answer){_OF}(?:: ?| (?:is|est|es|é|è) )"
    r"(?P<value>[A-Za-z][\w'-]*(?: [\w'-]+){2,9})",
    re.IGNORECASE,
)
_NOUN = re.compile(
    rf"(?:\b|_)(?:(?P<code>{_CODE}|{_PLACE})|(?P<word>{_WORD}|login|pass)|(?P<key>{_KEYED}))(?![\w(.-])",
    re.IGNORECASE,
)
_OPENS = re.compile(
    r"\b(?:opens?|unlocks?|unlock [\w ]{3,20}|encrypted|log ?in|get into [\w ]{3,20}|off|open [\w ]{3,20}) (?:with|type|using)"
    r"(?: code)? (?P<value>[^\s,]{3,40})",
    re.IGNORECASE,
)
_PAIR = re.compile(
    r"(?:\b(?:admin|root|pi|ssh|login|user)\b /|[\w.+-]{1,64}@[\w.-]{1,64}\.\w+ (?:/|with|and)) (?P<value>\S{6,40})"
)
_TYPED = re.compile(
    r"\b(?:type|enter|punch in|key in) (?P<typed>[^\s,]{5,40})(?= (?:when|at|on|into|and|then)\b)"
    r"|(?<!\S)(?P<used>[^\s,]{5,40}) is what (?:I|we) (?:use|type|enter)\b",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    rf"\b(?:(?:security|secret) (?:question'?s? )?answer{_OF}|answer to [\w' ]{{0,30}}(?:secret|security) question)(?::| is) ?"
    r"(?P<value>[A-Z][\w'-]*(?: [\w'-]+){0,3})"
)
_LOCKED = re.compile(
    r"\b(?:entry|door|gate|key ?pad|intercom|safe|vault|alarm|locker|lock|padlock|voicemail|lock ?box|panel|opener|atm)"
    r"(?: app| card| thing)?(?: is(?: now| set to)?| wants| takes| needs| asks for| opens (?:on|to)| we (?:took|use|set)|:| =)"
    r" (?P<value>[A-Z]?\d{3,8}[#*]?)(?![\w.,]*\d)",
    re.IGNORECASE,
)
_MAIDEN = re.compile(r"\bmaiden name\b[\w' ]{0,30} is (?P<value>[A-Z]\w+)")
# A clause is read against its nouns, so it is bounded: text without stops would take quadratic time.
_CLAUSE = re.compile(r"[^\n]{0,600}?(?:[.!?;](?=\s|$)|\n|$)|[^\n]{600}")
_TOKEN = re.compile(r"(?<![\w.:/=-])[^\s\"“”'`(),=]{3,80}")
_PROGRAM = re.compile(
    r"\w\(|[{}<>|]|==|=>|;\s*$|\*\*|^\s*(?:def|class|import|from|return|assert|const|let|var)\b|\w=\w"
)
_DIGITS = re.compile(r"#?\d[\d-]*[#*]?|\d{4} \d{4}")
_OTHER_CODE = re.compile(
    r"\b(?:zip|area|postal|post|country|dial(?:ling)?|dress|promo|discount|voucher|coupon|gift|referral|invite|reference|qr|error|"
    r"exit|return|response|http|fault|source|legacy|python|morse|genetic|tax|bar|sort|order|booking|tracking|status|colou?r|paint|"
    r"airport|flight|currency|product|item|model|course|building|civil|penal|criminal|labou?r|moral|secret) ?codes?",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"\s*(?:%|€|\$|euros?|dollars|am\b|pm\b|years?|months|weeks|days?|hours?|minutes?|points|characters|letters|times|"
    r"pieces|people|words|requests|tokens|errors?|status|lines|square|met(?:er|re)s|miles|feet|degrees|volts?|watts?|km|kg|ms)",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\b(?:in|on|since|until|till|by|at|from|every|about|over|under|number|room|page|gate|"
    r"(?:jan|feb|mar|apr|may|june?|july?|aug|sep|oct|nov|dec)[a-z]*\.?(?: \d{1,2}(?:st|nd|rd|th)?,?)?)\s+$",
    re.IGNORECASE,
)
_STATES = re.compile(r".*(?:ed|ing|ly|able|ible|ous|ful|less|ive|er than)", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://|www\.|.+@.+\.|/\w+/|\d{1,3}(?:\.\d{1,3}){3}|[A-Z]:\\")
_CODED = re.compile(r"code|combination|pin|puk|cv[vc]|lock|digits|2fa|alarm|key ?pad", re.IGNORECASE)
_ODD_CODED = re.compile(r"code|pin\b", re.IGNORECASE)
_STATED = re.compile(r"\bmy|is|was|new\b|[:=]")
_NEXT = re.compile(r"(?:,| and| or|,? then)? (#?\d[\d-]{2,}[#*]?)(?![\w.])")
_WEAR = 60  # characters between a noun and the value that it names

# Words that follow "the password is" in honest sentences.
PLAIN = frozenset(
    """
    the a an my your his her our their its it that this not no very really too so just still always never now then here
    there what which who how why when where wrong right correct incorrect required needed missing secure safe strong weak
    long short same different new old secret hidden lost forgotten empty easy hard good bad better fine okay going about
    important under over with for from and but like somewhere something anything nothing everything written stolen case-sensitive
    manager managers please you she they was are were been have has had will can could should would must does did
    valid invalid due stuck broken known unknown gone down public private shared annoying silly soon later again twice tomorrow
    today yesterday page field limit count usage link prompt policy window box between only also even more most less least
    input output argument parameter string strings hash hashing plaintext plain well hashed
    funny odd strange great nice awful terrible clever cute stupid
    one two three four five six someone somebody everyone nobody him them because since until before after kept
    """.split()
)


_HINT = re.compile(
    r"pass|pwd?\b|pin\b|puk|code|combination|key|token|secret|cv[vc]|lock|log ?in|wi-?fi|master|answer|digits on|maiden|"
    r"encrypted|opens|otp|2fa|bearer|psk| / |alarm|word|kennwort|mot de|contrase|senha|parola|has[łl]o|l[öo]senord|phrase|frase|"
    r"what (?:I|we) |type|enter|punch|atm|opener|@|entry|door|gate|safe|vault|intercom|voicemail|panel",
    re.IGNORECASE,
)
_NO_PHRASE = frozenset(
    "not no too so very required needed missing wrong safe stored kept written on in with only".split()
)


def told(text: str) -> Iterator[tuple[str, int, int]]:
    """(kind, start, end) of each value that the words around it give away."""
    if not _HINT.search(text):
        return
    for pattern in (_OUTRIGHT, _ASIDE):
        for m in pattern.finditer(text):
            group = next(g for g, v in m.groupdict().items() if v)
            value = m[group].rstrip(".,;!?)") if group != "quoted" else m[group]
            to = text.endswith(" to ", 0, m.start(group))  # "the password to confirm it"
            if group == "quoted" or (_is_word(value) and not to) or _is_odd(value) or _code_like(value):
                yield "password", m.start(group), m.start(group) + len(value)
    for m in _PHRASE.finditer(text):
        if m["value"].split()[0].lower() not in _NO_PHRASE:
            yield "password", m.start("value"), m.end("value")
    for m in (*_OPENS.finditer(text), *_PAIR.finditer(text)):
        value = m["value"].rstrip(".,;!?)")
        if _is_odd(value) or _code_like(value):
            yield "password", m.start("value"), m.start("value") + len(value)
    for m in _TYPED.finditer(text):
        group = "typed" if m["typed"] else "used"
        if _is_odd(m[group]) and re.search(r"\d|[^\w.-]", m[group]):
            yield "password", m.start(group), m.end(group)
    for m in (*_MAIDEN.finditer(text), *_ANSWER.finditer(text)):
        yield "password", m.start("value"), m.end("value")
    for m in _LOCKED.finditer(text):
        if not _UNIT.match(text, m.end()):
            yield "pin", m.start("value"), m.end("value")
    yield from _near_nouns(text)


@dataclass(frozen=True, slots=True)
class _Value:
    """Something in a clause that might be a secret: a code of digits, or an odd word."""

    start: int
    end: int
    text: str
    code: bool


def _near_nouns(text: str) -> Iterator[tuple[str, int, int]]:
    """For each noun, the value after it in its sentence, or else the one before it."""
    for clause in _CLAUSE.finditer(text):
        said = clause[0]
        values = list(_values(said))
        if (
            not values or _PROGRAM.search(said) or _OTHER_CODE.search(said)
        ):  # names of variables are no secrets
            continue
        for noun in _NOUN.finditer(said):
            fitting = [value for value in values if _fits(value, noun, said)]
            after = [v for v in fitting if noun.end() <= v.start < noun.end() + _WEAR]
            before = [v for v in fitting if noun.start() - _WEAR <= v.start < noun.start()]
            for value in after[:1] or before[-1:]:
                kind = "pin" if noun["code"] else "password" if noun["word"] else "token"
                for start, end in _with_next(said, value):
                    yield kind, clause.start() + start, clause.start() + end


def _values(clause: str) -> Iterator[_Value]:
    for m in _TOKEN.finditer(clause):
        text = m[0].rstrip(".,:;!?)")
        end = m.start() + len(text)
        if _code_like(text):
            if not (_UNIT.match(clause, end) or _COUNTED.search(clause, 0, m.start())):
                yield _Value(m.start(), end, text, True)
        elif _is_odd(text) and re.search(r"\d|[^\w.-]", text):
            yield _Value(m.start(), end, text, False)


def _fits(value: _Value, noun: re.Match[str], clause: str) -> bool:
    """Whether a noun of this kind may name a value of that shape."""
    if noun["code"] is not None:
        return (_CODED if value.code else _ODD_CODED).search(clause) is not None
    long_enough = len(value.text) >= 12 or _STATED.search(clause) is not None
    return not value.code and (noun["key"] is None or (long_enough and len(value.text) >= 8))


def _with_next(clause: str, value: _Value) -> Iterator[tuple[int, int]]:
    """The value, and the codes that are listed right after it: a second group of digits, or a second code."""
    yield value.start, value.end
    end = value.end
    while value.code and (following := _NEXT.match(clause, end)) and not _UNIT.match(clause, following.end()):
        yield following.span(1)
        end = following.end()


def _code_like(value: str) -> bool:
    """Three or more digits, not a date, a time or a price."""
    digits = re.sub(r"\D", "", value)
    return (
        bool(_DIGITS.fullmatch(value))
        and 3 <= len(digits) <= 20
        and not re.fullmatch(r"\d{4}-\d\d?-\d\d?", value)
    )


def _is_odd(value: str) -> bool:
    """Letters of both cases within, digits among letters, or characters that no word has; no address, date or file."""
    if (
        len(value) < 4
        or _ADDRESS.match(value)
        or re.search(r"[(){}\[\]<>]|\*\*|^_", value)
        or len(set(value)) < 3
        or not re.search(r"[A-Za-z]", value)
    ):
        return False
    if re.fullmatch(
        r"[0-9a-f]{7,}(?:-[0-9a-f]+)*|\d+(?:st|nd|rd|th|x|am|pm|h|km|kg|[KMGT]B|fps|px|rpm|mph|k?Hz|ms)|[A-Z]{2,}-\d+|[A-Z]{2,4}\d|v?\d+(?:\.\d+)+|[a-z]+(?:-[a-z]+)+",
        value,
    ):
        return False
    return bool(
        (re.search(r"\d", value) and re.search(r"[A-Za-z]", value))
        or re.search(r"[a-z][A-Z]", value)
        or re.search(r"[^\w.,'’/-]|_", value)
        or re.fullmatch(r"[A-Z][\w]*(?:[-._][\w]+)+", value)
        or re.fullmatch(r"\w+(?:[-._]\w+)*[-._][A-Z]\w*", value)
    )


def _is_word(value: str) -> bool:
    """A plain word that can be a password, and does not only say something about one."""
    bare = value.lower().strip("'*")
    letters = bare.replace("-", "").isalpha() and not PLAIN & set(bare.split("-"))
    return len(bare) >= 5 and letters and bare not in PLAIN and not _STATES.fullmatch(bare)
