"""Secrets in what is said: keys, tokens, passwords in prose, cards, accounts, seed phrases. Found by shape and by sum.

Pure. A miss stores a secret; a false alarm hides honest words: each pattern is as narrow as its shape allows.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass

from app.guard.told import told


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
        ("token", r"\bxox[abprs]-[\w-]{10,}|\bhf_[A-Za-z]{30,}|\bSG\.[\w-]{16,}\.[\w-]{20,}|\bdop_v1_[0-9a-f]{40,}|\bkey-[0-9a-f]{32}\b"),
        ("license key", r"\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b"),
        ("recovery key", r"\b(?:\d{6}-){7}\d{6}\b"),
        ("private key", r"(?i)(?<=private key)(?:[ a-z:=]{0,20})\b(?:0x)?[0-9a-f]{64}\b"),
        ("token", r"\b\d{8,10}:[A-Za-z0-9_-]{35}\b"),
        ("token", r"\b[a-z]{2,6}_(?:[a-z]{2,5}_)?(?=[A-Za-z0-9]*\d)(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24,}\b"),
        ("token", r"(?i)\b(?:sig|signature)=[\w%+/=-]{20,}"),
        ("api key", r"(?i)\b(?:api|access|secret|client)[-_ ]?(?:key|secret|token)['\"]?[ \t]{0,3}(?:[:=]|is)[ \t]{0,3}['\"]?[0-9a-f]{16,}\b"),
        ("password", r"(?<=://)[^\s:/@]{0,64}:[^\s:/@]{3,64}(?=@)"),
    )
)  # fmt: skip

ISSUERS = {
    13: (4,),
    14: (3,),
    15: (3,),
    16: (2, 3, 4, 5, 6),
    18: (6,),
    19: (4, 5, 6),
}  # first digits, by length
_CARD = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_SSN = re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\d-])")
_SEED = re.compile(r"\b(?:[a-z]{3,8}(?:[\s,]+(?:\d{1,2}[.)] ?)?)){11,}[a-z]{3,8}\b")
_SEED_WORDS = re.compile(r"\b(?:seed|recovery|mnemonic|wallet|backup|phrase|words)\b", re.IGNORECASE)
_LONG = re.compile(r"(?<![\w/.@-])[A-Za-z0-9+/_-][A-Za-z0-9+/_=-]{23,}(?![\w/@-])")
_HASHES = re.compile(
    r"sha\d+-.*|[0-9a-fA-F]{7,64}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|(?:[A-Za-z]+|\d+[A-Za-z]?)(?:[-_](?:[A-Za-z]+|\d+[A-Za-z]?))+|[A-Za-z]+"
)
_HEADING = frozenset(
    "my the seed recovery mnemonic wallet backup phrase words are here order its this trezor ledger".split()
)
_PROSE = frozenset(
    "the and you for was with are have not but from his her she all has had were our they".split()
)


def find_secrets(text: str) -> list[Secret]:
    """Every secret in `text`, in order, none overlapping."""
    found: list[Secret] = []
    for kind, pattern in _SHAPES:
        found += [Secret(kind, m.start(), m.end(), m.group()) for m in pattern.finditer(text)]
    found += [Secret(kind, start, end, text[start:end]) for kind, start, end in told(text)]
    found += [
        Secret("card", m.start(), m.end(), m.group()) for m in _CARD.finditer(text) if _is_card(m.group())
    ]
    found += [
        Secret("iban", m.start(), m.end(), m.group()) for m in _IBAN.finditer(text) if _is_iban(m.group())
    ]
    found += [Secret("ssn", m.start(), m.end(), m.group()) for m in _SSN.finditer(text)]
    if _SEED_WORDS.search(text):
        found += [
            Secret("seed phrase", start, m.end(), text[start : m.end()])
            for m in _SEED.finditer(text)
            if (start := _seed_start(m)) is not None
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


def _is_card(text: str) -> bool:
    """Luhn's sum (ISO/IEC 7812-1), and a first digit that card issuers use."""
    digits = [int(c) for c in text if c.isdigit()]
    if digits[0] not in ISSUERS.get(len(digits), ()) or len(set(digits)) < 2:
        return False
    doubled = [d if i % 2 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(reversed(digits), 1)]
    return sum(doubled) % 10 == 0


def _is_iban(text: str) -> bool:
    """ISO 7064 mod 97 over the rearranged account number."""
    bare = text.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def _seed_start(run: re.Match[str]) -> int | None:
    """Where the phrase begins in a run of short words: as many words as a wallet has, before them only its name."""
    words = list(re.finditer(r"[a-z]{3,8}", run[0]))
    while len(words) > 12 and (words[0][0] in _HEADING):
        words = words[1:]
    said = [word[0] for word in words]
    if len(said) not in (12, 15, 18, 21, 24) or len(set(said)) < len(said) - 1 or _PROSE & set(said):
        return None
    number = re.search(r"\d{1,2}[.)]\s*$", run.string[: run.start() + words[0].start()])
    return number.start() if number else run.start() + words[0].start()


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
