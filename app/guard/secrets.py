"""Secrets in what is said: keys, tokens, passwords in prose, cards, accounts, seed phrases. Found by shape and by sum.

Pure. A miss stores a secret; a false alarm hides honest words: each pattern is as narrow as its shape allows.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret in `text[start:end]`."""

    kind: str
    start: int
    end: int
    value: str


_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{20,}?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
        ("token", r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}"),
        ("api key", r"\bsk-(?:ant-|proj-|live-|or-)?[\w-]{16,}|\b(?:sk|pk|rk)_(?:live|test)_[0-9A-Za-z]{16,}"),
        ("api key", r"\bAKIA[0-9A-Z]{16}\b|\bASIA[0-9A-Z]{16}\b|\bAIza[\w-]{30,}|\bya29\.[\w-]{20,}"),
        ("token", r"\bgh[pousr]_[0-9A-Za-z]{30,}|\bgithub_pat_\w{30,}|\bglpat-[\w-]{18,}|\bnpm_[0-9A-Za-z]{30,}|\bpypi-[\w-]{30,}"),
        ("token", r"\bxox[abprs]-[\w-]{10,}|\bhf_[A-Za-z]{30,}|\bSG\.[\w-]{16,}\.[\w-]{20,}|\bdop_v1_[0-9a-f]{40,}"),
        ("token", r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b"),
        ("password", r"(?<=passphrase is )[^.,;!?\n]{8,80}|(?<=passphrase: )[^.,;!?\n]{8,80}"),
        ("password", r"(?<=://)[^\s:/@]{1,64}:[^\s:/@]{3,64}(?=@)"),
    )
)  # fmt: skip

_NAMED = re.compile(
    r"\b(?P<what>(?:\w+[ _-]){0,2}?(?:pass(?:word|phrase|code|wd)?|pwd|pin(?: code| number)?|(?:wi-?fi|door|gate|alarm|safe|"
    r"entry|access|unlock|security|vault|locker|garage|voicemail|building|key ?pad|lock ?box|padlock|bike lock|sim|card)"
    r" ?(?:code|key|pin|combination|password)|combination|cvv2?|cvc|security (?:answer|code)|secret(?: key| word| phrase)?|"
    r"api[ _-]?(?:key|token)|access[ _-]?(?:key|token)|auth(?:orization)?[ _-]?(?:key|token)|bearer|token|client[ _-]?secret|"
    r"private[ _-]?key|encryption key|recovery (?:code|key)|backup code|otp|2fa code|one[- ]time code|log-?in))"
    r"(?:\s+(?:for|to|of|on|at|in)\s+[\w' .@-]{1,40}?)?"
    r"(?:\s*(?:[:=]|->|=>)\s*|\s+(?:is|was|are|has been|will be|changed to|to|set to|reset to)(?:\s+(?:now|still|always|currently|"
    r"set to|just|changed to))*\s*:?\s+|\s+)"
    r"(?P<quote>[\"'`“‘]?)(?P<value>[^\s\"'`”’]{3,80})",
    re.IGNORECASE,
)
_DIGIT_NAMES = re.compile(r"\b(?:pin|code|combination|cvv2?|cvc|otp)\b", re.IGNORECASE)
_CARD = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_SEED = re.compile(r"\b(?:[a-z]{3,8}[ ,]+){11,23}[a-z]{3,8}\b")
_SEED_WORDS = re.compile(r"\b(?:seed|recovery|mnemonic|wallet|backup|phrase|words)\b", re.IGNORECASE)
_LONG = re.compile(r"(?<![\w/.@-])[A-Za-z0-9+/_=-]{24,}(?![\w/@-])")
_HASHES = re.compile(
    r"[0-9a-fA-F]{7,64}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[A-Za-z]+(?:[-_][A-Za-z]+)+|[A-Za-z]+|[\d-]+"
)
_PROSE = frozenset(
    "the and you for was with are have not but from his her she all has had were our they".split()
)
# Words that follow "the password is" in honest sentences.
_PLAIN = frozenset(
    """
    the a an my your his her our their its it that this not no very really
    too so just still always never now then here there what which who how why when where
    wrong right correct incorrect required needed missing expired broken secure safe strong weak long short same different
    new old secret hidden stored saved changed reset lost forgotten empty easy hard good bad better fine
    ok okay set going being used about important under over on in at with for to of
    and or but if like somewhere something anything nothing everything written case-sensitive protected manager managers reset. please
    you he she we they i is was are were be been has have had will can
    could should would must do does did working valid invalid due stuck locked blocked taped wait soon
    later again twice tomorrow today yesterday number page field limit limits count counts budget usage window economy
    prices price based length size sale sales holders holder between from by as up out off only
    also even more most less least one two three four five six change
    """.split()
)


def find_secrets(text: str) -> list[Secret]:
    """Every secret in `text`, in order, none overlapping."""
    found: list[Secret] = []
    for kind, pattern in _SHAPES:
        found += [Secret(kind, m.start(), m.end(), m.group()) for m in pattern.finditer(text)]
    found += _named(text)
    found += [
        Secret("card", m.start(), m.end(), m.group()) for m in _CARD.finditer(text) if _is_card(m.group())
    ]
    found += [
        Secret("iban", m.start(), m.end(), m.group()) for m in _IBAN.finditer(text) if _is_iban(m.group())
    ]
    found += [Secret("ssn", m.start(), m.end(), m.group()) for m in _SSN.finditer(text)]
    if _SEED_WORDS.search(text):
        found += [
            Secret("seed phrase", m.start(), m.end(), m.group())
            for m in _SEED.finditer(text)
            if _is_seed(m.group())
        ]
    found += [
        Secret("token", m.start(), m.end(), m.group()) for m in _LONG.finditer(text) if _is_random(m.group())
    ]
    return _without_overlap(found)


def redact(text: str) -> tuple[str, list[Secret]]:
    """The text with `[secret:kind]` in the place of each secret, and the secrets."""
    found = find_secrets(text)
    out, at = [], 0
    for secret in found:
        out += [text[at : secret.start], f"[secret:{secret.kind}]"]
        at = secret.end
    return "".join([*out, text[at:]]), found


def _named(text: str) -> list[Secret]:
    found = []
    for m in _NAMED.finditer(text):
        value = m["value"].rstrip(".,;:!?)") if not m["quote"] else m["value"]
        digits = value.replace("-", "").isdigit()
        if (
            value.lower().strip("'*") in _PLAIN
            or len(value) < 3
            or (digits and len(value) < 4 and "cv" not in m["what"].lower())
        ):
            continue
        explicit = (
            bool(m["quote"])
            or re.search(r"[:=>]\s*[\"'`“‘]?$|\b(?:is|was|to|now)\s+[\"'`“‘]?$", text[: m.start("value")])
            is not None
        )
        looks = bool(re.search(r"\d", value) and re.search(r"[A-Za-z]", value)) or bool(
            re.search(r"[^\w.'-]", value)
        )
        mixed = bool(re.search(r"[a-z][A-Z]", value))
        if (
            looks
            or mixed
            or (digits and (_DIGIT_NAMES.search(m["what"]) or explicit))
            or (explicit and m["quote"])
        ):
            kind = "pin" if digits and _DIGIT_NAMES.search(m["what"]) else "password"
            start = m.start("value")
            found.append(Secret(kind, start, start + len(value), value))
        elif (
            explicit
            and value.islower()
            and len(value) >= 6
            and re.search(r"pass|pwd|wi-?fi", m["what"], re.I)
        ):
            start = m.start("value")
            found.append(Secret("password", start, start + len(value), value))
    return found


def _is_card(text: str) -> bool:
    """Luhn's sum (ISO/IEC 7812-1), and a first digit that card issuers use."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or digits[0] not in (2, 3, 4, 5, 6) or len(set(digits)) < 2:
        return False
    doubled = [d if i % 2 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits), 1)]
    return sum(doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """ISO 7064 mod 97 over the rearranged account number."""
    bare = text.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def _is_seed(text: str) -> bool:
    words = re.split(r"[ ,]+", text)
    return (
        len(words) in (12, 15, 18, 21, 24) and len(set(words)) >= len(words) - 1 and not _PROSE & set(words)
    )


def _is_random(text: str) -> bool:
    """High entropy, letters of both cases and digits: not a hash in hex, a slug, a UUID or a word."""
    if _HASHES.fullmatch(text) or text.count("/") > 2:
        return False
    kinds = sum(bool(re.search(p, text)) for p in (r"[a-z]", r"[A-Z]", r"\d"))
    counts = Counter(text)
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    return kinds == 3 and entropy > 3.7


def _without_overlap(found: list[Secret]) -> list[Secret]:
    out: list[Secret] = []
    for secret in sorted(found, key=lambda s: (s.start, -s.end)):
        if not out or secret.start >= out[-1].end:
            out.append(secret)
    return out
