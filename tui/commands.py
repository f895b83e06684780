"""The slash commands of the chat screen: their names, what they take, and what they are for. Plain data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """`/name takes`: `action` is the method of the chat screen that does it."""

    name: str
    takes: str
    about: str

    @property
    def usage(self) -> str:
        return f"/{self.name} {self.takes}".rstrip()


COMMANDS = (
    Command("help", "", "these commands and all keys"),
    Command("recall", "WORDS", "what memory holds on it"),
    Command("remember", "TEXT", "keep something as it stands"),
    Command("forget", "ID", "erase a memory, after a preview"),
    Command("why", "", "why the last answer used what it used"),
    Command("again", "", "answer the last message anew; the first answer is taken back"),
    Command("edit", "", "change the last message; what it led to is taken back when it is sent"),
    Command("context", "", "what the model sees; pin, hide, fold or restore ID changes it"),
    Command("sessions", "", "earlier conversations, to read or go on with"),
    Command("new", "", "begin a new conversation"),
    Command("incognito", "", "a conversation that reads memory and writes nothing"),
    Command("sleep", "", "sleep one night now, and see what it does"),
    Command("quit", "", "leave"),
)


def parse(line: str) -> tuple[Command | None, str]:
    """The command that a line names (by any beginning that is one command's alone), and what follows it."""
    name, _, rest = line.removeprefix("/").partition(" ")
    fitting = matching(name)
    exact = [c for c in fitting if c.name == name]
    chosen = exact or fitting
    return (chosen[0] if len(chosen) == 1 else None), rest.strip()


def matching(beginning: str) -> list[Command]:
    """Commands whose name begins so."""
    return [c for c in COMMANDS if c.name.startswith(beginning)]
