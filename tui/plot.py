"""Plots in letters: an area under a curve with marks below it, and a histogram. Pure: numbers in, lines out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.curves import BUCKETS, Course
from tui.words import bar, day

EIGHTHS = " ▁▂▃▄▅▆▇█"
AHEAD = "░"  # the part that has not happened yet


def curve(course: Course, now: datetime, height: int = 8) -> list[str]:
    """The course of one memory: what was as full columns, what will be as shaded ones, its uses as ▲ below.

    Rows at R = 0.5 and 0.2 are named, because a memory falls asleep, and may be archived, there.
    """
    lines = []
    for level in range(height, 0, -1):
        cells = [
            _cell(value, level, height) if moment <= now else (AHEAD if value * height > level - 0.5 else " ")
            for moment, value in course.points
        ]
        lines.append(f"{_axis(level, height):>6} {''.join(cells)}".rstrip())
    lines.append(f"{'uses':>6} {_marks(course)}".rstrip())
    first, last = course.points[0][0], course.points[-1][0]
    left, right = day(first, now), day(last, now)
    room = max(1, len(course.points) - len(left) - len(right))
    lines.append(f"{'':>6} {left}{' ' * room}{right}")
    return lines


def histogram(kinds: Mapping[str, Sequence[int]], protected: Mapping[str, int], width: int = 16) -> list[str]:
    """Per kind a row: how many memories are how awake, from R >= 0.9 down to R < 0.1, and how many are kept so."""
    heads = [f"≥{edge:.1f}" for edge in BUCKETS] + [f"<{BUCKETS[-1]:.1f}"]
    lines = [f"{'':<9}" + "".join(f"{head:>5}" for head in heads) + "  kept"]
    for kind in sorted({*kinds, *protected}):
        counts = kinds.get(kind, [0] * len(heads))
        lines.append(
            f"{kind:<9}" + "".join(f"{short(count):>5}" for count in counts) + f"  {protected.get(kind, 0):,}"
        )
    totals = [sum(counts[n] for counts in kinds.values()) for n in range(len(heads))]
    most = max(totals, default=0)
    lines.append("")
    lines += [
        f"{head:>6} {bar(total, most, width)} {total:,}" for head, total in zip(heads, totals, strict=True)
    ]
    return lines


def short(count: int) -> str:
    """A count in at most four letters: 999, 12k, 4M; "·" for none."""
    if count < 1_000:
        return str(count) if count else "·"
    return f"{count // 1_000}k" if count < 1_000_000 else f"{count // 1_000_000}M"


def _cell(value: float, level: int, height: int) -> str:
    return EIGHTHS[max(0, min(8, round((value * height - (level - 1)) * 8)))]


def _axis(level: int, height: int) -> str:
    low, high = (level - 1) / height, level / height
    named = next((edge for edge in (1.0, 0.5, 0.2) if low < edge <= high), None)
    return "" if named is None else f"{named:.1f} ┤"


def _marks(course: Course) -> str:
    """A ▲ in the column of each use; ▲ stands for any number of uses there."""
    moments = [moment for moment, _ in course.points]
    columns = {
        max(n for n, moment in enumerate(moments) if n == 0 or moment <= use.at) for use in course.uses
    }
    return "".join("▲" if n in columns else " " for n in range(len(moments)))
