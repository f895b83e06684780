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


# What the issuers print in front of their keys, as their documents and the public scanners' rules (gitleaks,
# trufflehog) have it: a prefix, then at least so many characters.
_KEYS = r"""
sk-(?:ant-|proj-|live-|or-|svcacct-)?[\w-]{16}  (?:sk|pk|rk|ak)_(?:live|test|prod)_\w{16}  whsec_\w{20}  pplx-\w{30}  gsk_\w{30}  r8_\w{30}
hf_[A-Za-z]{30}  xai-\w{30}  AIza[\w-]{30}  ya29\.[\w-]{20}  GOCSPX-[\w-]{20}  1//0[\w-]{30}  A(?:KI|SI|GP|ID|RO)A[0-9A-Z]{16}
""".split()
_TOKENS = r"""
gh[pousr]_\w{30}  github_pat_\w{30}  gl[a-z]{2,5}-[\w-]{18}  npm_\w{30}  pypi-[\w-]{30}  rubygems_[0-9a-f]{32}  dckr_pat_[\w-]{20}
xox[abeprs](?:\.xox[bp])?-[\w-]{10}  xapp-\d-[\w-]{20}  SG\.[\w-]{16,32}\.[\w-]{20}  xkeysib-[\w-]{40}  key-[0-9a-f]{32}  [0-9a-f]{32}-us\d{1,2}
do[opr]_v1_[0-9a-f]{40}  HRKU-[\w-]{30}  hv[sbr]\.[\w-]{20}  dp\.[a-z]{2,5}\.[\w.]{30}  \w{14}\.atlasv1\.\w{40}  dapi[0-9a-f]{32}  pul-[0-9a-f]{40}  tfp_[\w-]{30}
shp(?:at|ss|ca|pa)_[0-9a-fA-F]{32}  sq0[a-z]{3}-[\w-]{20}  EAA[AC][\w-]{30}  PMAK-[\w-]{30}  lin_api_\w{30}  gl(?:sa|c)_\w{30}  NRAK-\w{20}
AT(?:ATT|CTT)3[\w=-]{30}  fig[du]_[\w-]{30}  nfp_\w{30}  sbp_[0-9a-f]{40}  pscale_\w{3,5}_[\w.-]{30}  sntry[su]_[\w+/=-]{30}  ntn_\w{30}
dt0c01\.\w{20}\.\w{40}  pnu_\w{30}  rdme_\w{40}  secret_\w{40}  pat\w{14}\.[0-9a-f]{64}  AGE-SECRET-KEY-1\w{40}  [ps]k\.eyJ[\w-]{10,}\.[\w-]{16}  (?:xprv|yprv|zprv)\w{80}
[5KL][1-9A-HJ-NP-Za-km-z]{50,51}(?!\w)  (?:SK|AC)[0-9a-f]{32}(?!\w)  \d{8,10}:[\w-]{35}(?!\w)  A{8,}[\w%+/=-]{50}  AAAA[\w-]{7}:[\w-]{100}
[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}
""".split()

_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("private key", r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----[\s\S]{20,}?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)"),
        ("private key", r"PuTTY-User-Key-File-\d:[\s\S]{40,}?(?:Private-MAC: \w+|\Z)"),
        ("token", r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]{5,}"),
        ("api key", rf"(?<![\w-])(?:{'|'.join(_KEYS)})[\w-]*"),
        ("token", rf"(?<![\w-])(?:{'|'.join(_TOKENS)})[\w.%+/=-]*(?<![.])"),
        ("token", r"\b(?i:totp|otp|2fa|authenticator|seed|secret)\b[^\n]{0,30}?\b([A-Z2-7]{16,64})\b"),
        ("token", r"(?<=hooks\.zapier\.com/hooks/catch/)[\w/]{8,}"),
        ("license key", r"\b(?:[A-Z0-9]{4}-){5,}[A-Z0-9]{4}\b"),
        ("license key", r"\b(?:[A-Z0-9]{5}-){4}[A-Z0-9]{5}\b"),
        ("recovery key", r"\b(?:\d{6}-){7}\d{6}\b"),
        ("private key", r"(?i)(?<=private key)(?:[ a-z:=]{0,20})\b(?:0x)?[0-9a-f]{64}\b"),
        ("token", r"\b[a-z]{2,6}_(?:[a-z]{2,5}_)?(?=[A-Za-z0-9]*\d)(?=[0-9]*[A-Za-z])[A-Za-z0-9]{24,}\b"),
        ("token", r"(?<=hooks\.slack\.com/services/)[\w/]{20,}|(?<=/api/webhooks/)\d+/[\w-]{30,}"),
        ("token", r"(?i)(?:[?&;]|\b(?=sig))(?:sig|signature|secret|token|key|api_?key|access_?token|code|pass(?:word)?)=(?!\$|\{)[\w%+/=.~-]{8,}"),
        ("token", r"(?i)\b(?:cookie|session(?:id)?|sid|bearer|basic|authorization)[:=] ?(?:\w{2,20}=|bearer |basic )?[\w%+/=.~-]{24,}"),
        ("api key", r"(?i)(?:api|access|secret|client|app|auth)[-_ ]?(?:key|secret|token|id)['\"]?[ \t]{0,3}(?:[:=]|is)[ \t]{0,3}['\"]?[0-9a-f]{16,}\b"),
        ("password", r"(?m)\b[A-Z][A-Z0-9_]{0,40}(?:PASS|PASSWORD|PASSWD|PWD|SECRET|TOKEN|KEY)[ \t]?=[ \t]?['\"]?(?![\s$<{*]|[\w.]+[(\[]|(?i:your|my_|example))[^\s'\"]{6,}|(?i:\b(?:pwd|password|accountkey|sharedaccesskey)=(?![\s$<{*])[^\s;'\"]{4,})"),
        ("password", r"(?i)\b(?:mysql|mysqldump|redis-cli|sshpass|docker|psql|mongo)\b[^\n|]{0,80}? (?:-p ?|-a |--pass(?:word)?[= ])([^\s-][^\s]{3,64})"),
        ("password", r"(?i)\b(?:app|smtp|imap|mail)[- ](?:specific )?pass(?:word|code)?\b[^\n]{0,20}?\b((?:[a-z0-9]{4}[ -]){3}[a-z0-9]{4})\b"),
        ("password", r"\b(?:-u|--user) ?[\w.@-]{1,64}:[^\s'\"]{3,64}"),
        ("password", r"(?<=://)[^\s:/@]{0,64}:[^\s:/@]{3,64}(?=@)"),
    )
)  # fmt: skip

# The first digits that card issuers use, by length: Visa, Mastercard, American Express, Diners, Discover, JCB, Maestro, UnionPay.
_ISSUED = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|3(?:0|6|8|9)\d{12}(?:\d\d)?|(?:6\d|5[06-9]|35)\d{14}|(?:6\d|5[06-9])\d{16,17}"
)
_CARD = re.compile(r"(?<![\w.+-])\d(?:[ -]?\d){12,18}(?![\w-])")
_IBAN = re.compile(r"\b(?!RF)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
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
_STAND_IN = re.compile(r"(?:^|[-_])(?:your|my|example|placeholder|dummy)(?:[-_]|$)", re.IGNORECASE)
_PROSE = frozenset(
    "the and you for was with are have not but from his her she all has had were our they".split()
)


def find_secrets(text: str) -> list[Secret]:
    """Every secret in `text`, in order, none overlapping."""
    found: list[Secret] = []
    for kind, pattern in _SHAPES:
        found += [
            Secret(kind, *m.span(m.lastindex or 0), m[m.lastindex or 0]) for m in pattern.finditer(text)
        ]
    found += [Secret(kind, start, end, text[start:end]) for kind, start, end in told(text)]
    found += [
        Secret("card", m.start(), m.end(), m.group()) for m in _CARD.finditer(text) if _is_card(m.group())
    ]
    for m in _IBAN.finditer(text):
        # The word after it may look like its last group.
        said = next((t for t in (m[0], m[0].rpartition(" ")[0]) if _is_iban(t)), None)
        if said:
            found.append(Secret("iban", m.start(), m.start() + len(said), said))
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
    return _without_overlap(text, [s for s in found if s.kind == "password" or not _STAND_IN.search(s.value)])


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
    bare = re.sub(r"\D", "", text)
    if not _ISSUED.fullmatch(bare) or len(set(bare)) < 2:
        return False
    digits = map(int, reversed(bare))
    doubled = [d if i % 2 else (2 * d - 9 if d > 4 else 2 * d) for i, d in enumerate(digits, 1)]
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
    named = [n for n, word in enumerate(words[:-11]) if word[0] in _HEADING]
    words = words[named[-1] + 1 :] if named else words
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


def _without_overlap(text: str, found: list[Secret]) -> list[Secret]:
    """In order; what overlaps is one secret, from where the first begins to where the last ends."""
    out: list[Secret] = []
    for secret in sorted(found, key=lambda s: (s.start, -s.end)):
        if out and secret.start < out[-1].end:
            first = out.pop()
            end = max(first.end, secret.end)
            secret = Secret(first.kind, first.start, end, text[first.start : end])
        out.append(secret)
    return out
