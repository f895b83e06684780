"""`mem import` and `mem export`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.errors import BadInput, BadRequest, NothingFound
from cli.complete import complete_id, complete_session
from cli.options import DryRunOption, HomeOption, JsonOption, YesOption, confirmed, new_app, opened
from cli.output import document, one_line, say
from cli.progress import Counter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.exchange.importer import Report
    from app.memory import Memory

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
    from app.config import find_home, load_config
    from app.exchange.formats import importer_for
    from app.exchange.importer import import_items
    from app.exchange.watch import changes

    settings = load_config(find_home(home).config)
    name, importer = importer_for(path, format, month_first=settings.user.reads_month_first())
    for _ in changes(path) if watch else (None,):
        with opened(home) as memory, Counter("imported") as counter:
            report = import_items(
                memory, importer(path), now(), dry_run=dry_run, progress=lambda r: counter.show(r.read)
            )
            without_model = memory.embedder_error is not None
        signer = _signer(name, path)
        document(_keys(name, report, dry_run) | signer) if json else print(_words(name, report, dry_run))
        for print_of_key in signer.values():
            say(f"Signed by {print_of_key}. Compare that with its sender.")
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


def _signer(name: str, path: Path) -> dict[str, str]:
    """Whose key signed what came in, where it was signed."""
    if name != "bundle":
        return {}
    from app.exchange.bundle import signer_of

    return {"signer": signer_of(path)}


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
    format: Annotated[str, typer.Option("--format", "-f", help="jsonl, markdown or bundle.")] = "auto",
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="ID", help="For a bundle: this memory.", autocompletion=complete_id),
    ] = None,
    session: Annotated[
        list[str] | None,
        typer.Option(
            "--session", help="For a bundle: this whole conversation.", autocompletion=complete_session
        ),
    ] = None,
    yes: YesOption = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Write everything: as JSON lines that another home takes in unchanged, or as a book in Markdown to read.
    A bundle holds chosen memories for someone else, signed, so that they see who made it and that it is whole.

    Example: mem export memory.jsonl
    """
    format = _format(path, format, bool(only or session))
    with opened(home) as memory:
        if path == "-":
            sys.stdout.writelines(_text(memory, format, only or [], session or []))
            return
        target = Path(path).expanduser()
        if target.is_file() or (target.is_dir() and any(target.iterdir())):
            confirmed(f"{target} is there already. Write over it?", yes)
        count, files = _written(memory, format, target, only or [], session or [])
    if json:
        document({"format": format, "files": [str(f) for f in files], "count": count})
    else:
        what = {"jsonl": "rows", "markdown": "chapters", "bundle": "memories"}[format]
        say(f"Wrote {count:,} {what} to {target}.")


def _format(path: str, format: str, chosen: bool) -> str:
    """The format that is meant. Raises BadRequest where it does not exist, or where the choice does not suit it."""
    if format == "auto":
        format = (
            "bundle"
            if chosen or path.endswith(".bundle")
            else "jsonl"
            if path == "-" or path.endswith((".jsonl", ".json"))
            else "markdown"
        )
    if format not in ("jsonl", "markdown", "bundle"):
        raise BadRequest(f"There is no format {format!r}.", "It is one of: jsonl, markdown, bundle.")
    if chosen != (format == "bundle"):
        raise BadRequest(
            "A bundle holds chosen memories, the other formats hold all.",
            "Give --only ID or --session NAME with a bundle, and with nothing else.",
        )
    return format


def _text(memory: Memory, format: str, only: list[str], sessions: list[str]) -> Iterator[str]:
    """What goes into one file, piece by piece."""
    from app.clock import now
    from app.exchange.bundle import bundle, chosen
    from app.exchange.exporters import book, jsonl_lines

    if format == "jsonl":
        yield from jsonl_lines(memory)
    elif format == "bundle":
        yield from bundle(memory, chosen(memory, only, sessions), now())
    else:
        yield from book(memory, now()).values()


def _written(
    memory: Memory, format: str, target: Path, only: list[str], sessions: list[str]
) -> tuple[int, list[Path]]:
    """How many rows, memories or chapters were written, and the files."""
    from app.clock import now
    from app.exchange.exporters import book, write_book, write_private

    if format != "markdown":
        return write_private(target, _text(memory, format, only, sessions)) - 1, [
            target
        ]  # the head is no row
    chapters = book(memory, now())
    return len(chapters), write_book(chapters, target)
