"""Shell completion: of commands, options, ids, kinds and sessions. It prints nothing where anything goes wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typer.core import TyperGroup

from app.errors import AppError, StorageError
from cli.commands import COMMANDS

if TYPE_CHECKING:
    from app.memory import Memory

SHOWN = 50
VARIABLE = "_MEM_COMPLETE"  # set by the shell's script when it asks
LOOKED_AT = 2000  # newest memories among which an id is completed


class AllCommands(TyperGroup):
    """Every command as one group, each imported when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Their names, in the order of the listing."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command of that name, or None."""
        from cli.main import command

        return command(cmd_name) if cmd_name in COMMANDS else None


def complete() -> int:
    """Answer the shell's question, which is in the environment."""
    from typer._completion_classes import completion_init

    completion_init()  # Typer's own answers for bash, zsh, fish and PowerShell
    group = AllCommands(name="mem", rich_markup_mode=None)
    group.main([], prog_name="mem", complete_var=VARIABLE)
    return 0


def complete_kind(incomplete: str) -> list[str]:
    """Kinds of memory that begin so."""
    from app.records import Kind

    return [str(kind) for kind in Kind if kind.startswith(incomplete)]


def complete_id(incomplete: str) -> list[tuple[str, str]]:
    """Ids that begin so, the newest first, with the first words of each."""
    memory = _memory()
    found = memory.store.records(limit=LOOKED_AT) if memory else []
    return [(r.id, " ".join(r.text.split())[:40]) for r in found if r.id.startswith(incomplete)][:SHOWN]


def complete_session(incomplete: str) -> list[str]:
    """Sessions that begin so."""
    memory = _memory()
    found = memory.store.counts("session") if memory else {}
    return [name for name in found if name and name.startswith(incomplete)][:SHOWN]


def _memory() -> Memory | None:
    """The memory for reading; None where there is none, or none that opens without a question."""
    from app.config import find_home
    from app.open import open_memory

    try:
        return open_memory(find_home(), read_only=True)
    except (AppError, StorageError):
        return None
