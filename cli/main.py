"""`mem`: finds the command, runs it, and turns every error into two lines and an exit code.

A command's module is imported when it is called, so `mem --help` and the home screen owe nothing to Typer
or to the models. A module holds its commands in `app`, a `typer.Typer`.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from typing import TYPE_CHECKING, Any

from app.errors import (
    AppError,
    BadInput,
    BadRequest,
    ModelError,
    NothingFound,
    RecordNotFound,
    Refused,
    StorageError,
    StoreDamaged,
    StoreLocked,
    StoreReadOnly,
    StoreTooNew,
    WrongKey,
)
from cli.commands import COMMANDS, listing

if TYPE_CHECKING:
    from pathlib import Path

EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (BadRequest, 2),
    (NothingFound, 3),
    (RecordNotFound, 3),
    (Refused, 4),
    (StoreReadOnly, 4),
    (StoreTooNew, 4),
    (StoreLocked, 5),
    (StoreDamaged, 6),
    (ModelError, 7),
    (WrongKey, 8),
    (BadInput, 9),
)
UNEXPECTED = 1
INTERRUPTED = 130


def main() -> None:
    """The console script."""
    _read_and_write_utf8()
    code = run([_as_utf8(argument) for argument in sys.argv[1:]])
    gc.freeze()  # all memory goes back with the process; to look for cycles first takes 5 ms
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code. Errors are printed to standard error, never raised."""
    try:
        code = _dispatch(list(argv))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has gone (`mem list | head`); what Python still holds for it goes nowhere, quietly.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (AppError, StorageError, ModelError) as error:
        if os.environ.get("MEM_DEBUG") == "1":
            raise
        return _explain(str(error), error.hint, _code_of(error))
    except Exception as error:  # the one place where nothing may escape as a traceback
        if os.environ.get("MEM_DEBUG") == "1":
            raise
        return _explain(*_unexpected(error, argv), UNEXPECTED)


def _read_and_write_utf8() -> None:
    """Data is UTF-8 whatever the locale says; a terminal that cannot show a letter shows a question mark."""
    for stream in (sys.stdin, sys.stdout):
        if isinstance(stream, TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8")


def _as_utf8(argument: str) -> str:
    """An argument whose letters the locale could not read, read as UTF-8; as it is where that is none, either."""
    if argument.isprintable():
        return argument
    try:
        return os.fsencode(argument).decode()
    except UnicodeError:
        return argument


def command(name: str) -> Any:
    """The Click command of that name. Imports its module."""
    import importlib

    from typer.main import get_command

    found = get_command(importlib.import_module(COMMANDS[name][0]).app)
    return getattr(found, "commands", {}).get(name, found)


def _dispatch(argv: list[str]) -> int:
    if "_MEM_COMPLETE" in os.environ:
        from cli.complete import complete

        return complete()
    if argv[:1] == ["--home"] and len(argv) > 2 and argv[2] != "--json":
        argv = [*argv[2:], *argv[:2]]  # `mem --home X list` reads as `mem list --home X`
    if not argv or argv[0] in ("--home", "--json") or argv[0].startswith("--home="):
        from cli.home import show

        return show(argv)
    if argv[0] in ("--help", "-h", "help"):
        print(listing())
        return 0
    if argv[0] in ("--version", "-V"):
        from importlib.metadata import version

        print(f"mem {version('mem-assistant')}")
        return 0
    return _call(argv[0], argv[1:])


def _call(name: str, arguments: list[str]) -> int:
    if name not in COMMANDS:
        raise _no_such_command(name)
    found = command(name)
    from typer import Abort, Exit, TyperException

    try:
        with found.make_context(f"mem {name}", arguments) as context:
            found.invoke(context)
    except Exit as done:
        return int(done.exit_code)
    except Abort:
        return _explain("Stopped: nothing was answered.", "", INTERRUPTED)
    except TyperException as error:
        format_message = getattr(error, "format_message", None)
        message = format_message() if format_message else str(error)
        raise BadRequest(message, f"See `mem {name} --help`.") from error
    return 0


def _no_such_command(name: str) -> BadRequest:
    from difflib import get_close_matches

    near = get_close_matches(name, COMMANDS, n=1)
    kind = "option" if name.startswith("-") else "command"
    hint = f"Did you mean `mem {near[0]}`?" if near else "See `mem --help` for all of them."
    return BadRequest(f"There is no {kind} {name!r}.", hint)


def _code_of(error: Exception) -> int:
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), UNEXPECTED)


def _explain(message: str, hint: str, code: int) -> int:
    print(message, *([hint] if hint else []), sep="\n", file=sys.stderr)
    return code


def _unexpected(error: Exception, argv: Sequence[str]) -> tuple[str, str]:
    """What to say of an error that nobody foresaw; its traceback goes to the log."""
    log = _write_log(error, argv)
    where = f"Details are in {log}." if log else "Run it again with MEM_DEBUG=1 for details."
    if isinstance(error, OSError) and error.strerror:
        hint = "Check the disk, its free space and the permissions there."
        return f"{error.filename or 'The system'}: {error.strerror}.", f"{hint} {where}"
    words = str(error).splitlines()
    return f"Unexpected failure: {type(error).__name__}{': ' + words[0] if words else ''}", where


def _write_log(error: Exception, argv: Sequence[str]) -> Path | None:
    import traceback
    from pathlib import Path

    from app.clock import now
    from app.place import find_home

    given = argv[argv.index("--home") + 1 :][:1] if "--home" in argv else []
    log = find_home(Path(given[0]) if given else None).logs / "mem.log"
    text = f"{now().isoformat()} mem {' '.join(argv[:1])}\n{''.join(traceback.format_exception(error))}\n"
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
            file.write(text)
    except (OSError, ValueError):
        return None
    return log
