"""Where a memory lives. Nothing else is known here: a command that asks the daemon needs no more of the settings."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from app.errors import Refused


@dataclass(frozen=True, slots=True)
class Home:
    """The folder that holds one memory, and the folder of downloaded models. Nothing is written elsewhere."""

    path: Path
    models: Path

    def scratch(self) -> AbstractContextManager[Path]:
        """A folder in it for its user's eyes alone, of which nothing is left at the end."""
        from storage.files import scratch

        return scratch(self.path)

    @property
    def database(self) -> Path:
        return self.path / "mem.db"

    @property
    def config(self) -> Path:
        return self.path / "config.toml"

    @property
    def backups(self) -> Path:
        return self.path / "backups"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def socket(self) -> Path:
        return self.path / "mem.sock"

    def create(self) -> None:
        """Make the folder, readable by its user alone. Raises Refused where that cannot be."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self.path.stat().st_uid == os.getuid():
                self.path.chmod(0o700)
        except OSError as error:
            hint = "Choose another place with --home or MEM_HOME, or mend the permissions."
            raise Refused(f"Cannot use {self.path}: {error.strerror}.", hint) from error


def find_home(path: Path | None = None) -> Home:
    """The home folder: `path`, else MEM_HOME, else the platform's user data folder. Nothing is created."""
    from platformdirs import user_cache_path, user_data_path

    home = path or (Path(os.environ["MEM_HOME"]) if os.environ.get("MEM_HOME") else user_data_path("mem"))
    models = os.environ.get("MEM_MODELS")
    return Home(home.expanduser().absolute(), Path(models) if models else user_cache_path("mem") / "models")
