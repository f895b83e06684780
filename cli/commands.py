"""Every command's name, the module that holds it, and its line in the listing.

Plain data, so that `mem --help` costs no import of what the commands need.
"""

from __future__ import annotations

from collections.abc import Mapping

SECTIONS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Every day": {
        "chat": ("cli.chat", "Talk with the assistant that remembers"),
        "ask": ("cli.ask", "One grounded answer, with its sources"),
        "remember": ("cli.remember", "Keep something"),
        "recall": ("cli.recall", "Find what you said or kept"),
        "forget": ("cli.forget", "Erase memories for good, with what was derived from them alone"),
        "tui": ("cli.tui", "Everything on one screen"),
    },
    "Look": {
        "list": ("cli.records", "The newest memories"),
        "show": ("cli.records", "One memory in full: words, origin, links"),
        "history": ("cli.records", "What changed on one memory, and when"),
        "sessions": ("cli.views", "Conversations, newest first"),
        "entities": ("cli.views", "People, places and things that memories mention"),
        "timeline": ("cli.views", "Months and what happened in them"),
        "profile": ("cli.views", "What is known about you"),
        "tasks": ("cli.tasks", "Goals and open commitments"),
        "procedures": ("cli.views", "How-to and lessons"),
        "faded": ("cli.fading", "What has dimmed, and why"),
        "stats": ("cli.views", "How much there is of everything"),
    },
    "Tend": {
        "edit": ("cli.records", "Reword a memory; the old words stay in its history"),
        "pin": ("cli.records", "Keep a memory from ever fading"),
        "unpin": ("cli.records", "Let a memory fade again"),
        "archive": ("cli.fading", "Put a memory to rest; it can still be found"),
        "restore": ("cli.fading", "Wake an archived or dimmed memory"),
        "log": ("cli.journal", "What was changed, newest first"),
        "undo": ("cli.journal", "Reverse one change or one run"),
        "sleep": ("cli.sleep", "One night now: consolidate, reconcile, link, fade"),
        "review": ("cli.review", "What the night is unsure of"),
    },
    "In and out": {
        "import": ("cli.exchange", "Take in conversations, notes and documents"),
        "export": ("cli.exchange", "Write everything to a file or a folder"),
        "backup": ("cli.backup", "A verified copy of the store"),
        "restore-backup": ("cli.backup", "Put a backup in place of the store"),
        "vault": ("cli.vault", "Secrets, sealed"),
        "sql": ("cli.sql", "Ask the database directly, read-only"),
    },
    "Machine": {
        "setup": ("cli.setup", "Choose and fetch models for this machine"),
        "model": ("cli.model", "Fetch, choose and measure models"),
        "daemon": ("cli.daemon", "The background service"),
        "mcp": ("cli.doors", "The memory for an MCP client, over standard input and output"),
        "serve": ("cli.doors", "The memory over HTTP, on this computer alone"),
        "config": ("cli.config", "Settings"),
        "doctor": ("cli.doctor", "What is missing or broken, and its remedy"),
        "verify": ("cli.journal", "Prove that store, index and journal agree"),
        "completion": ("cli.completion", "Let the shell complete commands, ids and kinds"),
        "replay": ("cli.journal", "Rebuild the state from the journal and compare"),
    },
}

COMMANDS: Mapping[str, tuple[str, str]] = {
    name: entry for section in SECTIONS.values() for name, entry in section.items()
}


def listing() -> str:
    """The text of `mem --help`."""
    lines = [
        "Usage: mem [COMMAND] [OPTIONS]",
        "",
        "A personal memory that lives on this computer. With no command: what is here, and what to do next.",
    ]
    width = max(map(len, COMMANDS))
    for title, commands in SECTIONS.items():
        lines += ["", f"{title}:"]
        lines += [f"  {name:<{width}}  {about}" for name, (_, about) in commands.items()]
    lines += [
        "",
        "`mem COMMAND --help` explains one, with an example. `mem --version` tells which mem this is.",
    ]
    return "\n".join(lines)
