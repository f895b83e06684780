"""The forms in which people state things about themselves and others: tables of patterns, no logic.

A Rule names the slot that its words fill and the sentence that it makes ({s} the subject, {v} the value).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.sleep.attributes import RELATIONS


@dataclass(frozen=True, slots=True)
class Rule:
    """A form: its words, the slot it fills, and the sentence that it makes ({s} subject, {v} value)."""

    pattern: re.Pattern[str]
    attribute: str
    template: str
    closes: bool = False
    proper: bool = False  # the value has to be a name


_I = r"\bI(?:'ve| have|'m| am|'d| had)?(?: (?:just|recently|also|actually|really|now|still|currently|finally|always))*"
_AM = r"\bI(?:'m| am)(?: (?:just|also|actually|really|now|still|currently))*"
JOB = (
    r"[\w' -]{0,40}?(?:er|or|ist|ian|nurse|teacher|chef|cook|pilot|lawyer|attorney|student|scientist|analyst|assistant|"
    r"consultant|architect|locksmith|blacksmith|paramedic|midwife|plumber|accountant|clerk|surgeon|vet|barista|mechanic|coach|model|founder|freelancer|intern|nanny|judge|"
    r"officer|agent|guard|guide|therapist|psychologist|dev|engineer|designer|manager|writer|editor)"
)
_SPORTS = r"(?:tennis|soccer|football|basketball|chess|guitar|piano|violin|drums|the \w+|badminton|volleyball|golf|hockey|squash)"


def rule(pattern: str, attribute: str, template: str, *, closes: bool = False, proper: bool = False) -> Rule:
    """A form; case matters where the value has to be a name."""
    flags = re.IGNORECASE if not proper else 0
    return Rule(re.compile(pattern, flags), attribute, template, closes, proper)


_V = r"(?P<v>.{2,80})"
NAME = r"(?P<v>(?:(?:St|San|Santa|Santo|New|Los|Las|Le|La|The|De|Rio|El|Dr)\.? )*[A-Z][\w'’-]+(?:(?:,? | (?:of|de|and|&|the|upon) )[A-Z][\w'’-]+){0,4})"
_SLOT = (
    r"(?P<slot>boss|manager|doctor|GP|dentist|landlord|landlady|therapist|bank|gym|employer|office|school|car|phone|address|home town|"
    r"favou?rite \w+)"
)
DIET = (
    r"(?:vegan|vegetarian|pescatarian|flexitarian|\w+[- ]free|plant[- ]based|low[- ](?:carb|fat|sodium|sugar)|keto|halal|kosher|paleo|carnivore|"
    r"mediterranean|fodmap|raw food)"
)
HOURS = (
    r"(?:nights|days|mornings|evenings|afternoons|weekends|(?:late|early|night|day|rotating|split) shifts|shifts|part[- ]time|"
    r"full[- ]time|nine to five|\d{1,2}(?::\d\d)?(?: ?[ap]m)? to \d{1,2}(?::\d\d)?(?: ?[ap]m)?|graveyard shifts?|(?:the )?(?:late|early|night|day) shift|(?:one|two|three|four|five|six|\d) days a week|(?:mon|tues|wednes|thurs|fri|satur|sun)days? (?:to|through) (?:mon|tues|wednes|thurs|fri|satur|sun)days?)"
)
PLAIN = r"(?:(?!\b(?:not|never|almost|if|used to|friend|they)\b|n't|[.!?;]).)"
"""Characters of a clause that neither denies nor supposes."""
SELF: tuple[Rule, ...] = (
    rule(rf"{NAME} (?:is|has been|became|will be)(?: now| also)? my (?:new |current )?{_SLOT}\b", "{slot}", "{s}'s {slot} is {v}.", proper=True),
    rule(r"(?P<v>[\w' -]{2,30}?) (?:is|has become) my (?:new )?favou?rite (?P<slot>\w+)", "favourite {slot}", "{s}'s favourite {slot} is {v}."),
    rule(rf"\bI(?: now)? report to {NAME}", "boss", "{s}'s boss is {v}.", proper=True),
    rule(rf"\bI\b{PLAIN}{{0,40}}?\b(?:work out|train|exercise|lift)(?: now)? at (?:the )?{NAME}|\bmembership at (?:the )?{NAME.replace('<v>', '<w>')}",
          "gym", "{s}'s gym is {v}.", proper=True),
    rule(r"\bI(?:'ve| have| now)? (?:see|saw|switched to|changed to|go to)(?: now)? (?P<v>Dr\.? [A-Z]\w+)", "doctor", "{s}'s doctor is {v}.", proper=True),
    rule(rf"\b(?:I|[Ww]e)\b{PLAIN}{{0,30}}?\b(?P<v>{DIET})\b(?! (?:restaurant|place|menu|option|cafe|food|cheese|burger|recipe|dish|one)s?\b)"
          rf"|\bput me on an? (?P<w>{DIET})", "diet", "{s} eats {v}."),
    rule(rf"\bI get (?:around|to work) in an? (?:old |new |used |little )*{NAME}|\btraded (?:it|the \w+|my \w+) in for an? (?:old |new |used )*"
          rf"{NAME.replace('<v>', '<w>')}", "car", "{s} drives a {v}.", proper=True),
    rule(rf"\b[Tt]here's an? (?:old )?{NAME} in my (?:driveway|garage)", "car", "{s} drives a {v}.", proper=True),
    rule(rf"{_AM} (?:seeing|dating|going out with)(?: someone called)? {NAME}|{NAME.replace('<v>', '<w>')} and I (?:have been|are|got)(?: back)? "
          r"(?:together|dating|a couple)\b", "partner", "{s}'s partner is {v}.", proper=True),
    rule(rf"(?:{_AM}|\bI(?: only| now)* work|\bthey(?:'ve| have)? \w+ me)(?: (?:on|to|working|work|only|now))* (?P<v>{HOURS})\b", "work schedule",
          "{s} works {v}."),
    rule(rf"\b(?:I|[Ww]e)\b{PLAIN}{{0,40}}?\b(?:moved|relocated) (?!(?:my|our|the) )(?:\w+ ){{0,3}}?to {NAME}|\b(?:[Mm]y )?[Hh]ome (?:for me )?is(?: now)? "
          rf"{NAME.replace('<v>', '<w>')}", "home city", "{s} lives in {v}.", proper=True),
    rule(rf"{_AM} (?:employed|taken on|hired) (?:by|at) {NAME}|\bI(?:'ve| have) been (?:with|at) {NAME.replace('<v>', '<w>')} (?:for|since)\b",
          "employer", "{s} works at {v}.", proper=True),
    rule(rf"{_AM} at {NAME} (?:now|these days)\b|{_AM} with {NAME.replace('<v>', '<w>')}, \w+ year", "employer", "{s} works at {v}.", proper=True),
    rule(rf"\b(?:I|I'm)\b{PLAIN}{{0,40}}?\b(?:living|bread|retrained|trained|qualified) as an? (?P<v>[\w -]{{3,30}}?)(?= now\b| these\b| at\b| in\b| for\b|[.,!;]|$)",
          "job title", "{s} works as {v}."),
    rule(rf"\b[Mm]y name(?:'s| is) {NAME}", "name", "{s}'s name is {v}.", proper=True),
    rule(rf"\b(?:[Pp]lease )?[Cc]all me {NAME}", "nickname", "{s} wants to be called {v}.", proper=True),
    rule(rf"{_I} (?:moved|relocated)(?: back| out| over| down| up)?(?: with [\w ]{{2,20}}?)?(?: from [A-Z][\w ]+?)? to {NAME}",
          "home city", "{s} lives in {v}.", proper=True),
    rule(rf"\b[Ww]e(?:'ve| have)?(?: just| recently| finally)? (?:moved|relocated)(?: back)?(?: from [A-Z][\w ]+?)? to {NAME}",
          "home city", "{s} lives in {v}.", proper=True),
    rule(rf"{_AM} (?:living|based|staying permanently) in {NAME}|{_I} been living in {NAME.replace('<v>', '<w>')}", "home city", "{s} lives in {v}.", proper=True),
    rule(rf"\b(?:I|[Ww]e)(?: now| currently| still)? live in {NAME}", "home city", "{s} lives in {v}.", proper=True),
    rule(rf"{_I} (?:was )?(?:born|grew up|raised) in {NAME}", "birthplace", "{s} was born or grew up in {v}.", proper=True),
    rule(rf"{_AM} (?:originally )?from {NAME}", "birthplace", "{s} is from {v}.", proper=True),
    rule(rf"(?:{_I} (?:work|working|started working|started|begun|began|joined|got (?:a|the) (?:new )?job|accepted (?:a|an|the) "
          rf"(?:job|offer|position)|(?:got )?hired|was hired|employed))(?: as (?:an? )?[\w -]{{2,30}}?)? (?:at|for|with|by|from) (?:the )?{NAME}",
          "employer", "{s} works at {v}.", proper=True),
    rule(rf"{_I} joined {NAME}(?= as\b| this\b| last\b| in\b| on\b| yesterday\b|[.,!]|$)", "employer", "{s} works at {v}.", proper=True),
    rule(rf"{_I} (?:quit|left|resigned from|got laid off from|was laid off from|was fired from) (?:my (?:old )?job (?:at|with) )?{NAME}",
          "employer", "{s} no longer works at {v}.", closes=True, proper=True),
    rule(rf"(?:{_I} (?:work|working|started|got (?:a|the) job|got promoted|was promoted|promoted|hired)"
          rf"(?: (?:at|for) [\w ]{{2,30}}?)? (?:as|to) (?:an? |the )?(?P<v>{JOB}))\b", "job title", "{s} works as {v}."),
    rule(rf"{_AM} (?:an? )(?P<v>{JOB})\b(?! of (?:my|this|that|the)\b| (?:fan|person|lover|believer)\b)", "job title", "{s} is a {v}."),
    rule(rf"\bI(?:'ve)?(?: just| recently)? (?:became|become) an? (?P<v>{JOB})\b", "job title", "{s} is a {v}."),
    rule(r"\bI(?: now| currently| still)? work (?P<v>from home)\b", "work schedule", "{s} works {v}."),
    rule(rf"{_AM} (?P<v>\d{{1,2}}) years old|{_I} (?:just )?turned (?P<w>\d{{1,2}})\b", "age", "{s} is {v} years old."),
    rule(r"\bmy birthday(?:'s| is)(?: on)? (?P<v>[^.,;!?]{3,30})", "birthday", "{s}'s birthday is {v}."),
    rule(r"\bI was born on (?P<v>[^.;!?]{3,30})", "birthday", "{s} was born on {v}."),
    rule(rf"{_AM} (?:severely |very |badly |deathly )?allergic to {_V}", "allergy", "{s} is allergic to {v}."),
    rule(r"\bI have an? (?P<v>[\w -]{3,30}?) allergy", "allergy", "{s} has a {v} allergy."),
    rule(rf"(?:{_AM}|{_I} (?:become|became|went|turned|gone)) (?:a |an )?(?P<v>lactose[- ]intolerant|celiac|coeliac|teetotal(?:l?er)?)", "diet", "{s} is {v}."),
    rule(r"\bI (?:don't|do not|no longer|never|can't|cannot) (?:eat|drink) (?P<v>[^.,;!?]{3,40})", "avoids", "{s} does not eat or drink {v}."),
    rule(rf"\bI was (?:just |recently )?diagnosed with {_V}|\bI(?:'ve| have) (?:got |had )?(?P<w>(?:type [12] )?diabetes|asthma|"
          r"migraines?|epilepsy|arthritis|anxiety|depression|adhd|insomnia|celiac disease|high blood pressure|a bad (?:back|knee))",
          "health", "{s} has {v}."),
    rule(r"\bI(?:'ve)?(?: just)? started (?:taking|on) (?P<v>[^.,;!?]{3,40})", "medication", "{s} takes {v}."),
    rule(r"\bI(?:'m| am)? (?:take|taking|on) (?P<v>[\w-]+(?: \d+ ?mg)?) (?:for my|every (?:day|morning|night)|daily)", "medication",
          "{s} takes {v}."),
    rule(r"\bmy (?:new |all[- ]time )?favou?rite (?P<slot>[\w -]{2,25}?)(?: (?:now|of all time|ever))? (?:is|are|has to be|would be|would have to be) {V}"
          .replace("{V}", _V), "favourite {slot}", "{s}'s favourite {slot} is {v}."),
    rule(rf"{_I} (?:absolutely |truly |do |still )?(?:love|adore|like|enjoy)(?!d)(?: to)? {_V}", "likes", "{s} likes {v}."),
    rule(rf"{_I} (?:a (?:big|huge) fan of|obsessed with|(?:really )?into|fond of) {_V}", "likes", "{s} likes {v}."),
    rule(rf"\bI (?:really |absolutely )?(?:hate|dislike|can't stand|cannot stand|detest|don't like|do not like|don't enjoy) {_V}",
          "dislikes", "{s} dislikes {v}."),
    rule(rf"\bI(?:'d)? (?:really |strongly |much |generally |usually )?prefer {_V}", "preference", "{s} prefers {v}."),
    rule(rf"\bI(?:'ve)? (?:quit|stopped|gave up|given up) {_V}|\bI no longer (?P<w>[^.,;!?]{{3,60}})", "gave up", "{s} gave up {v}.",
          closes=True),
    rule(r"\bI(?: also)? have (?P<v>\d+|one|two|three|four|five|six) (?P<slot>kids|children|sons|daughters|siblings|sisters|brothers|"
          r"cats|dogs|grandchildren)", "number of {slot}", "{s} has {v} {slot}."),
    rule(rf"{_I} (?:got|been|happily) (?P<v>married|engaged|divorced|separated)", "marital status", "{s} is {v}."),
    rule(r"\bwe(?:'ve| have)?(?: just| finally)? (?:got|gotten) (?P<v>married|engaged|divorced|separated)", "marital status", "{s} is {v}."),
    rule(rf"{_AM} (?P<v>single|married|divorced|engaged|widowed|separated)\b", "marital status", "{s} is {v}."),
    rule(rf"{_I} (?:speak|fluent in) (?P<v>[A-Z]\w+(?:(?:, | and )[A-Z]\w+)*)", "language", "{s} speaks {v}.", proper=True),
    rule(rf"{_I} (?:been )?(?:learning|learn|started learning) (?P<v>[\w' -]{{3,40}}?)(?= at\b| in\b| for\b| since\b|[.,!]|$)",
          "studies", "{s} studies {v}."),
    rule(rf"(?:{_I} (?:been )?(?:studying|study|majoring in|started studying)|\bI (?:switched|changed) my major to|\bmy (?:new )?major is) "
          r"(?P<v>[\w' -]{3,40}?)(?= at\b| in\b| for\b| since\b| now\b|[.,!]|$)", "major", "{s} studies {v}."),
    rule(rf"{_I} graduated from {NAME}", "education", "{s} graduated from {v}.", proper=True),
    rule(rf"{_I} (?:play|playing|started playing) (?P<v>{_SPORTS})", "hobby", "{s} plays {v}."),
    rule(rf"{_I} (?:started|took up|taken up|picked up|been doing|do|been|go) (?P<v>(?!(?:to|doing|living|working|studying|feeling|having|getting|trying|thinking|looking|being|going|waiting|hearing|seeing|wondering|"
          r"meaning|using|talking|losing|making|saying|dating|taking)\b)\w+ing\b(?: [\w' -]{{2,30}}?)?)"
          r"(?= for\b| since\b| every\b| with\b| at\b|[.,!]|$)", "hobby", "{s} does {v}."),
    rule(r"\bI(?: now)? drive (?P<v>an? [\w' -]{3,30}?)(?= to\b| every\b| and\b| now\b|[.,!]|$)", "car", "{s} drives {v}."),
    rule(r"\bI (?:ride|own) (?P<v>(?:an?|my) [\w' -]{3,40}?)(?= to\b| every\b| and\b|[.,!]|$)", "owns", "{s} has {v}."),
    rule(rf"{_I} (?:bought|got|adopted|purchased) (?P<v>(?:an?|my (?:first|own)|two|three) [\w' -]{{3,50}}?)"
          r"(?= for\b| from\b| at\b| last\b| yesterday| named\b| called\b| and\b|[.,!]|$)", "owns", "{s} got {v}."),
    rule(r"\bmy (?P<slot>[a-z]+) is (?P<v>\d[\d.,]*[^.,;!?]{0,20}?)(?= at\b| now\b| and\b| but\b|[.,;!]|$)", "{slot}", "{s}'s {slot} is {v}."),
    rule(r"\bmy commute is(?: now)? by (?P<v>[\w ]{3,30})|\bI (?:commute|get to work|go to work|travel to work)(?: now)? by (?P<w>[\w ]{3,30})",
          "commute", "{s} gets to work by {v}."),
    rule(rf"\bmy commute (?:is|takes)(?: now)? {_V}", "commute", "{s}'s commute to work is {v}."),
    rule(rf"\bmy (?:new )?(?:mobile )?phone (?:is|will be) {_V}|\bI (?:got|have|bought) a new phone, (?:it's|it is|a) (?P<w>[^.,;!?]{{3,40}})",
          "phone model", "{s}'s phone is {v}."),
    rule(r"\bI(?:'ve| have)? (?:just )?(?:switched|changed) (?:my )?(?P<slot>gym|doctor|dentist|bank|office|school|therapist)s? to "
          r"(?P<v>[^.,;!?]{3,40})", "{slot}", "{s}'s {slot} is {v}."),
    rule(r"\bI(?:'ve| have)? (?:just )?(?:switched|changed) (?P<slot>gym|doctor|dentist|bank)s?,? (?:and |so )?(?:now )?I(?: now)? (?:go to|see|use) "
          r"(?P<v>[^.,;!?]{3,40})", "{slot}", "{s}'s {slot} is {v}."),
    rule(r"\bI(?:'ve| have)?(?: got)? a new (?P<slot>boss|doctor|dentist|landlord|manager|therapist)(?: called| named)?,? (?P<v>[A-Z][\w'’. -]{2,30})",
          "{slot}", "{s}'s {slot} is {v}.", proper=True),
    rule(r"\bI(?:'ve| have)?(?: got)? a new (?:girlfriend|boyfriend|partner)(?: called| named)?,? (?P<v>[A-Z]\w+)|(?P<w>\b[A-Z]\w+) is my "
          r"(?:new )?(?:girlfriend|boyfriend|partner|wife|husband|fianc[eé]e?)\b", "partner", "{s}'s partner is {v}.", proper=True),
    rule(rf"\bmy (?:new )?(?:GP|family doctor)(?:'s name)? is {_V}", "doctor", "{s}'s doctor is {v}."),
    rule(r"\bI (?:have|use|drive|got) (?:an? |the )?(?P<v>[^.,;!?]{2,40}?) as (?:my|a) (?:new )?(?P<slot>phone|car|bank|gym|office|doctor|dentist)\b", "{slot}",
          "{s}'s {slot} is {v}."),
    rule(r"\bI (?:bought|got) (?:an? |the )(?P<v>[\w' -]{2,40}?)(?= last\b| this\b| yesterday\b|,).{0,40}\bold (?P<slot>phone|car|bike|house|flat)\b", "{slot}",
          "{s}'s {slot} is {v}."),
    rule(rf"\bmy (?:new |current )?(?P<slot>shifts|hours|gym|doctor|dentist|landlord|landlady|boss|manager|bank|office|school|car|rent|salary|time ?zone|address|"
          rf"phone number|email|therapist)(?:'s name)? (?:is|are|at)(?: called| now)? {_V}", "{slot}", "{s}'s {slot} is {v}."),
    rule(r"\bI (?:go to|joined|train at) (?:the )?(?P<v>[\w' -]{2,30}?) gym\b", "gym", "{s}'s gym is {v}."),
    rule(r"\bI (?:go to|joined|train at|work out at) (?:the |a )?(?P<v>[\w' -]*\b(?:gym|CrossFit|climbing wall|pool)\b[^.,;!?]{0,30})", "gym",
          "{s} goes to the gym {v}."),
)  # fmt: skip

OTHERS: tuple[Rule, ...] = (
    rule(rf"(?:(?:now )?lives? in|(?:has |have )?(?:just )?moved(?: back)? to|is (?:now )?living in|is based in|has relocated to|relocated to|(?:has )?settled(?: down)? in|(?:is|has been) (?:over |back )in(?= [A-Z][\w ]+(?:,| now| since| for))|has been in(?= [A-Z][\w ]+ (?:since|for)\b)) {NAME}", "home city",
          "{s} lives in {v}.", proper=True),
    rule(rf"(?:works? (?:at|for)|(?:has )?(?:just )?(?:started|got a job|joined)(?: working)? (?:at|with|for)) (?:the )?{NAME}", "employer",
          "{s} works at {v}.", proper=True),
    rule(rf"(?:works? as|is|became) an? (?P<v>{JOB})\b", "job title", "{s} is a {v}."),
    rule(rf"is (?:severely |very )?allergic to {_V}", "allergy", "{s} is allergic to {v}."),
    rule(r"is (?P<v>vegan|vegetarian|pescatarian|gluten[- ]free|celiac|coeliac)", "diet", "{s} is {v}."),
    rule(r"(?P<v>(?:doesn't|does not|can't|cannot|won't) (?:eat|drink|have|stand|tolerate)\b[^.!?,;]{2,40})", "avoids", "{s} {v}."),
    rule(rf"(?:really |absolutely )?(?:loves|likes|enjoys|adores) {_V}", "likes", "{s} likes {v}."),
    rule(rf"(?:hates|dislikes|can't stand|doesn't like) {_V}", "dislikes", "{s} dislikes {v}."),
    rule(r"(?:is|turned|just turned) (?P<v>\d{1,2})(?: years old)?\b", "age", "{s} is {v} years old."),
    rule(r"(?:'s birthday is|was born)(?: on)? (?P<v>[^.;!?]{3,30})", "birthday", "{s}'s birthday is {v}."),
    rule(rf"was diagnosed with {_V}", "health", "{s} was diagnosed with {v}."),
    rule(r"(?:is|got) (?P<v>married|engaged|divorced|pregnant)\b", "marital status", "{s} is {v}."),
    rule(r"is (?P<v>(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen)(?: (?:years|months) old)?)(?= and\b| now\b|[.,!]|$)",
          "age", "{s} is {v}."),
)  # fmt: skip

STANDING = re.compile(
    r"(?:^\s*|[.!;:] |, (?:and|so|but|please) )(?:and |also |please |so |but )*(?P<v>(?:from now on|in future|always|never|please (?:always|never|don't|do not|stop|use|keep|"
    r"answer|reply|write|remember)|remind me\b|don't ever|remember (?:that|to|this:?)|when(?:ever)? i (?:ask|say|write|tell)\b)[^.!?]{6,160})",
    re.IGNORECASE,
)
HOWTO = re.compile(r"^(?:(?:so|ok|note|tip|btw|by the way)[,:]? )?(?P<goal>to [a-z][^,.!?]{4,60}), (?P<steps>(?:you |first |just |simply )*"
                    r"[a-z]+ [^?]{8,300})$", re.IGNORECASE)  # fmt: skip
ASKS = re.compile(
    r"^\s*(?:(?:and|also|please|ok|so),? )*(?P<v>(?:don't|do not) (?!(?:you|worry|know|think|forget|be|mind|care|get me)\b)"
    r"[^.!?]{6,160})",
    re.IGNORECASE,
)
"""What a user asks of their assistant, without "please" or "always"."""

TAG_QUESTION = re.compile(
    r",? (?:did I (?:tell|mention)[^,?]*|have I told you[^,?]*|(?:can you )?believe it|you know|you see|right|ok(?:ay)?|remember|"
    r"(?:is|are|was|were|do|does|did|have|has|ca)n't (?:it|they|you|he|she|we)|is that (?:ok|a problem|fine)[^,?]*)\?\s*$",
    re.IGNORECASE,
)
"""What turns a statement into a question in form only."""
NO_STATEMENT = re.compile(
    r"\?\s*$|\b(?:if i|if we|i wish|imagine|suppose|what if|as if|would have(?! to be)|could have|should have|hypothetical|pretend|in my dream|"
    r"i dreamt|i dreamed|maybe i|might|perhaps|i wonder|i wondered|not sure if|just kidding|jk|kidding|lol|haha|joking|as a joke|"
    r"in the (?:book|movie|film|game|story|novel|show)|the character)\b|^\s*[>\"“]",
    re.IGNORECASE,
)
OF_OTHERS = re.compile(
    r"\b(?:(?:he|she|they|\w+) (?:said|says|told me|claims|claimed|thinks|wrote|asked)|according to|quote)\b[^.]*$",
    re.IGNORECASE,
)
WOULD = re.compile(r"\bI(?:'d| would)(?: really)? (?:like|love|prefer|enjoy)\b", re.IGNORECASE)
NEGATED = re.compile(
    r"(?:\b(?:not|never|no longer|hardly)|n't)\b(?! (?:believe|help|wait)\b)\s*(?:\w+\s+){0,2}$",
    re.IGNORECASE,
)
CORRECTS = re.compile(
    r"^\W*(?:no|nope|actually|sorry|correction|wait|oops|that's (?:wrong|not (?:right|true))|not quite|i meant|i mean|let me correct)\b"
    r"|\bi (?:meant|misspoke|was wrong|made a mistake)\b|\bnot \w+(?: \w+)? any ?more\b",
    re.IGNORECASE,
)
CHANGED = re.compile(
    r"\b(?:now|any ?more|no longer|these days|since|last (?:week|month|year)|switched|changed)\b",
    re.IGNORECASE,
)
CUT = re.compile(
    r"\s*(?:[,;:()—–]| - |\b(?:and (?:i|we|it|he|she|they|my|so|that|then)|but|because|since (?:i|we|it|the|my)|so (?:i|we|that|it)|which|who|when|while|"
    r"although|though|if|as (?:it|i|well|a kid)|these days|right now|at the moment|any ?more|even though|especially|ever since|last (?:week|month|"
    r"year|night|summer|spring|fall|winter|\w+day)|yesterday|today|recently|for (?:now|good|the moment|the time being)|a (?:few|couple of)? ?(?:days|weeks|months|years) ago|\w+ (?:days|weeks|"
    r"months|years) ago|this (?:week|month|year|morning)|too|btw|by the way|lol|haha|now|though|in (?:19|20)\d\d)\b).*$",
    re.IGNORECASE,
)
EMPTY = frozenset(
    "it that this them him her you there so one here everyone someone something anything me us to the how what nothing nobody none no".split()
)
PRONOUNS = (
    (r"\bI'm\b", "{s} is"), (r"\bI am\b", "{s} is"), (r"\bI've\b", "{s} has"), (r"\bI'll\b", "{s} will"), (r"\bI'd\b", "{s} would"),
    (r"\bwe're\b", "{s} and others are"), (r"\bwe've\b", "{s} and others have"), (r"\bwe'll\b", "{s} and others will"),
    (r"\bwe\b", "{s} and others"), (r"\bI have\b", "{s} has"), (r"\bI\b", "{s}"), (r"\bmy\b", "their"), (r"\bme\b", "them"),
    (r"\bmyself\b", "themselves"), (r"\bour\b", "their"), (r"\bmine\b", "theirs"), (r"\bus\b", "them"),
)  # fmt: skip

CALLED = re.compile(
    rf"\b[Mm]y (?:\w+ )?(?P<rel>{RELATIONS})(?:'s name is| is (?:called|named)| named| called|,)? (?P<name>[A-Z][a-z]+)\b"
)
"""Whom a relative, friend or pet is called."""

HAS = re.compile(
    r"\b[Ii](?:'ve| have| got|'ve got| have got| adopted)(?: also)? an? (?:\w+ ){0,2}"
    r"(?P<rel>dog|cat|puppy|kitten|son|daughter|sister|brother|parrot|horse|rabbit)(?:,? (?:named|called) (?P<name>[A-Z]\w+))?"
)
NO_WISH = re.compile(
    r"(?:always|never) (?:been|had|was|a\b|the\b|heard|seen|thought|knew|mind)", re.IGNORECASE
)
KINDRED = {
    "kids": "children", "timezone": "time zone", "manager": "boss", "gp": "doctor", "landlady": "landlord", "color": "colour",
    "shifts": "work schedule", "hours": "work schedule", "phone": "phone model", "mobile": "phone model", "cellphone": "phone model",
    "cell phone": "phone model", "handset": "phone model", "account": "bank", "supervisor": "boss", "van": "car",
}  # fmt: skip
"""Words for the same slot."""
SENTENCE = re.compile(r"(?:[^.!?\n]|[.](?=\w)|(?<=\b(?:Dr|Mr|Ms|St|Jr))\.|(?<=\bMrs)\.)+[.!?]*")
