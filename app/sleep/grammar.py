"""English as far as the night needs it: pasts, verbs that tell nothing, matters of life, the shapes of clauses and of names.

Tables of patterns, next to no logic.
"""

from __future__ import annotations

import re

from app.sleep.attributes import RELATIONS

PASTS = frozenset(
    """
    was were had did went got gave took came made ran won wrote read bought brought sold told said met left lost built
    began broke chose drew drove drank ate fell fed fought found flew forgot froze grew hung hid held hurt kept knew laid
    led learnt lent lit paid put quit rode rang rose saw sent shook shot sang sat slept spoke spent split spread stood
    stole stuck swam swept taught tore threw thought understood woke wore cut let set cost caught became heard felt hit
    beat dug bit bent bound bred dealt dreamt swore knelt
    """.split()
)
"""Irregular pasts; the others end in "ed"."""

SAYS_NOTHING = frozenset(
    """
    think thought guess guessed hope hoped hoping wish wished wonder wondered wondering mean meant say said says saying tell told
    tells telling ask asked asks asking feel felt feels know knew knows understand understood agree agreed promise promised
    forget forgot remember remembered believe believed believes swear swore bet doubt suppose imagine seem seems seemed look
    looked looks sound sounds sounded hear heard hears notice noticed laughed cry cries crying joke kidding joking thank
    appreciate worry worries apologise apologize figure figured reckon reckons claim claims claimed suggest suggested mind
    matter matters owe thinks dare expect expected deserve deserves envy admit love miss missed pretend
    guesses hopes wishes talk talked talks trying try tried thinking talking asking see seen let need want wanted wants needs
    can could would should might may must shall ought please scared surprised vanished annoyed die happen happens happened
    called calls offered texted phoned be being get fit
    """.split()
)
"""Main verbs of speech, of mind and of the moment, and those that only lean on another."""

_LIFE = (
    r"work\w*|job|born|marri\w+|divorc\w+|engaged|allerg\w+|intoleran\w+|diagnos\w+|liv(?:e|es|ed|ing) (?:in|with|near|alone|on)|mov(?:ed|ing|e) |"
    r"retir\w+|stud(?:y|ies|ied|ying)|school|universit\w+|uni|college|kindergarten|hospital|surger\w+|operat(?:ed|ion)|medicat\w+|pills?|pregnan\w+|baby|"
    r"wedding|funeral|house|flat|apartment|lease|rent|mortgage|car|truck|bike|bicycle|motorbike|van|boat|dogs?|cats?|puppy|kitten|salary|vegan|"
    r"vegetarian|diet|gluten|lactose|choir|band|team|club|course|class(?:es)?|exam|degree|thesis|diploma|licen[cs]e|garden|allotment|"
    r"guitar|piano|violin|cello|drums|tennis|chess|yoga|swim\w*|marathon|kayak\w*|danc\w+|paint\w*|knit\w*|climb\w*|therap\w+|"
    r"doctor|dentist|nurse|teach\w*|engineer|accountant|lawyer|firefighter|guide|chef|cook|baker\w*|farm\w*|driver|drives?|studio|shop|workshop|"
    r"practice|company|office|clinic|business|startup|shift\w*|remote|freelanc\w+|internship|promot\w+|hired|fired|laid off|quit|"
    r"sold|bought|adopted|inherited|broke|stol(?:e|en)|died|passed away|expecting|graduat\w+|passed|failed|won|award|published|book|"
    r"started|stopped|gave up|given up|signed up|joined|switched|asthma|diabet\w+|migraines?|arthritis|anaemia|depress\w+|anxiety|"
    r"insomnia|blood pressure|knees?|hips?|back pain|wrist|ankle|shoulder|teeth|tooth|heart\w*|stroke|cancer|parents|brothers?|sisters?|"
    r"grew up|raised|citizen\w*|visa|passport|fluent|speaks?|languages?|church|mosque|temple|army|navy|police|volunteer\w*|collects?|"
    r"runs? (?:a|an|the|my|our|two|three)|owns?|smok\w+|drinks?|sober|alcohol|coffee|meat|fish|dairy|sugar|nuts?|vitamin\w*|trip|flight|holiday|conference|"
    r"maternity|paternity|parental|on leave|interview|appointment|deadline|meeting|concert|birthday|anniversary|project|contract"
)
LIFE = re.compile(rf"\b(?:{_LIFE})\b", re.IGNORECASE)
"""What lives are made of: work, home, health, kin, learning, possessions, pastimes, dates."""


def is_past(verb: str) -> bool:
    """Whether a form is a simple past."""
    return verb in PASTS or (verb.endswith("ed") and verb not in ("need", "feed", "speed", "breed", "bleed"))


HELPS = r"(?:(?:is|are|was|were|has|have|had|does|did|will|do)(?:n['’]t)?|(?:ca|wo)n['’]t|cannot)"
THIRD = rf"(?:{HELPS}|[a-z-]+(?:s|ed)|{'|'.join(sorted(PASTS))})"
"""A pattern of forms that can go with "she" or "my sister"."""


def is_being(verb: str) -> bool:
    """Whether a form is of "be" or helps another verb: it tells least of its subject."""
    return re.fullmatch(HELPS, verb) is not None


def is_third(verb: str) -> bool:
    """Whether a form can go with "she" or "my sister"."""
    return re.fullmatch(THIRD, verb) is not None


ADVERB = (
    r"(?:(?:just|also|only|still|now|even|never|always|already|usually|often|mostly|mainly|sometimes|really|actually|"
    r"recently|finally|currently|once|both|all|then|do|\w{3,}ly) )*"
)
SUBJECT = (
    r"(?:(?P<me>I)|(?P<us>[Ww]e)|(?P<pro>[Hh]e|[Ss]he|[Tt]hey)"
    r"|(?P<whose>[Mm]y|[Oo]ur|[Yy]our|[Hh]is|[Hh]er|[Tt]heir|[Tt]he)(?P<thing>(?: [a-z][a-z-]+){1,3}?(?: [A-Z]\w+)?(?:'s [a-z]+)?)"
    rf"(?=['’](?:s|re|ve|ll)|,? {ADVERB}{THIRD}\b)"
    r"|(?P<name>(?:(?:Mr|Mrs|Ms|Dr|Uncle|Aunt)\.? )?[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+)(?P<with> and I)?(?P<of>'s [a-z]+)?)"
)
CLAUSE = re.compile(
    r"(?:^|[,;:(–—]|\.\.\.| -|(?<=\s)(?P<conj>and|but|so|because|since|when|if|while|that|who|which|though|although|until|"
    r"unless|as|where|than|what|how|whether|plus|like|before|after)\b)"
    r"\s*(?:(?:[Yy]es|[Yy]eah|[Nn]o|[Ww]ell|[Oo]h|[Oo]k|[Oo]kay|[Aa]nd|[Bb]ut|[Ss]o|[Aa]lso|[Hh]onestly|[Rr]ight|[Ss]ure|[Aa]nyway)[, ]+)*"
    rf"(?P<lead>(?:[\w'-]+,? ){{1,5}}?)??(?<![\w'])(?P<subject>{SUBJECT})(?!\w)(?P<glued>['’](?:s|re|m|ve|ll))? ?"
    rf"(?P<adverbs>{ADVERB})(?P<verb>[a-z-]+(?:['’]t)?)\b"
)
ELIDED = re.compile(
    r"^\W*(?:(?:yes|yeah|no|well|oh|ok|okay|nope|yep|and|but),? )*"
    rf"(?P<adverbs>{ADVERB})(?P<verb>been|{'|'.join(sorted(PASTS - {'was', 'were', 'let', 'put', 'set', 'cut'}))}|[a-z]{{2,}}ed)\b(?! by\b)",
    re.IGNORECASE,
)
SUBORDINATE = frozenset(
    "if when unless that who which what how whether than where while as like until".split()
)
TAILS = frozenset("since when until while where who which as than that though because".split())
VAGUE = re.compile(
    r"^(?:[,;]|(?:not )?(?:to )?(?:it|that|this|them|you|so|there|here|one|something|anything|everything|nothing|all|one|right|wrong|fine|glad|happy|sure|"
    r"sorry|good|great|better|bad|ok|okay|afraid|proud|lucky|busy|tired|kidding|dead|going to (?:be|say|ask|tell)|since|(?:from|to|in) (?:there|here|it|that)|at (?:work|home)$|at (?:work|home),|not \w+ing)\b)",
    re.IGNORECASE,
)
POINTING = re.compile(r"\b(?:it|that|this|them|there|those)\b", re.IGNORECASE)
UNSURE = re.compile(
    r"\b(?:if|would|could|should|might|maybe|perhaps|(?-i:may)|wish|suppose|imagine|probably|apparently|supposedly|almost|"
    r"like to|want to|have to|has to|need to|needs to|supposed to|was going to|were going to|going to try|hopefully|what|why|how|who knows)\b"
    r"|\?|[\"“”]|\b(?:you|your|yours|yourself)\b",
    re.IGNORECASE,
)
OFTEN = re.compile(
    r"\b(?:every|each|twice|once|daily|weekly|monthly|always|usually|often|never|mostly|nights|mornings|evenings|weekends|at night|"
    r"on \w+days|\w+ times|(?:mon|tues|wednes|thurs|fri|satur|sun)days|sometimes|"
    r"(?:an?|per) (?:day|night|week|month|year))\b",
    re.IGNORECASE,
)
SINCE = re.compile(
    r"\b(?:since|until|till|for (?:\w+ ){1,2}(?:years?|months?|weeks?|days?)|these days|nowadays|right now|any ?more|from now|ago|by christmas)\b",
    re.IGNORECASE,
)
COUNT = re.compile(
    r"\b(?:\d[\d.,:]*\w*|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fifty|"
    r"sixty|seventy|eighty|ninety|hundred|thousand|first|second|third|half)\b",
    re.IGNORECASE,
)
PROPER = re.compile(r"(?<=[\w,] )(?!I\b|I'|OK\b|TV\b)[A-ZÀ-ÖØ-Þ][\w'’-]+")
END = re.compile(
    r"(?:,? (?:but|so|because|though|although|by the way|to be honest|honestly|remember|imagine|you know|haha|lol|let's|just so|if|which|and (?:you|it's|that's))\b"
    r"|, (?:it's|that's|this|it|you|did|do|don't|what|how|thank|poor|believe|right|isn't|as|no|the|my|and)\b|\.\.\.| [-–—] |[(;:]).*$",
    re.IGNORECASE,
)


OWN = frozenset(
    "house flat apartment baby kids twins dog cat car office shop lease rent wedding deadline boss landlord company garden "
    "studio exam audit thesis project surgery operation heating".split()
)
"""Things that are their speaker's own when they are just called "the"."""
HOLDS = re.compile(
    r"(?:have|has|got|had|'ve got) (?:got )?(?:an?|two|three|four|my|no) (?!idea|question|feeling|problem|look|chance|point|plan|lot|bit|hunch|"
    r"few|minute|moment|second|doubt|good|nice|great|clue|reason|thing)",
    re.IGNORECASE,
)


KIN_NAMES = {
    "mum": "mother", "mom": "mother", "mam": "mother", "mama": "mother", "mummy": "mother", "dad": "father",
    "da": "father", "daddy": "father", "papa": "father", "granny": "grandmother", "gran": "grandmother",
    "nan": "grandmother", "grandma": "grandmother", "grandpa": "grandfather", "granddad": "grandfather",
}  # fmt: skip
"""Relatives that are called by what they are."""
WOMEN = frozenset(
    "sister mother mom mum daughter wife girlfriend fiancée aunt niece grandmother grandma landlady granddaughter "
    "mother-in-law sister-in-law daughter-in-law gran nan lady woman girl waitress godmother stepmother".split()
)
MEN = frozenset(
    "brother father dad son husband boyfriend fiancé uncle nephew grandfather grandpa landlord grandson father-in-law "
    "brother-in-law son-in-law guy man boy lad gentleman godfather stepfather".split()
)
MANY = frozenset(
    "parents kids children twins sons daughters brothers sisters cousins neighbours neighbors grandparents friends".split()
)
HELPERS = "apprentice|trainer|teacher|student|tenant|lodger|mate|ex|supervisor|client|kid|teammate|godson|trainee|carer"
RELATIVE = rf"(?:{RELATIONS}|{'|'.join(KIN_NAMES)}|{HELPERS}|{'|'.join(MANY)}|grandson|granddaughter|(?:mother|father|sister|brother|son|daughter)-in-law)"
NAME = r"[A-ZÀ-ÖØ-Þ][a-zß-öø-ÿ]+(?:-[A-Z][a-z]+)?"
NOT_PEOPLE = frozenset(
    """
    i we the this that my it you he she they yes no so but and there what today work life dinner honestly actually luckily
    finally recently sadly apparently basically hopefully anyway also then now when if because since ok okay oh ah well
    thanks thank please good great nice perfect lovely right sure hi hey hello bye see love his her their our your its a
    an in on at from for of by to with not never always every all some any one two three four five six seven eight nine ten eleven twelve twenty most god christmas easter
    thanksgiving diwali ramadan english french german spanish italian japanese dutch chinese portuguese polish swedish
    how where who why which did do does is are was were have has had can could would should will ours mine still just only
    maybe perhaps poor brave wow haha ha lol sorry same listen look wait congratulations north south east west
    after before until though once both each none nothing everyone someone nobody last next these those
    """.split()
)  # fmt: skip
KIN_OF = re.compile(
    rf"\b(?P<whose>[Mm]y|[Oo]ur|[Yy]our)(?P<like>(?: (?!{RELATIVE}\b)[a-z-]+){{0,2}}) (?P<rel>{RELATIVE})\b(?!'s)"
    rf"(?:(?:,| is called| called| named| is)? (?P<name>{NAME}))?"
)
KIN_NAME = re.compile(
    rf"(?<![\w'])(?<!\b[Mm]y )(?<!\b[Yy]our )(?:{'|'.join(n.title() for n in KIN_NAMES)})\b"
)
PET = re.compile(r"\b[Tt]he (dog|cat|puppy|kitten|horse|rabbit|parrot)\b")
CALLED = re.compile(rf"\b(?P<what>[a-z]+) (?:called|named) (?P<name>{NAME})")
NAMED = re.compile(
    rf"(?<![\w'@#-])(?P<name>(?:(?:Mr|Mrs|Ms|Dr|Miss|Uncle|Aunt|Auntie)\.? )?{NAME})(?:'s)?(?![\w-])"
)
PLACED = re.compile(
    r"(?<!talk )(?<!spoke )(?<!married )(?<!engaged )(?:\b(?:in|at|from|to|near|around|of|on|into|by|via|towards|for|the|an?|until|till|since|than|called|about|my|our|your|his|her|their)|\d) $",
    re.IGNORECASE,
)
GREETED = re.compile(
    r"(?:^|[.!?] ?)(?:hi|hey|hello|dear|morning|thanks|bye|konbanwa|hej|oh)?,? ?$", re.IGNORECASE
)
TITLES = {"Mrs": "f", "Ms": "f", "Miss": "f", "Aunt": "f", "Auntie": "f", "Mr": "m", "Uncle": "m"}
KIN = re.compile(rf"(?:[a-z-]+ ){{0,2}}(?P<rel>{RELATIVE})(?: (?P<name>[A-Z]\w+))?")
