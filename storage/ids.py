"""Short ids that people can type: a counter, scrambled so that neighbours look different, in an easy alphabet."""

from __future__ import annotations

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # no 0/o, 1/i/l
BASE = len(ALPHABET)
SCRAMBLE = 0x9E3779B1  # odd and prime to BASE, so multiplication is a bijection on each length


def short_id(number: int, prefix: str = "m", width: int = 3) -> str:
    """The id of the `number`-th thing: `prefix` and at least `width` letters, unique for every number >= 0."""
    first, size = 0, BASE**width
    while number - first >= size:
        first, width, size = first + size, width + 1, size * BASE
    rest = (number - first) * SCRAMBLE % size
    letters = []
    for _ in range(width):
        rest, digit = divmod(rest, BASE)
        letters.append(ALPHABET[digit])
    return prefix + "".join(letters)
