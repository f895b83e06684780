"""Records a day and a night as an SVG: real commands, real models, a home of its own that is thrown away.

python -m bench.recording docs/recording.svg
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

COLUMNS = 100
STEPS: Sequence[tuple[str, str]] = (  # the day it happens on, and the command
    (
        "2026-03-02T20:00:00",
        "mem chat <<< 'I moved to Porto last week. My sister Lena is allergic to peanuts.'",
    ),
    ("2026-03-03T03:00:00", "mem sleep | grep '^[+~]'"),
    ("2026-03-03T08:00:00", "mem ask 'What must I not cook when Lena visits?'"),
    ("2026-05-04T08:00:00", "mem chat <<< 'No, actually I live in Lisbon now.'"),
    ("2026-05-05T03:00:00", "mem sleep | grep '^[+~]'"),
    ("2026-05-05T08:00:00", "mem recall -k 2 'where do I live'"),
    ("2026-05-05T08:01:00", "mem recall -k 2 'where do I live' --as-of 2026-04-01"),
)


def main() -> None:
    """Run the steps and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    target: Path = parser.parse_args().file
    with tempfile.TemporaryDirectory() as home:
        played("2026-03-01T12:00:00", "mem setup --yes", home)
        shown = [(day[:10], command, played(day, command, home)) for day, command in STEPS]
    target.write_text(drawn(shown), encoding="utf-8")
    print(f"{target}: {len(shown)} commands")


def played(day: str, command: str, home: str) -> str:
    """What bash printed, on both streams, when it was given the command on that day. Ends the program if it failed."""
    given = {
        "MEM_HOME": home,
        "MEM_NOW": f"{day}+00:00",
        "COLUMNS": str(COLUMNS),
        "NO_COLOR": "1",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEM_")}
    run = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(
        run,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        env=kept | given,
    )
    if done.returncode:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def drawn(shown: Sequence[tuple[str, str, str]]) -> str:
    """The picture of a terminal in which these commands were given."""
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    for day, command, printed in shown:
        console.print(Text.assemble((f"{day} $ ", "dim"), (command, "bold")))
        console.print(Text(printed.strip()))
        console.print()
    picture = console.export_svg(title="mem: a day, a night, a change of mind")
    # Whoever looks at it calls nobody for a font.
    return re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)


if __name__ == "__main__":
    main()
