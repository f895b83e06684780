"""`mem backup` and `mem restore-backup`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.clock import now
from app.config import find_home
from app.errors import NothingFound
from cli.opening import asker
from cli.options import HomeOption, JsonOption, YesOption, confirmed, new_app, opened
from cli.output import ago, document, say, size, table

app = new_app()


@app.command()
def backup(
    listed: Annotated[bool, typer.Option("--list", help="Only list those that are there.")] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Make a compressed copy of the store, and prove that it restores to the same state.

    Of older copies the newest of each of the last days, weeks and months stays.

    Example: mem backup
    """
    from app.backups import list_backups, make

    if listed:
        found = list_backups(find_home(home).backups)
        if json:
            document([_keys(b) for b in found])
        if not found:
            raise NothingFound("There is no backup yet.", "Make one: `mem backup`.")
        if not json:
            here = now()
            table([(ago(b.at, here), size(b.size), str(b.path)) for b in found], ("when", "size", "path"))
        return
    with opened(home) as memory:
        made = make(memory, now())
    document(_keys(made)) if json else print(made.path)


@app.command("restore-backup")
def restore_backup(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A backup, as `mem backup --list` names it.")],
    yes: YesOption = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Put a backup in place of the store. The store that was there is kept beside it.

    Example: mem restore-backup mem-20240501T033000Z.db.gz
    """
    from app.backups import find_backup, put_back

    place = find_home(home)
    path = find_backup(place, path)
    if place.database.exists():
        confirmed(f"Put {path.name} in place of the store in {place.path}?", yes)
    kept = put_back(place, path, now(), asker())
    if json:
        document({"restored": str(path), "kept": str(kept) if kept else None})
    else:
        say(f"Restored {path.name}." + (f" The store that was there is {kept}." if kept else ""))


def _keys(backup: Any) -> dict[str, object]:
    return {"path": str(backup.path), "time": backup.at.isoformat(), "size": backup.size}
