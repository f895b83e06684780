"""Whether this machine runs on mains power: long work waits for it."""

from __future__ import annotations

import sys
from pathlib import Path

SUPPLIES = Path("/sys/class/power_supply")


def on_mains(supplies: Path = SUPPLIES) -> bool:
    """True on mains, and on machines that tell nothing or have no battery."""
    if sys.platform == "darwin":
        return _on_mains_mac()
    online = [_read(p / "online") for p in _list(supplies) if _read(p / "type") in ("Mains", "USB")]
    if any(state == "1" for state in online):
        return True
    discharging = any(_read(p / "status") == "Discharging" for p in _list(supplies))
    return not discharging


def _on_mains_mac() -> bool:
    import subprocess

    try:
        found = subprocess.run(
            ["pmset", "-g", "batt"], capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return True
    return "Battery Power" not in found.stdout


def _list(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
