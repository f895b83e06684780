"""`mem doctor`: what is missing or broken, and its remedy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.clock import now
from app.config import find_home
from app.errors import StorageError, StoreDamaged
from cli.opening import open_home
from cli.options import HomeOption, JsonOption, new_app
from cli.output import document, say, styled, table

if TYPE_CHECKING:
    from app.doctor import Check

app = new_app()


@app.command()
def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Repair what can be repaired without losing anything.")
    ] = False,
    network: Annotated[
        bool, typer.Option("--network", help="List every address that could ever be called, and when.")
    ] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """What is missing or broken here, with the one line that remedies it.

    Example: mem doctor --fix
    """
    if network:
        _network(json, home)
        return
    from app.doctor import machine_checks, repair, store_checks

    place = find_home(home)
    checks = machine_checks(place)
    repaired: list[str] = []
    if place.database.exists():
        try:
            memory = open_home(place)
        except StorageError as error:
            from app.doctor import Check

            checks.append(
                Check("database", False, str(error), error.hint, damage=isinstance(error, StoreDamaged))
            )
        else:
            try:
                if fix:
                    repaired = repair(memory, now())
                checks += store_checks(memory)
            finally:
                memory.close()
    _report(checks, repaired, json)


def _report(checks: list[Check], repaired: list[str], json: bool) -> None:
    if json:
        document(
            {
                "ok": all(c.ok for c in checks),
                "repaired": repaired,
                "checks": [
                    {"name": c.name, "ok": c.ok, "detail": c.detail, "remedy": c.remedy} for c in checks
                ],
            }
        )
    else:
        for line in repaired:
            say(f"Repaired: {line}.")
        for check in checks:
            mark = (
                styled("ok     ", "green")
                if check.ok
                else styled("MISSING" if not check.damage else "BROKEN ", "red")
            )
            print(f"{mark}  {check.name.ljust(14)} {check.detail}")
            if check.remedy:
                print(f"{' ' * 24} {check.remedy}")
    broken = [c for c in checks if c.damage and not c.ok]
    if broken:
        raise StoreDamaged(f"Broken: {', '.join(c.name for c in broken)}.", broken[0].remedy)


def _network(json: bool, home: Path | None) -> None:
    from app.config import load_config
    from app.doctor import addresses

    found = addresses(load_config(find_home(home).config))
    if json:
        document([{"address": a.address, "when": a.when} for a in found])
        return
    table([(a.when, a.address) for a in found], ("when", "address"))
    say("Nothing else is ever called, and nothing of your memory is sent to any of these.")
