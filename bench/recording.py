"""Records a day and a night as an SVG: real commands, real models, a home of its own that is thrown away.

python -m bench.recording docs/recording.svg
"""

from __future__ import annotations

import argparse
import io
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

COLUMNS = 100
STEPS: Sequence[tuple[str, str, str]] = (  # command, what is typed into it, the day it happens on
    (
        "mem chat",
        "I moved to Porto last week.\nMy sister Lena is allergic to peanuts.\n",
        "2026-03-02T20:00:00",
    ),
    ("mem sleep", "", "2026-03-03T03:00:00"),
    ("mem ask 'What must I not cook when Lena visits?'", "", "2026-03-03T08:00:00"),
    ("mem chat", "No, actually I live in Lisbon now.\n", "2026-05-04T08:00:00"),
    ("mem sleep", "", "2026-05-05T03:00:00"),
    ("mem recall -k 2 'where do I live'", "", "2026-05-05T08:00:00"),
    ("mem recall -k 2 'where do I live' --as-of 2026-04-01", "", "2026-05-05T08:01:00"),
)


def main() -> None:
    """Run the steps and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    target: Path = parser.parse_args().file
    with tempfile.TemporaryDirectory() as home:
        played("mem setup --yes", "", "2026-03-01T12:00:00", home)
        shown = [(command, *played(command, typed, day, home)) for command, typed, day in STEPS]
    target.write_text(drawn(shown), encoding="utf-8")
    print(f"{target}: {len(shown)} commands")


def played(command: str, typed: str, day: str, home: str) -> tuple[str, str]:
    """The day, and what the command printed, on both streams, when these lines were typed into it."""
    place = {"MEM_HOME": home, "MEM_NOW": f"{day}+00:00", "COLUMNS": str(COLUMNS), "NO_COLOR": "1"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("mem")), *shlex.split(command)[1:]],
        input=typed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(place),
    )
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return day[:10], done.stdout


def drawn(shown: Sequence[tuple[str, str, str]]) -> str:
    """The picture of a terminal in which these commands were given."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for command, day, printed in shown:
        console.print(Text.assemble((f"{day} $ ", "dim"), (command, "bold")))
        console.print(Text(printed.strip()))
        console.print()
    return console.export_svg(title="mem: a day, a night, a change of mind")


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEM_")}
    return kept | dict(more)


if __name__ == "__main__":
    main()
