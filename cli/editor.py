"""Text through the user's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from app.errors import Refused


def edited(text: str, suffix: str = ".md") -> str:
    """Open `text` in $VISUAL or $EDITOR and return what the user saved. Raises Refused when that fails."""
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with tempfile.TemporaryDirectory() as folder:  # readable by its user alone, gone afterwards
        draft = Path(folder) / f"memory{suffix}"
        draft.write_text(text, encoding="utf-8")
        try:
            done = subprocess.run([*command, str(draft)], check=False)
        except OSError as error:
            raise Refused(
                f"The editor {command[0]!r} does not start: {error.strerror}.", "Set EDITOR."
            ) from error
        if done.returncode:
            raise Refused(f"The editor ended with {done.returncode}; nothing was changed.", "")
        return draft.read_text(encoding="utf-8").rstrip("\n")
