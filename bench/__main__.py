"""`make bench`: run every program of this folder that needs no argument, shortest first, and print its table.

python -m bench [NAME...]
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
PROGRAMS = (
    "start",
    "write",
    "imports",
    "embed",
    "extraction",
    "recall",
    "updates",
    "trust",
    "chat",
    "forgetting",
    "night",
    "tui",
)


def main() -> int:
    """Run the programs named, or all; the exit code says whether each one ended well."""
    names = sys.argv[1:] or [n for n in PROGRAMS if (HERE / f"{n}.py").exists()]
    failed = []
    for name in names:
        print(f"\n## {name}\n", flush=True)
        started = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=HERE.parent, check=False)
        print(f"\n({name}: {time.perf_counter() - started:.0f} s)", flush=True)
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
