"""Values that tell which slot they fill, in whatever words: a language is learnt, a make is driven, a phone is used.

Kinds of values that are closed lists, and the frames in which people say what they have, do, or changed to. Tables of
patterns, no logic.
"""

from __future__ import annotations

from collections.abc import Iterator

from app.sleep.forms import DIET, HOURS, JOB, NAME, PLAIN, Rule, rule

LANGUAGE = (
    "(?:Afrikaans|Albanian|Amharic|Arabic|Armenian|Azerbaijani|Basque|Belarusian|Bengali|Bosnian|Breton|Bulgarian|Burmese|"
    "Cantonese|Catalan|Croatian|Czech|Danish|Dutch|English|Esperanto|Estonian|Farsi|Finnish|Flemish|French|Gaelic|Galician|"
    "Georgian|German|Greek|Gujarati|Hausa|Hawaiian|Hebrew|Hindi|Hungarian|Icelandic|Igbo|Indonesian|Irish|Italian|Japanese|"
    "Kazakh|Khmer|Korean|Kurdish|Lao|Latin|Latvian|Lithuanian|Luxembourgish|Macedonian|Malay|Maltese|Mandarin|Chinese|Maori|"
    "Marathi|Mongolian|Nepali|Norwegian|Pashto|Persian|Polish|Portuguese|Punjabi|Quechua|Romanian|Russian|Sanskrit|Serbian|"
    "Sinhala|Slovak|Slovene|Slovenian|Somali|Spanish|Swahili|Swedish|Tagalog|Tamil|Telugu|Thai|Tibetan|Turkish|Ukrainian|"
    "Urdu|Uzbek|Vietnamese|Welsh|Xhosa|Yiddish|Yoruba|Zulu|sign language)"
)
_MODEL = r"(?:[ -](?:[A-Z][\w-]*|\d[\w-]*|\w\d[\w-]*)){0,3}"
CAR = (
    "(?:Alfa Romeo|Aston Martin|Audi|Bentley|BMW|Buick|BYD|Cadillac|Chevrolet|Chevy|Chrysler|Citro[eë]n|Cupra|Dacia|Dodge|"
    "Ferrari|Fiat|Ford|GMC|Honda|Hyundai|Infiniti|Isuzu|Jeep|Kia|Lada|Lamborghini|Lancia|Land Rover|"
    "Lexus|Maserati|Mazda|Mercedes|MG|Mitsubishi|Nissan|Opel|Peugeot|Polestar|Porsche|Range Rover|"
    rf"Renault|Rivian|Rover|Saab|Skoda|Škoda|Subaru|Suzuki|Tesla|Toyota|Trabant|Vauxhall|Volkswagen|VW|Volvo){_MODEL}"
)
PHONE = (
    "(?:iPhone|Galaxy|Samsung|Pixel|Google Pixel|Nokia|Motorola|Xperia|Sony Xperia|OnePlus|Xiaomi|Redmi|Poco|Huawei|"
    rf"Oppo|Realme|Fairphone|BlackBerry|HTC|Nothing Phone|Asus|Zenfone){_MODEL}"
)

_US = r"\b(?:I|[Ww]e)\b(?:'m|'ve|'re)?"
_NEW = r"(?:(?:an?|the|my|our|this|new|newer|old|older|used|second-hand|little|small|smaller|big|bigger|work|company|\w+ed) )*"
_HAVE = (
    r"(?:have|has|got|get|own|bought|purchased|leased?|use|using|drive|driving|carry|kept|keep|chose|ordered|"
    r"picked up|went for|gone for|upgraded to|switched to|changed to|moved to|get around in|on)"
)
_BECAME = r"(?:is|'s|are|has become|became|have become|will be)(?: now)?"
_TURNED = r"(?:has |have )?(?:took|taken) over as"
_END = r"(?=\s*(?:[.,;:!?)]|$)|\s+(?:now|and|but|with|for|from|since|these|right|as|that|which|it|at|in|on|to|too|because|last|this|until|so)\b)"
_SETTLED = r"(?:settled(?: down)?|relocated|resided?|(?:ended|wound) up (?:living|moving|settling))"
_HOME = "(?:flat|apartment|house|place|room)"
_SWAP = r"(?:swapped|traded|replaced|exchanged|changed|switched)"

_PEOPLE = {
    "boss": "boss|manager|supervisor|team lead",
    "doctor": "doctor|GP|physician|family doctor",
    "dentist": "dentist",
    "landlord": "landlord|landlady",
    "therapist": "therapist",
    "partner": "partner|girlfriend|boyfriend|wife|husband|fiancée?|spouse",
}
_DR = rf"(?!{LANGUAGE}\b)(?:called |named )?{NAME}"


def _people() -> Iterator[Rule]:
    """Who fills a part in someone's life."""
    for slot, nouns in _PEOPLE.items():
        fits = f"{{s}}'s {slot} is {{v}}."
        yield rule(
            rf"\b[Mm]y (?:new |current )?(?:{nouns})(?:'s name)?(?: {_BECAME}|'s|,)? {_DR}",
            slot,
            fits,
            proper=True,
        )
        yield rule(
            rf"{NAME} (?:{_BECAME}|{_TURNED}|has been) my (?:new |current )?(?:{nouns})\b",
            slot,
            fits,
            proper=True,
        )
        yield rule(
            rf"\b(?:got|have|found) a new (?:{nouns})(?: called| named|,|:)* {NAME}", slot, fits, proper=True
        )


def _things() -> Iterator[Rule]:
    """What is had, driven, used and learnt, by the kind of its name."""
    for slot, kind, fits in (
        ("car", CAR, "{s} drives a {v}."),
        ("phone model", PHONE, "{s}'s phone is a {v}."),
    ):
        noun = slot.split()[0]
        yield rule(rf"{_US}{PLAIN}{{0,40}}?\b{_HAVE} {_NEW}(?P<v>{kind}){_END}", slot, fits, proper=True)
        yield rule(rf"\b(?:gave|bought|got) me {_NEW}(?P<v>{kind}){_END}", slot, fits, proper=True)
        yield rule(
            rf"{_US}{PLAIN}{{0,30}}?\b{_SWAP} (?:it|that|my|the|our)\b[\w ]{{0,20}}? (?:for|with|to) {_NEW}(?P<v>{kind}){_END}",
            slot,
            fits,
            proper=True,
        )
        yield rule(
            rf"\b(?:[Mm]y|[Oo]ur|[Tt]he) (?:new |current )?{noun}(?: now)? {_BECAME} {_NEW}(?P<v>{kind}){_END}",
            slot,
            fits,
            proper=True,
        )
    changed = r"(?:is|'s|has changed to|changed to|has become|became)(?: now)?"
    for slot, nouns, kind in (
        ("diet", "diet", DIET),
        ("work schedule", "work schedule|schedule|working hours|hours|shifts?", HOURS),
        ("job title", "job title|job|role|title|profession", JOB),
    ):
        yield rule(
            rf"\bmy (?:new |current )?(?:{nouns}) {changed} (?:an? )?(?P<v>{kind})(?=[.,;!]|$| now)",
            slot,
            f"{{s}}'s {slot} is {{v}}.",
        )
    learn = r"(?:learn|learning|study|studying|studied|take|taking|taken up|took up|doing|do|started|start|switched to|changed to|practi[sc]ing)"
    a_class = r"(?:class|course|lesson|evening class)(?:e?s)?"
    learns = "{s} is learning {v}."
    yield rule(
        rf"{_US}{PLAIN}{{0,30}}?\b{learn}(?: (?:an?|some|my|beginners'?))? (?P<v>{LANGUAGE})\b(?! (?!{a_class}|now|instead|on|in|at|for|since|with|too)\w)",
        "language class",
        learns,
        proper=True,
    )
    yield rule(
        rf"{_US}(?!{PLAIN}{{0,40}}\b(?:teach\w*|taught|g[ai]ve)\b){PLAIN}{{0,40}}?\b(?P<v>{LANGUAGE}) {a_class}\b",
        "language class",
        learns,
        proper=True,
    )
    yield rule(
        rf"\b(?:{a_class} in|lessons of) (?P<v>{LANGUAGE})\b|\b(?:it's|to) (?P<w>{LANGUAGE}) {a_class} (?:now|instead)",
        "language class",
        learns,
        proper=True,
    )


def _ways() -> Iterator[Rule]:
    """Where one lives, works and trains, what one is, eats, and when one works."""
    for pattern in (
        rf"{_US}(?: have)?(?: \w+){{0,2}}? {_SETTLED} (?:in|to) {NAME}",
        rf"\b(?:I|[Ww]e)(?:'ve| have)(?: \w+)? (?:lived|been living|been based|made (?:my|our) home) in {NAME}(?= for\b| since\b| all\b|[.,!]|$)",
        rf"\b(?:I|[Ww]e)(?:'ve| have) (?:had|rented|owned) (?:an?|my|our) (?:\w+ ){{0,2}}{_HOME} in {NAME}(?= since\b| for \w+ years)",
    ):
        yield rule(pattern, "home city", "{s} lives in {v}.", proper=True)
    for pattern in (
        rf"\bI(?:'m|'ve been)?(?: now| \w+ly)? work(?:ing)?(?: over| now| out of)* (?:at|for|with) (?:the )?{NAME}(?<!['’]s)",
        rf"\bI(?:'ve|'m)? (?:gone|went|moved|going) over to {NAME}",
        rf"\b[Mm]y (?:new |current )?(?:employer|company) {_BECAME} {NAME}",
        rf"\bI (?:start|started|begin|began)(?: work| working)? at {NAME}(?= today| tomorrow| now| this| on| as|[.,!]|$)",
    ):
        yield rule(pattern, "employer", "{s} works at {v}.", proper=True)
    for pattern in (
        rf"\bmy (?:new |current )?(?:job|profession|occupation|trade) {_BECAME} (?:(?:being |to be )?an? )?(?P<v>{JOB})(?=[.,!;]| now| since|$)",
        r"\bby trade,? I(?:'m| am) an? (?P<v>[\w-]+)",
        rf"\bI\b(?:'m|'ve)?{PLAIN}{{0,40}}?\b(?:work|working) as an? (?P<v>[\w-]+(?: {JOB})?)",
    ):
        yield rule(pattern, "job title", "{s} works as {v}.")
    for pattern in (
        rf"\bmember(?:ship)?(?: card)? (?:at|of|to|with|for) (?:the )?{NAME}",
        rf"\b[Mm]y (?:new )?gym {_BECAME} {NAME}",
        rf"\bgyms?\b[^.]*\bI(?: now)? (?:go to|use|joined) {NAME}",
        rf"\bI(?: now)? go to {NAME}\b[^.]*\bto (?:lift|train|work out|exercise)\b",
        rf"\bI(?:'ve)? (?:signed up|enrolled|registered) (?:at|with) {NAME}(?=\b[^.]*\b(?:gym|crowded|sauna|weights|trainer)\b)",
    ):
        yield rule(pattern, "gym", "{s}'s gym is {v}.", proper=True)
    yield rule(rf"\bI work under {NAME}", "boss", "{s}'s boss is {v}.", proper=True)
    yield rule(rf"\bpatient of {NAME}", "doctor", "{s}'s doctor is {v}.", proper=True)
    for pattern in (
        rf"\bI(?:'m|'ve)?(?: now| been)* (?:dating|going out with|engaged to|married to) {NAME}",
        rf"{NAME} and I are(?: now| officially)? (?:a couple|together|dating|engaged|married|an item)\b",
    ):
        yield rule(pattern, "partner", "{s}'s partner is {v}.", proper=True)
    diet = rf"{_US}{PLAIN}{{0,20}}?\b(?:went|gone|turned|keep|(?:switched to|follow|on) an?) (?P<v>{DIET})\b"
    yield rule(diet, "diet", "{s} eats {v}.")
    for pattern in (
        rf"\b(?:I|they)\b(?:'ve|'m)?{PLAIN}{{0,25}}?\b(?:switched|changed|moved|back) (?:me )?to (?P<v>{HOURS})\b",
        rf"\bI do (?P<v>{HOURS})(?= now| these days|[.,])",
    ):
        yield rule(pattern, "work schedule", "{s} works {v}.")
    for pattern in (
        r"\bmy favou?rite (?P<slot>\w+) (?:has become|became|is now) (?P<v>.{2,60})",
        r"\bnothing beats (?P<v>[\w' -]{2,30}?),? (?:it's|it is) my favou?rite (?P<slot>\w+)\b",
    ):
        yield rule(pattern, "favourite {slot}", "{s}'s favourite {slot} is {v}.")


VALUED: tuple[Rule, ...] = (*_people(), *_things(), *_ways())
