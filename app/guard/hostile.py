"""Text that would do harm when shown or obeyed: made inert, and planted instructions recognised. Pure."""

from __future__ import annotations

import re
import unicodedata

_ALLOWED_CONTROL = "\n\t"
_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")
_HIDDEN = frozenset("\u200b\u2060\ufeff\u00ad") | {chr(c) for c in range(0xE0000, 0xE0080)}
_TEMPLATE = re.compile(
    r"<\|[^|<>]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?(?:system|assistant|user|tool)>|</?s>", re.IGNORECASE
)
# Letters of other scripts that look like Latin ones, where an order is dressed up in them.
_LOOKALIKES = str.maketrans("аеорсухіјѕԁһкмтвнΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "aeopcyxijsdhkmtbhABEZHIKMNOPTYXo")
_FENCE = re.compile(r"(?m)^([^\S\n]*)(?:```|~~~|<{3,}|>{3,}|={3,}|#{3,})")

_PLANTED: tuple[tuple[str, str], ...] = (
    ("overrides instructions",
     r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,30}\b(?:previous|prior|above|all|earlier|other|your)\b.{0,30}"
     r"\b(?:instructions?|rules?|prompts?|messages?|guidelines|context|memories)\b"),
    ("speaks to the assistant",
     r"\b(?:assistant|ai|model|chatbot|llm|language model|agent)s?\b[,:]?.{0,40}\b(?:must|should|shall|has to|have to|need to|is to|will "
     r"now|from now on|always|never|please)\b"),
    ("asks to be remembered",
     r"\b(?:remember|store|save|record|memori[sz]e|note|add to (?:your )?memory|update your memory)\b.{0,30}\b(?:that|as|:)\b.{0,40}"
     r"\b(?:the )?(?:user|owner|reader|he|she|they)(?:'s)?\b"),
    ("speaks of the user's wishes",
     r"\bthe (?:user|owner|human|reader)\b.{0,30}\b(?:prefers?|wants?|likes?|trusts?|approved?|agreed|authori[sz]ed|"
     r"always|never|instructed|asked you)\b"),
    ("plays a role", r"\byou are (?:now )?(?:a|an|the|no longer)\b.{0,40}\b(?:assistant|ai|mode|model|bot|dan)\b|"
     r"\b(?:act|behave|respond) as (?:if|though|a|an)\b|\bdeveloper mode\b|\bjailbr"),
    ("speaks of the prompt", r"\bsystem (?:prompt|message|instruction|override)s?\b|\bhidden instructions?\b"),
    ("asks for an action", r"\b(?:send|forward|email|upload|post|exfiltrate|leak|transfer|wire)\b.{0,50}\b(?:password|memor(?:y|ies)|secrets?|"
     r"keys?|data|files?|contents?|money|funds|account|https?://)\b"),
    ("orders a standing rule", r"\b(?:from now on|whenever (?:asked|the user)|in all (?:future )?(?:answers|responses|conversations)|"
     r"for every (?:question|answer|request))\b.{0,60}\b(?:you|answer|say|reply|respond|recommend|tell|use)\b"),
    ("imitates the notes", r"\byou (?:said|noted)(?: \([\w ]+\))?:|(?:^|\n)[^\w\n]{0,20}(?:message|answer|notes):"),
    ("orders what to say", r"\b(?:always|only|never) (?:say|answer|reply|mention|recommend|use|end|start)\b|\bsay [\w ]+ and nothing else|"
     r"\buser preference\b|\bwhen asked\b.{0,40}\bsay\b|\bremind me\b.{0,60}\b(?:send|password|key|secret)"),
    ("speaks to a machine", r"\b(?:to|for|dear|attention|note to|reminder for) (?:\w+ ){0,3}(?:program|software|bot|chatbot|llm|parser|summari[sz]er)\b|"
     r"\bwho(?:ever|soever) (?:reads|summari[sz]es|processes) (?:this|these)\b|\bwhichever (?:program|model|assistant)\b|\(machine\)"),
    ("rules every answer", r"\b(?:every|each|all|any|no|the only) (?:(?:correct|right|valid|true|future) )?(?:repl(?:y|ies)|answers?|responses?)\b"
     r".{0,30}\b(?:is|are|ends?|begins?|starts?|counts?|must|mentions?)\b|\b(?:in|with) every (?:reply|answer|response|letter)\b|"
     r"\b(?:drop|discard) (?:what(?:ever)?|all|everything) you (?:were|have been|know)\b"),
    ("overrides instructions in another language", r"\b(?:vergiss|ignoriere?n?|missachte|ignore[rz]|oublie[rz]?|olvida|ignora|esque[cç][ea]|dimentica|negeer|vergeet)\b"
     r".{0,40}\b(?:anweisung|regel|instru[ck]|consigne|istruzion|r[eè]gl|regra)\w*"),
    ("sets up an action", r"\b(?:set up|create|schedule|start)\b.{0,40}\b(?:that|to|which) (?:cop(?:y|ies)|sends?|mails?|uploads?|forwards?|posts?)\b|"
     r"\b(?:mail|send|copy) (?:\w+ ){0,3}(?:the diary|(?:all|my|the) notes)\b"),
    ("hides an order", r"\bobey\b|<!--[^>]{0,80}\b(?:reader|software|assistant|model|state|say)\b|\"role\"\s*:\s*\"system\"|^#{2,}\s*(?:instruction|response)\b"
     r"|(?<=\. )#{2,}\s*(?:instruction|response)\b|\banswer_policy\b"),
    ("speaks for an owner", r"\b(?:account holder|owner's questions|the person)\b.{0,40}\b(?:signed off|approved|chose|recommended|are all|moved|works)\b"),
    ("imitates a log", r"\]\s*(?:user|assistant):|(?:^|\n)(?:user|assistant|system):"),
    ("holds template markers", _TEMPLATE.pattern),
)  # fmt: skip
"""Patterns, compiled when they are first asked for: showing text needs none of them."""


def inert(text: str) -> str:
    """The text as it can be shown or quoted: escapes and control characters visible, template markers broken.

    Letters of every script stay as they are; the result is never executed, only read.
    """
    plain = text.isascii() and text.isprintable()
    shown = text if plain else "".join(_shown(c) for c in text)
    shown = _TEMPLATE.sub(lambda m: m.group().replace("<", "‹").replace(">", "›").replace("[", "("), shown)
    return _FENCE.sub(
        lambda m: m.group().replace("`", "'").replace("~", "-").replace("<", "‹").replace(">", "›"), shown
    )


def looks_like_instruction(text: str) -> tuple[str, ...]:
    """Reasons to think that the text was planted to steer an assistant; empty for honest text."""
    folded = unicodedata.normalize("NFKC", "".join(c for c in text if c not in _HIDDEN and c not in _BIDI))[
        :20_000
    ].translate(_LOOKALIKES)
    reasons = [reason for reason, pattern in _PLANTED if re.search(pattern, folded, re.IGNORECASE)]
    if any(c in _HIDDEN - {"\u00ad", "\ufeff"} for c in text) and len(text) - len(folded) > 3:
        reasons.append("hides characters")
    return tuple(reasons)


def _shown(c: str) -> str:
    if c in _ALLOWED_CONTROL:
        return c
    if c in _BIDI or c in _HIDDEN or "\ud800" <= c <= "\udfff":
        return ""
    if unicodedata.category(c) == "Cc":
        return chr(0x2400 + ord(c)) if ord(c) < 0x20 else "\u2421" if ord(c) == 0x7F else ""
    return c
