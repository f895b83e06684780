"""The command reference and the man page, made from the commands' own help.

`python -m cli.reference > docs/commands.md` and `python -m cli.reference man > docs/mem.1`
"""

from __future__ import annotations

import sys
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


def man_page() -> str:
    """The same for man(1), in roff."""
    lines = [
        '.TH MEM 1 "" "mem" "User Commands"',
        ".SH NAME",
        "mem \\- a personal memory that lives on this computer",
    ]
    lines += [".SH SYNOPSIS", ".B mem", "[COMMAND] [OPTIONS]"]
    for name, found in every_command():
        lines += [f".SH MEM {name.upper()}", ".nf", _roff(help_of(name, found)), ".fi"]
    return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    """Plain lines for roff: a backslash is doubled, and a line that begins like a request is kept from being one."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join(f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.splitlines())


if __name__ == "__main__":
    print(man_page() if sys.argv[1:] == ["man"] else reference(), end="")
