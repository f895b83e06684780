"""Starting and ending the background service, and having the system start it at login (systemd, launchd)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from app import wire
from app.config import Home
from app.errors import AppError, Refused

START_SECONDS = 20.0
STOP_SECONDS = 20.0
NAME = "mem"
LABEL = "mem.daemon"


@dataclass(frozen=True, slots=True)
class Unit:
    """A file that tells the system to run the daemon, and the commands that put it in force or out of it."""

    path: Path
    text: str
    enable: tuple[str, ...]
    disable: tuple[str, ...]


def status(home: Home) -> dict[str, Any] | None:
    """What the daemon says of itself; None when none answers."""
    try:
        return wire.ask(home.socket, {"op": "status"}, timeout=5.0)
    except (wire.NoDaemon, wire.Failed):  # also one that is just ending
        return None


def start(home: Home, environment: dict[str, str] | None = None) -> dict[str, Any]:
    """Start the daemon of this home unless it runs; returns its status. Raises AppError when it does not come up."""
    if (running := status(home)) is not None:
        return running
    home.create()
    home.logs.mkdir(mode=0o700, exist_ok=True)
    log = home.logs / "daemon.log"
    process = _spawn(command(home), log, {**os.environ, **(environment or {})})
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (running := status(home)) is not None:
            return running
        if os.waitpid(process, os.WNOHANG)[0]:
            break
        time.sleep(0.02)
    raise AppError(f"The daemon did not start: {_last_line(log)}", f"Its log is {log}.")


def stop(home: Home) -> bool:
    """End the daemon and wait until it is gone. False when none was running. Raises AppError when it hangs."""
    try:
        wire.ask(home.socket, {"op": "stop"}, timeout=5.0)
    except wire.NoDaemon:
        return False
    deadline = time.monotonic() + STOP_SECONDS
    while home.socket.exists():
        if time.monotonic() > deadline:
            raise AppError("The daemon does not end.", "Its process id is in `mem daemon status`.")
        time.sleep(0.02)
    return True


def command(home: Home) -> list[str]:
    """The command line that runs the daemon of this home in the foreground."""
    return [sys.executable, "-P", "-c", _RUN, "daemon", "run", "--home", str(home.path)]


# The console script may not be on the path of a service; the interpreter and the package are.
_RUN = "import sys; from cli.main import run; sys.exit(run(sys.argv[1:]))"


def unit(home: Home, platform: str = sys.platform, base: Path | None = None) -> Unit:
    """The unit for this system. Raises Refused where it has neither systemd nor launchd."""
    if platform == "linux":
        folder = (base or _config_folder()) / "systemd" / "user"
        name = f"{NAME}.service"
        return Unit(
            folder / name,
            _systemd(home),
            ("systemctl", "--user", "enable", "--now", name),
            ("systemctl", "--user", "disable", "--now", name),
        )
    if platform == "darwin":
        path = (base or Path.home() / "Library") / "LaunchAgents" / f"{LABEL}.plist"
        return Unit(
            path,
            _launchd(home),
            ("launchctl", "load", "-w", str(path)),
            ("launchctl", "unload", "-w", str(path)),
        )
    raise Refused(
        f"There is no service manager that mem knows on {platform}.", "Run `mem daemon start` at login."
    )


def install(home: Home) -> tuple[Unit, bool]:
    """Write the unit and put it in force; False when the service manager could not be reached."""
    found = unit(home)
    found.path.parent.mkdir(parents=True, exist_ok=True)
    found.path.write_text(found.text, encoding="utf-8")
    return found, _succeeds(found.enable)


def uninstall(home: Home) -> Unit | None:
    """Put the unit out of force and remove it; None when there was none."""
    found = unit(home)
    if not found.path.exists():
        return None
    _succeeds(found.disable)
    found.path.unlink()
    return found


def _spawn(arguments: list[str], log: Path, environment: dict[str, str]) -> int:
    """Run a command that outlives this process, in a session of its own, its output in `log`; its process id."""
    actions: list[tuple[Any, ...]] = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    return os.posix_spawn(arguments[0], arguments, environment, file_actions=actions, setsid=True)


def _succeeds(arguments: tuple[str, ...]) -> bool:
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _config_folder() -> Path:
    given = os.environ.get("XDG_CONFIG_HOME")
    return Path(given) if given else Path.home() / ".config"


def _systemd(home: Home) -> str:
    quoted = " ".join(
        '"{}"'.format(part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$"))
        for part in command(home)
    )
    return f"""[Unit]
Description=mem, a personal memory

[Service]
ExecStart={quoted}
Environment="MEM_MODELS={home.models}"
Restart=on-failure
RestartSec=5
Nice=5

[Install]
WantedBy=default.target
"""


def _launchd(home: Home) -> str:
    arguments = "\n".join(f"    <string>{escape(part)}</string>" for part in command(home))
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>{LABEL}</string>
  <key>ProgramArguments</key>
  <array>
{arguments}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
    <key>MEM_MODELS</key>
    <string>{escape(str(home.models))}</string>
  </dict>
  <key>RunAtLoad</key>
  <true/>
  <key>KeepAlive</key>
  <dict>
    <key>SuccessfulExit</key>
    <false/>
  </dict>
</dict>
</plist>
"""


def _last_line(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
