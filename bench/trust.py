"""What the store is trusted for, measured: secrets, planted records, deletion, encryption, crowds, kills, privacy.

    python -m bench.trust [PART...]      secrets planted deletion locked crowd kills private

Prints one table. MEM_SOAK=1 runs the long versions: more kills, and the planted set with a real chat model.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from app.guard.secrets import find_secrets

DATA = Path(__file__).parent.parent / "tests" / "data"


def labelled() -> list[dict[str, object]]:
    """The lines of secrets.jsonl: text, secrets, group (structured, prose, negative)."""
    return [json.loads(line) for line in (DATA / "secrets.jsonl").read_text(encoding="utf-8").splitlines()]


def is_hidden(text: str, secret: str) -> bool:
    """Whether no character of the secret would be kept."""
    start = text.index(secret)
    covered = {n for found in find_secrets(text) for n in range(found.start, found.end)}
    return all(n in covered for n, c in enumerate(secret, start) if c.isalnum())


def missed_and_false() -> dict[str, tuple[int, list[str]]]:
    """By group: how many labels there are, and the lines that went wrong."""
    count: dict[str, int] = defaultdict(int)
    wrong: dict[str, list[str]] = defaultdict(list)
    for line in labelled():
        text, secrets, group = str(line["text"]), list(line["secrets"]), str(line["group"])  # type: ignore[call-overload]
        count[group] += 1
        failed = not all(is_hidden(text, s) for s in secrets) if secrets else bool(find_secrets(text))
        if failed:
            wrong[group].append(text)
    return {group: (count[group], wrong[group]) for group in count}
