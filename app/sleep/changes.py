"""How people tell that one thing took the place of another: what went, and what came for it. Tables, no logic.

Grammar of change in place of a sentence for each slot: any verb of leaving with any slot that has a name; beside them
the verbs that name a slot by themselves (to bank with, to answer to, to be hired by).
"""

from __future__ import annotations

from app.sleep.forms import HOURS, PLAIN, Rule, rule

_THINGS = (
    r"(?P<slot>car|van|phone|mobile|cell ?phone|handset|bank|account|gym|doctor|GP|dentist|boss"
    r"|manager|supervisor|landlord|landlady|"
    r"therapist|school|office|employer)"
)
_CAPITAL = "[A-ZÀ-ÖØ-Þ]"
_NAME = (
    rf"(?P<v>(?:(?:Dr|St|Mr|Mrs|Ms)\.? )?(?!I\b)[a-z]?{_CAPITAL}[\w'’-]*(?:(?: (?:of|de|&|the|upon))?"
    rf" (?:{_CAPITAL}|\d)[\w'’-]*){{0,3}})"
)
_PERSON = (
    rf"(?P<v>(?:(?:Dr|Mr|Mrs|Ms)\.? )?(?!I\b|We\b|They\b|You\b|It\b|That\b|This\b|She\b|He\b"
    rf"|There\b){_CAPITAL}[\w'’-]+)"
)
_LEFT = (
    r"(?:swapped|traded|exchanged|ditched|dumped|dropped|replaced|left|quit|changed|switched|upgraded"
    r"|moved|sold|cancelled|closed|"
    r"gave up(?: on)?|given up(?: on)?|got(?:ten)? rid of|said goodbye to|parted with|moved on from)"
)
_FOR = (
    r"(?:(?:in )?for|over to|to|with|and(?: (?:now|so|then|have|I|we|I've|we've))*(?: (?:just|now))?"
    r" (?:joined|signed up (?:with|at)|went (?:to|with|for)|"
    r"go to|see|use|drive|took|chose|bought|got|picked))"
)
_KEPT = r"(?:use|drive|have|own|see|ride|go to|we've got|I've got|got)"
_WE = r"\b(?:I|[Ww]e)(?:['’](?:ve|re|m))?(?: (?:am|are|have|just|now|finally|recently|only))*"
_OUR = r"(?:\b[Mm]y|\b[Oo]ur|\b[Tt]he)(?: (?:old|new|last|previous|former|current|first|second))*"
_A = r"(?:(?:an?|the|my|our)(?: (?:old|new|newer|used|second-hand|brand[- ]new|little|shiny))* )?"
_HOME = r"(?:house|flat|place|apartment|room|studio|home|cottage|bungalow)"
_WORK = (
    r"(?=.*\b(?:jobs?|work\w*|notice|resigned|quit|hired|pay|salary|office|team|colleagues|company|firm"
    r"|employ\w+|year now|left them)\b)"
)
_MINE = r"\b(?:my|our)(?: new)?"


def _slot(pattern: str) -> Rule:
    return rule(pattern, "{slot}", "{s}'s {slot} is {v}.", proper=True)


def _own(attribute: str, template: str, *patterns: str) -> tuple[Rule, ...]:
    return tuple(rule(pattern, attribute, template, proper=True) for pattern in patterns)


CHANGES: tuple[Rule, ...] = (
    # "we swapped the car for a Kia", "I gave up on my dentist and see Dr. Novak instead"
    _slot(rf"{_WE}\b{PLAIN}{{0,30}}?\b{_LEFT} {_OUR} {_THINGS}{PLAIN}{{0,25}}?\b{_FOR}(?: now)? {_A}{_NAME}"),
    # "the old car is history, we've got a Kia now", "my phone drowned, so it's a Nokia now"
    _slot(
        rf"{_OUR} {_THINGS}(?!'s)\b{PLAIN}{{2,30}}?, (?:so |and |but |now )*(?:it's|it is|(?:I"
        rf"|we)(?:'ve| have)?(?: now)? {_KEPT}|{_KEPT}) {_A}{_NAME}"
        r"(?= now\b| instead\b|[.,!]|$)"
    ),
    _slot(
        r"\b(?:old|last|former|previous) (?P<slot>boss|manager|supervisor|landlord|landlady)\b"
        rf"{PLAIN}{{2,30}}?, (?:so |and |but |now )*{_PERSON} (?:now )?(?:runs|leads|heads|took|has"
        rf" taken|took over|owns|is in charge)\b"
    ),
    # "Bruno took over as my boss", "I've ended up with Bruno as my boss"
    _slot(
        rf"{_PERSON} (?:(?:has |have )?(?:taken|took|replaced|stepped)\b{PLAIN}{{0,20}}?\bas|became|has"
        rf" become) {_MINE} {_THINGS}\b"
    ),
    _slot(
        rf"\b(?:ended up with|stuck with|gave me|given|assigned|got me|kept)"
        rf" {_A}{_NAME}{PLAIN}{{0,30}}?\bas {_MINE} {_THINGS}\b"
    ),
    _slot(
        rf"\b(?:an?|{_MINE}) (?:new |different )+{_THINGS}(?:,|:| called| named|, called|, named)? {_NAME}"
    ),
    _slot(
        rf"\b(?:[Mm]y|[Oo]ur)(?: (?:new|current))? {_THINGS}(?:'s name)?(?:'s| is| are| has to be| will"
        rf" be)(?: called| now)* {_A}{_NAME}"
    ),
    *_own(
        "home city",
        "{s} lives in {v}.",
        rf"{_WE}\b{PLAIN}{{0,20}}?\b(?:settled(?: down)?|ended up|landed|based|at home|put down roots"
        rf"|found a {_HOME}) in {_NAME}",
        rf"{_WE} (?:had|have|got|rent|rented|bought|own)\b(?: \w+){{1,3}}? {_HOME} in {_NAME}",
        rf"{_WE}\b{PLAIN}{{0,30}}?\b{_LEFT}\b{PLAIN}{{0,30}}?\b(?:in )?for {_A}{_HOME} in {_NAME}",
        rf"{_NAME} (?:is|has been|became|has become)(?: now)? (?:my |our )?home\b",
    ),
    *_own(
        "employer",
        "{s} works at {v}.",
        rf"{_NAME} (?:(?:has |have )?(?:hired|employed|employs|recruited|headhunted|poached|took (?:me"
        rf" )?on|pays) (?:me|my (?:bills|wages|salary))\b)",
        rf"^{_WORK}{PLAIN}{{0,80}}?\b(?:I'm|I am|I've been)(?: now)? (?:at|with|over at) {_NAME}",
        rf"\bI(?:'ve| have)? (?:gone|went|moved|switched|jumped ship)(?: over)? to"
        rf" {_NAME}(?=[^.]*\b(?:pay|job|salary|team|boss|hours|role|position|desk)\b)",
        rf"\bI (?:no longer|don't|stopped|quit|left)\b[^.]{{0,20}}?\bwork\w*\b[^.]{{0,20}}, (?:now"
        rf" )?(?:it's|it is) {_NAME} now",
    ),
    *_own(
        "gym",
        "{s}'s gym is {v}.",
        rf"\bI (?:do|lift|swim|take) my (?:weights|workouts?|training|laps|exercises?|exercise classes)"
        rf" at {_NAME}",
        rf"\b(?:member of|signed up (?:at|with)|joined) {_NAME}(?=[^.]*\b(?:pool|sauna|weights"
        rf"|treadmills?|gym|rowing)\b)",
    ),
    *_own(
        "phone model",
        "{s}'s phone is {v}.",
        rf"{_WE}(?: still)? (?:own|use|carry|got|on) an? {_NAME}(?=[^.]*\b(?:phone|mobile|screen|pocket"
        rf"|sim|battery)\b)",
    ),
    *_own("boss", "{s}'s boss is {v}.", rf"\bI(?: now)? (?:answer|report) to {_PERSON}"),
    *_own(
        "dentist",
        "{s}'s dentist is {v}.",
        r"(?P<v>Dr\.? [A-Z]\w+)(?=[^.]*\b(?:teeth|tooth|dentist|fillings?)\b)",
        r"\b(?:[Tt]eeth|[Tt]ooth|[Dd]entist)\b[^.]{0,40}?(?P<v>\bDr\.? [A-Z]\w+)",
    ),
    *_own(
        "bank",
        "{s}'s bank is {v}.",
        rf"{_WE}(?: been)? (?:bank|banking) with {_NAME}",
        rf"\b(?:my|our)(?: \w+)? account(?: is| to)? (?:at|with) {_NAME}",
    ),
    *_own(
        "partner",
        "{s}'s partner is {v}.",
        rf"\b[Mm]y (?:other|better) half is {_PERSON}",
        rf"{_PERSON} and I(?: are| have become|'ve become)(?: now)? (?:a couple|an item|together|dating)\b",
        rf"{_WE}(?: got| gotten)?(?: back)? (?:together|in love|in a relationship|going out|living"
        rf" together) with {_PERSON}",
    ),
    rule(
        r"\b(?P<v>(?!it\b|that\b|this\b)[\w'’-]+(?: [\w'’-]+)??) (?:has |have )?(?:replaced|beaten"
        r"|overtaken|dethroned) \w+(?: \w+)? as my favou?rite (?P<slot>\w+)",
        "favourite {slot}",
        "{s}'s favourite {slot} is {v}.",
    ),
    rule(
        r"\bwhen it comes to (?P<slot>\w+), (?P<v>[^.,;!?]{2,40}?) (?:is|are) my favou?rite",
        "favourite {slot}",
        "{s}'s favourite {slot} is {v}.",
    ),
    rule(
        rf"(?:\bmy shifts?(?: is| are)(?: now)?|{_WE} (?:do|doing|swapped to|moved to|switched to|put"
        rf" on|been put on|changed to|on)) (?P<v>{HOURS})\b",
        "work schedule",
        "{s} works {v}.",
    ),
)
