"""`mem sleep`: one night now, and the reports of the nights before."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from app.clock import now
from app.errors import ModelError
from cli.options import DryRunOption, HomeOption, JsonOption, new_app, opened
from cli.output import document, one_line, say, table
from cli.progress import status_line

app = new_app()

COLUMNS = ("read", "added", "superseded", "merged", "faded", "rejected")


@app.command()
def sleep(
    dry_run: DryRunOption = False,
    budget: Annotated[
        float | None, typer.Option("--budget", min=0, metavar="SECONDS", help="How long it may take.")
    ] = None,
    job: Annotated[list[str] | None, typer.Option("--job", help="Only this job; may be repeated.")] = None,
    report: Annotated[
        str | None, typer.Option("--report", metavar="[RUN]", help='What a night did; "last" for the newest.')
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """One night now: find facts in what was said, settle contradictions, link, summarise, fade. It can be undone.

    Without a chat model it does all but the text that only a model can write.

    Example: mem sleep --budget 300
    """
    from app.sleep.night import report_of
    from app.sleep.night import sleep as night

    with opened(home) as memory:
        if report is not None:
            result = report_of(memory, None if report == "last" else report)
        else:
            try:
                chat = memory.chat
            except ModelError as error:
                chat = None
                say(f"Without a chat model: {error} {error.hint}")
            with status_line() as show:
                result = night(
                    memory,
                    chat,
                    now(),
                    budget_seconds=memory.config.night.budget_seconds if budget is None else budget,
                    only=job or None,
                    dry_run=dry_run,
                    progress=show,
                )
    keys = result.keys()
    document(keys) if json else _print(keys, result)


def _print(keys: dict[str, Any], result: Any) -> None:
    rows = [(j["name"], *(str(j[c] or "") for c in COLUMNS), f"{j['seconds']:.1f} s") for j in keys["jobs"]]
    table(rows, ("job", *COLUMNS, "time"))
    for line in result.lines():
        print(one_line(line))
    say(
        f"{'Interrupted; it goes on next time. ' if keys['interrupted'] else ''}To take it back: mem undo {keys['run']}"
    )
