"""`mem daemon`: the background service that keeps the models warm and sleeps at night."""

from __future__ import annotations

import typer

from app.config import Home, find_home, load_config
from app.errors import NothingFound
from cli.options import HomeOption, JsonOption, new_app
from cli.output import document, say

app = new_app()


@app.callback()
def daemon() -> None:
    """The background service: models warm, recall in a blink, the night at its hour. Everything works without it.

    Example: mem daemon start
    """


@app.command()
def start(home: HomeOption = None, json: JsonOption = False) -> None:
    """Start it in the background.

    Example: mem daemon start
    """
    from app import service

    where = find_home(home)
    _report(service.start(where, _passphrase(where)), json)


@app.command()
def stop(home: HomeOption = None) -> None:
    """End it; what is being said is kept.

    Example: mem daemon stop
    """
    from app import service

    say("The daemon has ended." if service.stop(find_home(home)) else "No daemon was running.")


@app.command()
def status(home: HomeOption = None, json: JsonOption = False) -> None:
    """What it is doing. Exit code 3 when it is not running.

    Example: mem daemon status
    """
    from app import service

    found = service.status(find_home(home))
    if found is None:
        raise NothingFound("No daemon is running for this home.", "Start it with `mem daemon start`.")
    _report(found, json)


@app.command()
def run(home: HomeOption = None) -> None:
    """Run it here in the foreground, until Ctrl-C.

    Example: mem daemon run
    """
    import signal

    from app.clock import now
    from app.daemon import Daemon

    service = Daemon(find_home(home), now)
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, lambda *_: service.stop())
    service.serve()


@app.command()
def install(
    home: HomeOption = None,
    show: bool = typer.Option(False, "--show", help="Only print the unit; write nothing."),
) -> None:
    """Have the system start it at login (systemd on Linux, launchd on macOS).

    Example: mem daemon install
    """
    from app import service

    if show:
        print(service.unit(find_home(home)).text, end="")
        return
    unit, running = service.install(find_home(home))
    say(f"Wrote {unit.path}.")
    if not running:
        say(f"Put it in force with: {' '.join(unit.enable)}")


@app.command()
def uninstall(home: HomeOption = None) -> None:
    """Take back `install`.

    Example: mem daemon uninstall
    """
    from app import service

    unit = service.uninstall(find_home(home))
    say(f"Removed {unit.path}." if unit else "It was not installed.")


def _passphrase(home: Home) -> dict[str, str]:
    """What the daemon needs to open an encrypted memory, asked here because it has no terminal. Raises WrongKey."""
    import os

    from app.keys import needs_passphrase
    from app.open import open_memory
    from cli.opening import asker

    if not needs_passphrase(home, load_config(home.config)):
        return {}
    ask = asker()
    given = os.environ.get("MEM_PASSPHRASE") or (ask() if ask else "")
    open_memory(
        home, read_only=True, ask_passphrase=lambda: given
    ).close()  # a wrong one is told now, not in a log
    return {"MEM_PASSPHRASE": given}


def _report(found: dict[str, object], json: bool) -> None:
    if json:
        document({name: value for name, value in found.items() if name != "done"})
        return
    models = found["models"]
    assert isinstance(models, dict)
    loaded = ", ".join(name for name, there in models.items() if there) or "none yet"
    doing = "answering" if found["busy"] else "asleep" if found["asleep"] else "waiting"
    print(f"The daemon runs as process {found['pid']} since {found['since']}, {doing}.")
    print(f"Models loaded: {loaded}. Requests answered: {found['answered']}.")
