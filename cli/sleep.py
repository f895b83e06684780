"""`mem sleep`: one night now, and the reports of the nights before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.clock import now
from app.errors import BadRequest, ModelError, NothingFound
from cli.options import DryRunOption, HomeOption, JsonOption, new_app, opened
from cli.output import document, one_line, say, table
from cli.progress import status_line

if TYPE_CHECKING:
    from app.memory import Memory

app = new_app()

COLUMNS = ("read", "added", "superseded", "merged", "faded", "rejected")


@app.command()
def sleep(
    run: Annotated[str | None, typer.Argument(metavar="[RUN]", help="A night, for --report.")] = None,
    dry_run: DryRunOption = False,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0, metavar="SECONDS", help="How long it may take.")
    ] = None,
    job: Annotated[str | None, typer.Option("--job", help="Only this job.")] = None,
    report: Annotated[bool, typer.Option("--report", help="What RUN did, or the last night.")] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """One night now: find facts in what was said, settle contradictions, link, summarise, fade. It can be undone.

    Without a chat model it does all but the text that only a model can write.

    Example: mem sleep --budget 300
    """
    from app.sleep.night import report_of

    if run is not None and not report:
        raise BadRequest(f"A night has no {run!r} to begin with.", f"Its report: mem sleep --report {run}.")
    with opened(home) as memory:
        if not report:
            result = _night(memory, budget, job, dry_run)
        elif (found := report_of(memory, run)) is not None:
            result = found
        else:
            raise NothingFound("There was no night yet.", "Sleep now: `mem sleep`.")
    document(result) if json else _print(result, dry_run)


def _night(memory: Memory, budget: float | None, job: str | None, dry_run: bool) -> dict[str, Any]:
    from app.sleep.night import sleep, to_dict

    try:
        chat = memory.chat
    except ModelError as error:
        chat = None
        say(f"{error} {error.hint}\nWithout one the night does all but the text that only a model can write.")
    seconds = memory.config.night.budget_seconds if budget is None else budget
    with status_line() as show:
        return to_dict(
            sleep(memory, chat, now(), budget_seconds=seconds, only=job, dry_run=dry_run, progress=show)
        )


def _print(result: dict[str, Any], dry_run: bool) -> None:
    rows = [(j["name"], *(str(j[c] or "") for c in COLUMNS), f"{j['seconds']:.1f} s") for j in result["jobs"]]
    table(rows, ("job", *COLUMNS, "time"))
    for job in result["jobs"]:
        for change in job["changes"]:
            print(one_line(str(change)))
    if result["interrupted"]:
        say("It was interrupted, or its time was over; the next one goes on from there.")
    if not dry_run:
        say(f"To take it back: mem undo {result['run']}")
