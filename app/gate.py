"""The retrieval gate: does this message need memory? Decided from its words alone, in microseconds.

When unsure it says yes: a needless recall costs milliseconds, a missed one costs the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """The verdict. `personal`: a question about the user's own life, to be answered from memory or not at all."""

    recall: bool
    personal: bool
    reason: str


_I = re.IGNORECASE
_FIRST = re.compile(r"\b(?:i|i'm|i've|i'd|i'll|me|my|mine|myself|we|we're|we've|us|our|ours)\b", _I)
_MEMORY = re.compile(
    r"\b(?:remember|recall|remind|forgot(?:ten)?|last time|earlier|before|previous(?:ly)?|again|any ?more|still|"
    r"already|usual(?:ly)?|you (?:said|told|suggested|recommended|mentioned|promised|wrote)|"
    r"(?:did|have) you (?:say|tell|suggest|recommend|said|told)|talked about|spoke about|discussed|"
    r"know about|to-?do|diary|journal|notes?)\b",
    _I,
)
_PAST = re.compile(
    r"\b(?:yesterday|last (?:night|week|weekend|month|year|summer|winter|spring|autumn|fall|\w+day)|"
    r"(?:days?|weeks?|months?|years?) ago|in (?:january|february|march|april|may|june|july|august|september|"
    r"october|november|december)|(?:19|20)\d\d)\b",
    _I,
)
_QUESTION = re.compile(
    r"\?|^\W*(?:so |and |but |hey |ok(?:ay)?,? )?(?:who|whom|whose|what|what's|when|where|why|how|which|do|does|did|"
    r"is|are|was|were|am|have|has|had|can|could|will|would|should|shall|tell me|list|show|count|name|find)\b",
    _I,
)
_ASKS_OF_SELF = re.compile(
    r"\b(?:who|whom|whose|what(?:'s|s)?|when(?:'s)?|where(?:'s)?|why|how|which|do|does|did|is|are|was|were|am|have|has|"
    r"had|tell me|list|show|count|remember|know)\b[^.!]*\b(?:i|i'm|i've|i'd|me|my|mine|we|we've|our|us)\b",
    _I,
)
_FOR_ME = re.compile(
    r"\b(?:tell|show|give|help|teach|explain to|let|write|make|find|draw|read|get|bring|for|remind|ask|correct|"
    r"convince|walk|quiz|test|excuse|pardon)\s+(?:me|us)\b|\b(?:can|could|may|should|must|shall|do|would) (?:i|we)\b",
    _I,
)
_SMALL_TALK = re.compile(
    r"^\W*(?:(?:oh|ah|well|ok(?:ay)?|so|and|hey|hi|hello|yeah|yes|no|haha+|lol|wow|please)[\s,.!]+)*"
    r"(?:hi+|hey+|hello|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|night|day)|morning|evening|"
    r"welcome back|(?:many )?thanks?(?: (?:you|a lot|so much|very much|again|for \w+(?: \w+)?))?|thank you[\w ]*|thx|ty|cheers|"
    r"ok(?:ay)?|k|sure|fine|great|cool|nice|perfect|awesome|lovely|wonderful|brilliant|excellent|amazing|right|exactly|"
    r"indeed|agreed|true|yes|yep|yeah|yup|no|nope|nah|maybe|wow|oh|ah|hm+|huh|lol|ha(?:ha)+|bye(?: bye)?|goodbye|"
    r"see (?:you|ya)[\w ]*|later|take care|talk (?:soon|later)[\w ]*|good (?:job|work|one|point|idea)|well done|"
    r"got it|i see|i understand|understood|makes sense|that makes sense|sounds good|sounds great|no problem|"
    r"no worries|never ?mind|you'?re welcome|my pleasure|sorry|my bad|how are you[\w ]*|how(?:'s| is) it going|"
    r"how do you do|what'?s up|sup|who are you|what are you|what can you do|what(?:'s| is) your name|are you (?:there|ok|real|human|"
    r"an? \w+)|that'?s (?:all|it|great|nice|good|cool|funny|fine|right|amazing|awesome|lovely|helpful|interesting)[\w ]*|"
    r"(?:that|this|it) (?:is|was) (?:great|nice|good|cool|funny|fine|amazing|lovely|helpful|very helpful|interesting)|"
    r"go on|continue|tell me more|let'?s (?:go|start|begin|continue)|i(?:'m| am) (?:back|here|tired|bored|fine|good|ok|done|hungry|sleepy|ready))"
    r"(?:[\s,.!?;:)]+(?:mem|then|there|now|today|again|so much|a lot|everyone|friend|buddy|man|mate|you|thanks|thank you|"
    r"bye|for (?:now|today|that|the \w+)|that helps|goodnight|good (?:night|morning)|see you(?: \w+)?|talk (?:soon|later)))*[\W]*$",
    _I,
)
_CRAFT = re.compile(
    r"^\W*(?:please |now |ok(?:ay)?,? |hey,? )*(?:(?:can|could|would|will) you (?:please )?)?(?:write|compose|draft|translate|"
    r"convert|calculate|compute|solve|simplify|define|spell|conjugate|rhyme|rephrase|paraphrase|proofread|correct|fix|"
    r"refactor|debug|implement|code|generate|invent|make up|summari[sz]e (?:this|the following)|explain|"
    r"tell me a (?:\w+ )?(?:joke|story|riddle|fact|poem)|sing|count (?:to|from)|give me (?:a|an|some|\w+) "
    r"(?:\w+ )?(?:synonyms?|examples?|jokes?|riddles?|ideas? for a|words?|facts?|definitions?|names?)|what(?:'s| is) (?:the )?"
    r"(?:difference|opposite|plural|synonym|meaning|definition|formula|etymology)|how do you (?:say|spell|pronounce|write)|what does .* (?:mean|stand for))\b",
    _I,
)
_WORLD = re.compile(
    r"^\W*(?:so |and |hey |ok(?:ay)?,? )?(?:(?:do you know|can you tell me|could you tell me|tell me) )?(?:"
    r"(?:what|who|where|when|which|why|how)(?:'s|'re| is| are| was| were| did| does| do| can| many| much| far| tall| "
    r"big| old| long| deep| high| fast| hot| heavy| large| to)?\b)",
    _I,
)
_WORLD_THINGS = re.compile(
    r"\b(?:capital|president|population|currency|planet|moon|sun|earth|mars|ocean|river|mountain|country|countries|"
    r"continent|language|world|history|war|century|inventor|invented|discovered|formula|theorem|equation|atoms?|molecules?|"
    r"element|chemical|physics|gravity|light|speed of|boiling|freezing|species|animals?|mammals?|birds?|fish(?:es)?|insects?|"
    r"dinosaurs?|trees?|plants?|cells?|dna|bacteria|virus(?:es)?|vitamins?|calories|protein|python|java(?:script)?|rust|sql|git|linux|"
    r"docker|html|css|regex|bash|function|algorithm|loop|array|list comprehension|compiler|recursion|variable|database|"
    r"photosynthesis|evolution|inflation|interest rates?|democracy|philosoph\w+|novel|author of|wrote|painted|composed|"
    r"opera|symphony|olympics|world cup|kilomet\w+|miles|celsius|fahrenheit|kilograms?|pounds|ounces|gallons?|"
    r"seconds in|minutes in|hours in|days in|square root|divided by|times \d|plus|minus|prime number|"
    r"acronym|idiom|proverb|grammar|verb|noun|adjective|word for|rainbow|volcano\w*|earthquakes?|seasons|tides|thunder|sky blue|"
    r"bread rise|eggs?|rice|pasta|bake|boil|roast|recipe for|temperature)\b",
    _I,
)
_OTHERS = re.compile(
    r"\b(?:he|him|his|she|her|hers|they|them|their)\b|\b(?:the|that|this|those) (?:guy|girl|man|woman|meeting|"
    r"appointment|party|trip|project|plan|deadline|book|film|movie|restaurant|place|doctor|dentist|flight|hotel|"
    r"present|gift|wedding|code|password|number|address|thing|one|recipe|show|band|song|course|class|exam|interview|report)\b",
    _I,
)
_NAME = re.compile(
    r"(?<=[a-z,'’] )(?!I\b|I'|OK\b|English|French|German|Spanish|Italian|Portuguese|Python)[A-Z][a-z]+"
)
_ARITHMETIC = re.compile(r"^[\s\d+*/().,^%x×÷=-]+\??$|^\W*what(?:'s| is) [\d\s+*/().^%x×÷-]+\??$", _I)
_FEELING = re.compile(
    r"^\W*(?:i(?:'m| am| feel)|it(?:'s| is)|what a) (?:so |very |really |a bit |quite |just )?(?:tired|happy|sad|bored|"
    r"hungry|thirsty|sleepy|stressed|excited|cold|hot|late|raining|sunny|nice|day|lovely|beautiful|weather|okay|fine|confused|"
    r"curious|in a hurry)\b[\w\s,]{0,30}[.!]*$",
    _I,
)


def judge(text: str, previous: Need | None = None) -> Need:
    """Whether `text` needs memory, and whether it asks about the user. `previous` is the verdict on the turn before."""
    words = text.strip().replace("’", "'")
    if not re.search(r"\w", words):
        return Need(False, False, "nothing was said")
    if _SMALL_TALK.match(words) or _FEELING.match(words):
        return Need(False, False, "small talk")
    if _ARITHMETIC.match(words):
        return Need(False, False, "arithmetic")
    own = _FOR_ME.sub(" ", words)
    personal = bool(_FIRST.search(own) or _MEMORY.search(own))
    if _CRAFT.match(words) and not personal:
        return Need(False, False, "a task that needs no memory")
    question = bool(_QUESTION.search(words))
    if question and (_ASKS_OF_SELF.search(own) or _MEMORY.search(own)):
        return Need(True, True, "a question about you")
    if personal or _OTHERS.search(words) or _NAME.search(words) and not _WORLD_THINGS.search(words):
        return Need(True, False, "it touches your life")
    if question and _WORLD.match(words) and (_WORLD_THINGS.search(words) or _no_names(words)):
        return Need(False, False, "general knowledge")
    if _follows_up(words) and previous is not None:
        return Need(previous.recall, False, "it follows up")
    if _PAST.search(words) or question:
        return Need(True, False, "it may touch your life")
    return Need(len(words.split()) > 3, False, "a statement")


def _no_names(words: str) -> bool:
    """A question without a name, in the indefinite: "how do magnets work?", "what are black holes?"."""
    return not _NAME.search(words) and re.search(r"\b(?:the|that|this|it)\b", words, _I) is None


def _follows_up(words: str) -> bool:
    return (
        len(words.split()) <= 5
        and re.match(r"^\W*(?:and|but|so|or|what about|how about|why|when|where|who|how)\b", words, _I)
        is not None
    )
