"""Text through the user's own editor."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

from app.errors import Refused

if TYPE_CHECKING:
    from app.place import Home


def edited(text: str, home: Home, suffix: str = ".md") -> str:
    """Open `text` in $VISUAL or $EDITOR and return what the user saved. Raises Refused when that fails.

    The draft lies in the home, readable by its user alone, and is overwritten afterwards with all that the editor left
    beside it.
    """
    command = shlex.split(os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi")
    with home.scratch() as folder:
        draft = folder / f"memory{suffix}"
        draft.touch(0o600)
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
