"""What was changed, and taking it back: log, undo, verify, replay."""

from __future__ import annotations

from typing import Annotated

import typer

from app.clock import now
from app.errors import NothingFound, StoreDamaged
from cli.options import DryRunOption, HomeOption, JsonOption, LimitOption, new_app, opened
from cli.output import day, document, say, styled, table

app = new_app()


@app.command()
def log(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="Only this run, entry by entry.")] = None,
    limit: LimitOption = 20,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """What was changed, newest first, one line a run.

    Example: mem log -n 5
    """
    from app.journal import entries, entry_keys, run_keys, runs

    here = now()
    with opened(home) as memory:
        if run is not None:
            found = entries(memory, run, limit)
            rows: list[tuple[str, ...]] = [
                (str(e.seq), day(e.at, here), e.action, e.what, e.summary) for e in found
            ]
            keys = [entry_keys(e) for e in found]
            headers: tuple[str, ...] = ("entry", "when", "action", "what", "change")
        else:
            listed = runs(memory, limit)
            rows = [(r.run, day(r.at, here), r.actions, str(r.changes)) for r in listed]
            keys = [run_keys(r) for r in listed]
            headers = ("run", "when", "action", "changes")
    if json:
        document(keys)
    if not rows:
        raise NothingFound(
            "Nothing was changed yet." if run is None else f"There is no run {run!r}.", "See `mem log`."
        )
    if not json:
        table(rows, headers)


@app.command()
def undo(
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[RUN|ENTRY]", help="A run or an entry of `mem log`; the last run by default."
        ),
    ] = None,
    dry_run: DryRunOption = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Reverse one run or one entry. The undo is itself a run that can be undone.

    Example: mem undo r7k2
    """
    from app.journal import count_changes, last_run, undo

    with opened(home) as memory:
        name = what or last_run(memory)
        changes = count_changes(memory, name) if dry_run else undo(memory, name, now())
    if json:
        document({"undone": name, "changes": changes, "dry_run": dry_run})
    else:
        print(
            f"{'Would undo' if dry_run else 'Undid'} {name}: {changes} change{'' if changes == 1 else 's'}."
        )


@app.command()
def verify(json: JsonOption = False, home: HomeOption = None) -> None:
    """Prove that the store is whole: pages, full text, vectors against rows, and the journal replayed.

    Prints the state hash: two stores with the same hash hold the same memory.

    Example: mem verify --json
    """
    from app.doctor import verify

    with opened(home) as memory:
        checks = verify(memory)
    if json:
        document(
            {
                "ok": all(c.ok for c in checks),
                "state_hash": next((c.detail for c in checks if c.name == "state hash"), None),
                "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in checks],
            }
        )
    else:
        for check in checks:
            mark = styled("ok  ", "green") if check.ok else styled("FAIL", "red")
            print(f"{mark}  {check.name.ljust(16)} {check.detail}")
    failed = [c.name for c in checks if not c.ok]
    if failed:
        raise StoreDamaged(
            f"Failed: {', '.join(failed)}.", "Run `mem doctor --fix`; it says what it will do."
        )


@app.command()
def replay(json: JsonOption = False, home: HomeOption = None) -> None:
    """Rebuild the state from the journal alone, in memory, and compare it with the store.

    Example: mem replay
    """
    from app.doctor import replayed

    with opened(home) as memory:
        here, again = replayed(memory)
    if json:
        document({"ok": here == again, "state_hash": here, "replayed_hash": again})
    else:
        print(f"store   {here}\njournal {again}")
    if here != again:
        raise StoreDamaged(
            "The journal does not lead to this state.", "Restore a backup: `mem restore-backup PATH`."
        )
    say("Equal.")
