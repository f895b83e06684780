"""What this machine has for running models: memory and cores, as far as this process may use them."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Machine:
    """Memory in bytes; `cores` are physical ones, because two threads of one core share its arithmetic."""

    ram: int
    cores: int


def this_machine() -> Machine:
    """Memory and cores that this process may use."""
    return Machine(_ram(), _cores())


def resident() -> int:
    """Bytes of memory that this process holds now; the most it ever held where the system tells only that."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _ram() -> int:
    built_in = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        allowed = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):  # no control group, or "max"
        return built_in
    return min(built_in, allowed)


def _cores() -> int:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(usable, _physical_cores() or usable))


def _physical_cores() -> int | None:
    if sys.platform == "darwin":
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "hw.physicalcpu"], capture_output=True, text=True, check=False
        )
        return int(done.stdout) if done.stdout.strip().isdigit() else None
    try:
        table = Path("/proc/cpuinfo").read_text()
    except OSError:
        return None
    pairs = re.findall(r"^physical id\s*: (\d+)$.*?^core id\s*: (\d+)$", table, re.MULTILINE | re.DOTALL)
    return len(set(pairs)) or None
