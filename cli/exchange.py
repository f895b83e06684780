"""`mem import` and `mem export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import BadInput, BadRequest, NothingFound
from cli.options import DryRunOption, HomeOption, JsonOption, YesOption, confirmed, new_app, opened
from cli.output import document, one_line, say
from cli.progress import Counter

if TYPE_CHECKING:
    from app.exchange.importer import Report

app = new_app()

PROBLEMS_SHOWN = 20


@app.command("import")
def import_(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A file, an archive or a folder.")],
    format: Annotated[
        str, typer.Option("--format", "-f", help="What it is; auto looks for itself.")
    ] = "auto",
    dry_run: DryRunOption = False,
    watch: Annotated[bool, typer.Option("--watch", help="Go on, and take in what changes there.")] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Take in conversations, notes and documents. Doing it twice adds nothing; a bad item does not stop the rest.

    Example: mem import ~/notes --format markdown --dry-run
    """
    from app.clock import now
    from app.exchange.formats import importer_for
    from app.exchange.importer import import_items
    from app.exchange.watch import changes

    name, importer = importer_for(path, format)
    for _ in changes(path) if watch else (None,):
        with opened(home) as memory, Counter("imported") as counter:
            report = import_items(
                memory, importer(path), now(), dry_run=dry_run, progress=lambda r: counter.show(r.read)
            )
            without_model = memory.embedder_error is not None
        document(_keys(name, report, dry_run)) if json else print(_words(name, report, dry_run))
        if without_model and report.added:
            say("They are found by their words alone until a model is there: run `mem setup`.")
        for problem in report.problems[:PROBLEMS_SHOWN]:
            say(f"{path.name}, {problem.place}: {one_line(problem.reason)}")
    if report.problems:
        count = len(report.problems)
        raise BadInput(
            f"{count} item{'s' if count > 1 else ''} could not be read; the rest went in.",
            "Mend them and import again: what is there already is not added twice.",
        )
    if not report.read:
        raise NothingFound(f"{path} holds nothing to import.", "Say what it is with --format.")


def _keys(name: str, report: Report, dry_run: bool) -> dict[str, Any]:
    return {
        "format": name,
        "read": report.read,
        "added": report.added,
        "known": report.known,
        "forgotten": report.forgotten,
        "outdated": report.outdated,
        "links": report.links,
        "run": report.run,
        "dry_run": dry_run,
        "problems": [{"place": p.place, "reason": p.reason} for p in report.problems],
    }


def _words(name: str, report: Report, dry_run: bool) -> str:
    verb = "Would add" if dry_run else "Added"
    more = [
        f", {count} {words}"
        for count, words in (
            (report.known, "were there already"),
            (report.forgotten, "were forgotten and stay so"),
            (report.outdated, "no longer stand there"),
        )
        if count
    ]
    return f"{verb} {report.added} of {report.read} ({name}){''.join(more)}."


@app.command()
def export(
    path: Annotated[
        str,
        typer.Argument(metavar="PATH", help='A file or a folder; "-" writes JSON lines to standard output.'),
    ],
    format: Annotated[str, typer.Option("--format", "-f", help="jsonl or markdown.")] = "auto",
    yes: YesOption = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write everything: as JSON lines that another home takes in unchanged, or as a book in Markdown to read.

    Example: mem export memory.jsonl
    """
    from app.clock import now
    from app.exchange.exporters import book, jsonl_lines, write_book, write_private

    if format == "auto":
        format = "jsonl" if path == "-" or path.endswith((".jsonl", ".json")) else "markdown"
    if format not in ("jsonl", "markdown"):
        raise BadRequest(f"There is no format {format!r}.", "It is one of: jsonl, markdown.")
    with opened(home) as memory:
        if path == "-":
            sys.stdout.writelines(jsonl_lines(memory))
            return
        target = Path(path).expanduser()
        if target.is_file() or (target.is_dir() and any(target.iterdir())):
            confirmed(f"{target} is there already. Write over it?", yes)
        if format == "jsonl":
            count, files = write_private(target, jsonl_lines(memory)) - 1, [target]
        else:
            chapters = book(memory, now())
            count, files = len(chapters), write_book(chapters, target)
    if json:
        document({"format": format, "files": [str(f) for f in files], "count": count})
    else:
        what = "rows" if format == "jsonl" else "chapters"
        say(f"Wrote {count:,} {what} to {target}.")
