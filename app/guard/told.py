"""Secrets that are told in words: what a sentence says of a value, weighed with what the value looks like.

Each clue near a value has a weight: what names a secret ("password", "PIN"), what is done with one ("log in", "unlocks"),
what is locked ("gate", "safe"), what hushes ("don't tell anyone"), and how the value is handed over ("is", "type"). A plain
word has no looks, so it is believed only where it is given outright. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.guard.shapes import Value, code_like, is_counted, is_odd, is_word, values

ENOUGH = 5
_REACH, _CLOSE, _FAR = 60, 30, 1000  # characters between a clue and the value that it speaks of
_LONG = 8  # digits of a key

_PLACE = (
    r"door|gate|alarm|safe|entry|entrance|access|unlock|vault|locker|garage|voicemail|building|key ?pad|lock ?box|portal|"
    r"padlock|bike lock|luggage lock|lock|sim|intercom|banking|atm|installer|parking|pool|barrier|flat|house|office|shed"
)
_WORD = (
    r"(?:(?:wi-?fi )?pass ?(?:word|phrase|code|wd)|passwd|pwd?|puk|master(?!'s)(?= is|:| password)|admin pass|pass(?= ?[:=])|psk|"
    r"wpa2? key|hotspot key|(?:secret|safe|code|pass) ?(?:word|phrase)|phrase (?:secr(?:è|e)te|de passe)|frase (?:segreta|secreta|de paso)|security answer|answer to my security question|wi-?fi(?:'s)?(?: code| key)?(?! name| network)|"
    # the same in other languages
    r"passwor[td](?:et)?|kennwort|losung|mot de passe|mdp|contrase(?:ñ|n)a|palavra[- ]passe|senha|wachtwoord|l(?:ö|o)senord(?:et)?|"
    r"has(?:ł|l)o|heslo|salasana|adgangskode[n]?|kodeord(?:et)?|passord(?:et)?|jelsz(?:ó|o)|parol[aăe]?|(?:ş|s)ifre(?:m|si)?|"
    r"пароль|κωδικός|συνθηματικό|kata sandi|mật khẩu|סיסמה|كلمة (?:السر|المرور)|पासवर्ड)"
)
_CODE = (
    rf"(?:pin(?: code| number)?|passcode|puk|cvv2?|cvc|security code|(?:\w+ )?digits (?:on the back|for|of)|"
    rf"(?:one[- ]time|2fa|two[- ]factor|otp)(?: code| backup)?s?|combination|combo|(?:{_PLACE})(?:'s)? (?:code|combination)|"
    r"codes?|geheimzahl|clave|(?:pin|zugangs|t(?:ü|u)r)-?[ck]odes?|digicode|combinazione|combinaci(?:ó|o)n|combinaison|combina(?:ç|c)(?:ã|a)o|c(?:ó|o)digo|codice|k(?:o|ó|oo)di?[ek]?|κωδικός|код)"
)
_KEYED = (
    r"(?:(?:api|access|auth|secret|private|encryption|license|licence|product|recovery|storage|client|network|wpa2?|wi-?fi)[ _-]?(?:key|token|secret)"
    r"|bearer|schl(?:ü|u)ssel|clave|chave|chiave|cl(?:é|e) )"
)
_ACCOUNT = r"logins?(?! page| screen| form)|credentials?|pass"
_OF = r"(?: already| again)?(?: (?:for|to|of|on|at|in|with|pour|del|de|do|da|dela|van|von|vom|f(?:ü|u)rs?|du|för|til|от|для|to)\b[\w' .-]{1,40}?)?"
_GIVEN = (
    r"(?:['\"]?[ \t]*(?:[:=?]|->|=>)[ \t]*|'s (?:now )?|[,.?!]? (?:it'?s|it is|that'?s|is|was|are|said|will be|to|as|would be|used to be)"
    r"(?: (?:now|still|always|currently|just|simply|actually|only|set to|changed to|reset to))*:? |"
    r" (?P<abroad>ist|lautet|hei(?:ß|ss)t|est|c'est|es|é|è|er|är|jest|to|je|on|adalah|là|это)[: ] ?| (?:equals|- |– |— )[: ] ?)"
)
_QUOTED = r"[\"“‘'`](?P<quoted>[^\"”’'`\n]{3,80})[\"”’'`]"
_VALUE = r"(?P<value>[^\s\"'`“”’]{3,80})"

_OUTRIGHT = re.compile(rf"(?:\b|_){_WORD}{_OF}{_GIVEN}(?:{_QUOTED}|{_VALUE})", re.IGNORECASE)
_UNSPACED = re.compile(
    r"(?:パスワード|暗証番号|密码|密碼|口令|비밀번호|암호)\s*(?:は|是|为|為|는|은|[:：=])?\s*(?P<value>[!-~]{4,40})"
)
_ASIDE = re.compile(
    rf"\b(?:pwd?|passwd|mdp) (?P<label>[^\s,.:=]{{4,40}})|\b{_WORD}, (?P<value>[^\s,.]{{4,40}}),|\b{_WORD} (?P<odd>[^\s,.]*\d[^\s,.]*),|(?:, |\band |\bsay )(?:the )?{_WORD} (?P<last>[^\s,.]{{4,40}})\W*$",
    re.IGNORECASE,
)
_PHRASE = re.compile(
    rf"\b(?:pass ?phrase|phrase (?:secr(?:è|e)te|de passe)|frase (?:segreta|secreta|de paso)|master(?: password)?|"
    rf"security answer){_OF}(?:: ?| (?:is|est|es|é|è) )(?P<value>[A-Za-z][\w'-]*(?: [\w'-]+){{2,9}})",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    rf"\b(?:(?:security|secret) (?:question'?s? )?answer{_OF}|answer to [\w' ]{{0,30}}(?:secret|security) question)(?::| is) ?"
    r"(?P<value>[A-Z][\w'-]*(?: [\w'-]+){0,3})|\banswer\b[^.\n]{0,20}\b(?:security|secret) question(?: is|:) (?P<after>[A-Z][\w']+(?: [A-Z]\w+){0,2})|\banswer is (?P<before>[A-Z]\w+)(?=[^.\n]{0,40}\bsecurity question)"
)
_MAIDEN = re.compile(r"\bmaiden name\b[\w' ]{0,30}(?: is|:|,|=) ?(?P<value>[A-Z]\w+)")
_PAIR = re.compile(
    r"(?:\b(?:admin|root|pi|ssh|login|user)\b ?/|\b(?:admin|root):|"
    r"\b[\w.]{3,30} /(?= \S*\d)|"
    r"[\w.+-]{1,64}@[\w.-]{1,64}\.\w+(?: (?:/|with|and|\+)| ?[,;:])) ?(?P<value>\S{6,40})"
)
_BEFORE = re.compile(
    rf"(?:^|[,.;:!?] |\b(?:type|use|say|enter|with|put|is) )(?P<value>[^\s,.;:!?]{{4,30}}(?: [^\s,.;:!?]+){{0,2}}) "
    rf"(?:is|was|as) (?:(?:the|my|our|his|her|their|a|your)(?: [\w'-]+){{0,2}} )?{_WORD}(?=\W*(?:$|[,.;]|(?:for|to|of|on|at|and|then|when)\b))",
    re.IGNORECASE,
)
_WORDED = re.compile(
    r"\b(?:says?|wants?|needs?|asks? for|use|give) (?:\w+ )?(?:the|a) word (?P<value>[a-z]{4,20})\b",
    re.IGNORECASE,
)
_REST = re.compile(
    r"(?: (?!(?:for|but|and|so|because|if|when|since|until|which|in case|please|now|then|as)\b)[\w'-]+){1,7}(?=[.,;!?)]?(?:\s|$))"
)

# A clause is read against its clues, so it is bounded: text without stops would take quadratic time.
_CLAUSE = re.compile(r"[^\n]{0,600}?(?:[.?;](?=\s|$)|!(?=\s+[^a-z]|$)|\n|$)|[^\n]{600}")
_POINTS_BACK = re.compile(
    r"\W*(?:I (?:think|believe|guess)|so|well|ok|here|it|it'?s|that|that'?s|this|mine|hers|his|still|now|use|try|type|enter|just|the (?:new|old) one)\b",
    re.I,
)
_PROGRAM = re.compile(
    r"\w\(|[{}<>|]|==|=>|;\s*$|\*\*|^\s*(?:def|class|import|from|return|assert|const|let|var)\b|\w=\w"
)
_OTHER = (
    r"zip|area|postal|post|country|dial(?:ling)?|dress|promo|discount|voucher|coupon|gift|referral|invite|reference|qr|error|"
    r"exit|return|response|http|fault|source|legacy|python|morse|genetic|tax|bar|sort|order|booking|tracking|status|colou?r|paint|"
    r"airport|flight|currency|product|item|model|course|class|branch|swift|building|civil|penal|criminal|labou?r|moral"
)
_OTHER_CODE = re.compile(
    rf"\b(?:{_OTHER}) codes?\b|\b(?:secret|use|using|the|this|my|your|our|write|wrote|writing|of|some|more|machine|byte) codes?"
    r"(?= (?:name|base|review|snippet|block|sample|change|file|[A-Z]+\d+ (?:for|at|gives)))|\bcode (?:of conduct|names?|review|base)\b|"
    # where the adjective follows
    r"\bc(?:ó|o)d(?:e|igo|ice) (?:d[aeio] )?(?:la )?(?:postal|promo\w*|p(?:é|e)nal\w*|civile?|fiscale?|produ\w*|articolo|barr\w*|source|fuente|fonte|route)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Clue:
    """What a word near a value says of it, and how much that weighs for a code and for an odd word."""

    pattern: re.Pattern[str]
    code: int
    odd: int
    kind: str = ""


Heard = Sequence[tuple[_Clue, Sequence[tuple[int, int]]]]


def _clue(words: str, code: int, odd: int, kind: str = "") -> _Clue:
    return _Clue(re.compile(rf"(?:\b|_)(?:{words})(?![\w(])", re.IGNORECASE), code, odd, kind)


_NAMES = (
    _clue(rf"{_WORD}s?|{_ACCOUNT}|keepass|bitwarden|wpa2?|1password|lastpass", 3, 3, "password"),
    _clue(_CODE, 3, 3, "pin"),
    _clue(_KEYED, 0, 3, "token"),
    _clue("secret|token|key", 0, 2, "token"),
)
_ACT = _clue(
    r"log(?:s|ged|ging)? (?:back )?(?:in|on)(?:to)?|sign(?:s|ed|ing)? (?:back )?(?:in|on)(?:to)?|unlock(?:s|ed|ing)?|open(?:s|ed|ing)?|"
    r"(?:get|gets|let|lets|got)(?: \w+)? (?:back )?in(?:to)?(?! touch)|to join|connect|decrypt(?:s|ed)?|encrypted|disarms?|authenticate|reuse|locked|remember|"
    r"(?:turn|switch)(?:es)? (?:it |the alarm )?off|protected", 3, 2, "password")  # fmt: skip
_LOCK = _clue(
    r"(?:front |back |garage )?doors?|gates?|alarm|safe|entry|entrance|stairwell|locker|padlock|(?:bike|luggage|number|cabin)? ?locks?|"
    r"lock ?screen|key ?(?:pad|safe)|lock ?box|intercom|voicemail|garage|vault|panel|opener|atm|lobby|shed|storage|suitcase|barrier|"
    r"elevator|lift|turnstile|(?:haus|wohnungs|keller)?t(?:ü|u)r|tor|tresor|schloss|porte|portail|coffre|cadenas|immeuble|puerta|port(?:ó|o)n|"
    r"caja fuerte|candado|alarma|porta|cancello|cassaforte|lucchetto|allarme|port(?:ã|a)o|cofre|cadeado|deur|poort|kluis", 3, 1)  # fmt: skip
_THING = _clue(
    r"tablet|ipad|i?phone|laptop|accounts?|netflix|spotify|computer|router|wi-?fi|wlan|network|app|mail|instagram|facebook|apple id|disney|amazon|bank|banco|online|server|machine|notes|diary",
    1,
    1,
)
_HUSH = _clue(
    r"(?:don'?t|do not|never) (?:tell|share|show|repeat)|between (?:us|you and me)|confidential|top secret|nobody else knows|"
    r"keep (?:this|it) (?:secret|private|to yourself)|for your eyes|in case I (?:die|forget)", 1, 2, "password")  # fmt: skip
_LINK = re.compile(
    r"(?:\bis|\bare|\bwas|'s|\bbe|[:=>]|\btakes?|\bwants?|\bneeds?|\basks? for|\bhas|\bwe (?:took|use|set|picked|chose)|(?<!next )(?<!close )(?<!up )\bto|"
    r"\bwith|\bmit|\bavec|\bcon|\bcom|\bmet|\bopens? (?:on|to)|\busing|\bby|\buse|\btype|\benter|\bpress|\bdial|\bpunch in|\bkey in|\bsay|\btry|\btold \w+|\btell (?:\w+ )?\w+|\bnow|"
    r"\bagain|\bas|\band|,|[-–—]|\bist|\bchose|\bpicked|\btook|\blautet|\bequals|\breuse|\bis on|\bput|\bgive|\bc'est|\best|\bes|é|è|\ber|är|\bjest|\bто|\?)[ \"“'(]*(?:(?:left|right) )?$", re.IGNORECASE)  # fmt: skip
_PRESS = re.compile(r"\b(?:type|enter|press|dial|punch in|key in|punch|put|input)[ \"“']*$", re.IGNORECASE)
_NOW = re.compile(
    r"[\"”')!#*]*,? (?:(?:it|that|which)(?: is|'s) (?:the|my|our|for (?:my|the|our)|what)|is (?:my|the|our|his|her|their|what)|as (?:my|the|our|his|her|its)|(?:still |always |usually |also )?"
    r"(?:opens?|unlocks?|gets?|lets?|disarms?|turns off)|will (?:open|unlock|get|let)|to (?:join|get in|open|unlock|log)|"
    r"(?:when|once) (?:\w+ ){0,4}(?:asks?|wants?|locked)|for the (?:lock|gate|door|safe|alarm|garage|demo|key)\w*)\b", re.IGNORECASE)  # fmt: skip
_USED = re.compile(r" is what (?:I|we) (?:use|type|enter|say)\b", re.IGNORECASE)
_ENDS = re.compile(
    r"[\"”')#*]*(?:\s*(?:star|hash|pound))?\s*(?:$|[.,;:!?)\]/-]|\d{3,}|(?:and|then|to|for|when|on|at|in|as|which|but|or|so|with|is|was|if|will|"
    r"because|since|after|before|until|still|now|never|again|first|twice|followed|plus|by|from|works?|opens?|unlocks?|gets?|lets?|disarms?|turns?|"
    r"within|thanks|please|ok|btw|today|yesterday|tonight|though|too|und|et|y|e|puis|dann|luego|auf)\b)", re.IGNORECASE)  # fmt: skip
_NEXT = re.compile(r"(?:,| and| or|,? then)? (#?\d[\d-]{2,}[#*]?)(?![\w.])")
_CODED = re.compile(r"[A-Z\d#*-]{3,24}")
_FROM = re.compile(r"\bfrom ([^\s,]{3,40}) to $", re.IGNORECASE)
_YEAR = re.compile(r"19\d\d|20[0-4]\d")
_HINT = re.compile(
    "|".join(clue.pattern.pattern for clue in (*_NAMES, _ACT, _LOCK, _THING, _HUSH)) + r"|@| / |\b(?:root|admin)\b|maiden|"
    r"security question|フ|ワ|暗|密|口令|비|암호|phrase|frase|\b(?:type|enter)\b", re.IGNORECASE)  # fmt: skip
_NO_PHRASE = frozenset(
    "not no too so very required needed missing wrong safe stored kept written on in with only".split()
)


def told(text: str) -> Iterator[tuple[str, int, int]]:
    """(kind, start, end) of each value that the words around it give away."""
    if not _HINT.search(text):
        return
    yield from _outright(text)
    before = ""
    for m in _CLAUSE.finditer(text):
        said = m[0]
        points = _POINTS_BACK.match(said) or len(said.split()) <= 3 or before.rstrip().endswith("?")
        lead = before if points else ""
        for kind, start, end in _weighed(lead + said, len(lead)):
            yield kind, m.start() + start - len(lead), m.start() + end - len(lead)
        before = said if said.strip() else before


def _outright(text: str) -> Iterator[tuple[str, int, int]]:
    """What a sentence hands over in so many words, whatever it looks like."""
    for pattern in (_OUTRIGHT, _ASIDE, _UNSPACED):
        for m in pattern.finditer(text):
            said = m.groupdict()
            group = next(g for g, v in said.items() if v and g != "abroad")
            value = m[group].rstrip(".,;!?)") if group != "quoted" else m[group]
            end = m.start(group) + len(value)
            to = text.endswith(" to ", 0, m.start(group))  # "the password to confirm it"
            word = is_word(value, abroad=bool(said.get("abroad"))) and not to
            if (group == "quoted" or word or is_odd(value) or code_like(value)) and not text.startswith(
                " than", end
            ):
                if code_like(value) and is_counted(text, end):
                    continue
                rest = _REST.match(text, end) if word and group == "value" else None
                yield "password", m.start(group), rest.end() if rest else end
    for m in _PHRASE.finditer(text):
        if m["value"].split()[0].lower() not in _NO_PHRASE:
            yield "password", m.start("value"), m.end("value")
    for m in _PAIR.finditer(text):
        value = m["value"].rstrip(".,;?)")
        if is_odd(value) or code_like(value):
            yield "password", m.start("value"), m.start("value") + len(value)
    for m in _BEFORE.finditer(text):
        if is_word(m["value"].split()[0]) or is_odd(m["value"]):
            yield "password", m.start("value"), m.end("value")
    for m in _WORDED.finditer(text) if _LOCK.pattern.search(text) or _NAMES[0].pattern.search(text) else ():
        if is_word(m["value"]):
            yield "password", m.start("value"), m.end("value")
    for m in (*_MAIDEN.finditer(text), *_ANSWER.finditer(text)):
        group = str(m.lastgroup)
        yield "password", m.start(group), m.end(group)


def _weighed(clause: str, begins: int) -> Iterator[tuple[str, int, int]]:
    """The values of a clause, from `begins` on, that enough speaks for."""
    found = [value for value in values(clause) if value.start >= begins]
    if not found or _PROGRAM.search(clause):  # names of variables are no secrets
        return
    heard = _heard(clause)
    said = ""
    for value in found:
        kind, weight = _judged(clause, value, heard)
        # Where one code was given, one more in the same breath is another: "of the blue card 5528, of the red one 9013".
        if weight >= ENOUGH or (said == "pin" and value.shape == "code" and _ENDS.match(clause, value.end)):
            said = said or kind
            for start, end in _with_next(clause, value):
                yield kind, start, end


def _heard(clause: str) -> Heard:
    """Where each clue stands in a clause; a code of another kind (a zip code) is none."""
    other = [m.span() for m in _OTHER_CODE.finditer(clause)]
    return [
        (clue, [s for m in clue.pattern.finditer(clause) if not _within(s := m.span(), other)])
        for clue in (*_NAMES, _ACT, _LOCK, _THING, _HUSH)
    ]


def _within(span: tuple[int, int], others: Sequence[tuple[int, int]]) -> bool:
    return any(start <= span[0] < end for start, end in others)


def _judged(clause: str, value: Value, heard: Heard) -> tuple[str, int]:
    """What kind of secret the words around make of a value, and how much speaks for it."""
    found = [_nearest(value, clue, spans) for clue, spans in heard]
    name = min(found[: len(_NAMES)], key=lambda near: (near.gap, near.follows))
    named = _named(value, name)
    last = value.shape == "code" and not clause[value.end :].strip(" .!#*\n")  # "the code of the gate 4711"
    given = _handed(clause, value) or int(
        named > 0 and not name.follows and name.gap <= (_CLOSE if last else 1)
    )
    kind, weight = name.clue.kind if named else "", value.weight + named + given
    for near in found[len(_NAMES) :]:
        if (
            near.gap <= _REACH
            and _helps(near.clue, value, bool(given or named))
            and not _elsewhere(clause, value, near)
        ):
            weight += near.weight
            kind = kind or near.clue.kind or ("pin" if value.shape == "code" else "password")
    counts = not _ENDS.match(clause, value.end) or _YEAR.fullmatch(value.text)
    if value.shape == "code" and counts and not (named and name.gap <= _CLOSE):
        weight -= 3  # a number of things, or a year
    return kind or "password", weight


@dataclass(frozen=True, slots=True)
class _Near:
    """The nearest word of a clue: how far it is, whether it follows the value, what it weighs."""

    clue: _Clue
    gap: int
    follows: bool
    weight: int


def _nearest(value: Value, clue: _Clue, spans: Sequence[tuple[int, int]]) -> _Near:
    weight = clue.code if value.shape == "code" else clue.odd
    if clue.kind == "token" and value.shape == "code" and len(value.text) >= _LONG:
        weight = clue.odd
    gaps = [
        (max(start - value.end, value.start - end, 0), start >= value.end)
        for start, end in spans
        if weight and not (start < value.end and value.start < end)
    ]
    gap, follows = min(gaps, default=(_FAR, True))
    return _Near(clue, gap, follows, weight)


def _helps(clue: _Clue, value: Value, spoken_of: bool) -> bool:
    """Whether a clue that names no secret counts for this value."""
    if value.shape not in ("code", "odd"):
        return False
    if clue is _LOCK:
        return spoken_of
    return clue is not _THING or value.weight > 1 or value.shape == "code"


def _elsewhere(clause: str, value: Value, near: _Near) -> bool:
    """Whether a clue belongs to another part of the sentence ("14C, and the gate"), or the value only numbers it."""
    if near.follows:
        return " and " in clause[value.end : value.end + near.gap + 1]
    return near.clue is _LOCK and near.gap <= 1 and bool(clause[value.end :].strip(" .!#*,\n"))


def _named(value: Value, name: _Near) -> int:
    """What a word that names a secret weighs for this value."""
    word = value.shape == "odd" and not re.search(r"\d|[^\w.]", value.text)
    if name.gap > _REACH or (word and name.clue.kind != "password"):  # "my JavaScript code"
        return 0
    if value.shape == "quoted":
        return name.weight if name.clue.kind == "password" else 0
    unsure = value.shape == "odd" and value.weight == 1 and not _CODED.fullmatch(value.text)
    return name.weight - (unsure and name.gap > _CLOSE)


def _handed(clause: str, value: Value) -> int:
    """Whether the words right before or after a value hand it over, and how plainly."""
    just = max(0, value.start - _CLOSE)
    pressed = value.shape != "quoted" and _PRESS.search(clause, just, value.start) is not None
    given = _LINK.search(clause, just, value.start) or _NOW.match(clause, value.end)
    return (given is not None) + pressed + 3 * (_USED.match(clause, value.end) is not None)


def _with_next(clause: str, value: Value) -> Iterator[tuple[int, int]]:
    """The value, and the codes that are listed right after it: a second group of digits, or a second code."""
    if before := _FROM.search(clause, max(0, value.start - _REACH), value.start):
        yield before.span(1)
    yield value.start, value.end
    end = value.end
    while value.shape == "code" and (m := _NEXT.match(clause, end)) and not is_counted(clause, m.end()):
        yield m.span(1)
        end = m.end()
