"""The command reference, made from the commands' own help: `python -m cli.reference > docs/commands.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cli.commands import SECTIONS
from cli.main import command

WIDTH = 100
HEAD = """\
# Commands

Made from the commands' own help by `python -m cli.reference > docs/commands.md`; a test compares.

Every command takes `--home PATH` (else `MEM_HOME`, else the platform's user data folder). Data goes to standard
output, everything else to standard error. With `--json` the data is one JSON document with stable keys. Where a
command would ask and nobody is at the keyboard it needs `--yes`. `NO_COLOR` is honoured.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | unexpected failure; the message names the log |
| 2 | wrong usage |
| 3 | nothing found |
| 4 | refused: it needs `--yes`, or a rule forbids it |
| 5 | the store is locked |
| 6 | the store is damaged |
| 7 | a model is missing |
| 8 | wrong key |
| 9 | bad input file, with line and reason |
| 130 | interrupted |
"""


def every_command() -> Iterator[tuple[str, Any]]:
    """Each command and sub-command by its full name ("model pull")."""
    for commands in SECTIONS.values():
        for name in commands:
            found = command(name)
            yield name, found
            yield from ((f"{name} {sub}", child) for sub, child in getattr(found, "commands", {}).items())


def help_of(name: str, found: Any) -> str:
    """What `mem NAME --help` prints, at a fixed width."""
    with found.make_context(f"mem {name}", [], resilient_parsing=True, terminal_width=WIDTH) as context:
        return str(found.get_help(context)).rstrip()


def reference() -> str:
    """The whole page."""
    helps = {name: help_of(name, found) for name, found in every_command()}
    pages = [HEAD]
    for title, commands in SECTIONS.items():
        pages.append(f"\n## {title}\n")
        for name in commands:
            pages += [
                f"\n### mem {n}\n\n```\n{h}\n```\n" for n, h in helps.items() if n.split(" ")[0] == name
            ]
    return "".join(pages)


if __name__ == "__main__":
    print(reference(), end="")
