"""`mem chat`: talk with the assistant that remembers."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from app.clock import now
from app.config import Config, Home, find_home, load_config
from app.errors import AppError, BadRequest, ModelError, StorageError
from cli.lines import messages
from cli.opening import open_home
from cli.options import HomeOption, JsonOption, new_app
from cli.output import say
from cli.slash import Quit, run_slash
from cli.talk import Speaker, Talk

if TYPE_CHECKING:
    from app.memory import Memory

app = new_app()


@app.command()
def chat(
    go_on: Annotated[
        bool, typer.Option("--continue", "-c", help="Go on with the last conversation.")
    ] = False,
    session: Annotated[str | None, typer.Option("--session", help="The conversation's name.")] = None,
    incognito: Annotated[bool, typer.Option("--incognito", help="Remember nothing of this.")] = False,
    model: Annotated[str | None, typer.Option("--model", help="A model's id, or a GGUF file.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="No colours.")] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Talk. Ctrl-C stops a reply, Ctrl-D ends the chat; /help lists what can be asked of memory in between.

    Example: mem chat -c
    """
    where = find_home(home)
    if session is not None and not session.strip():
        raise BadRequest("The conversation's name is empty.", "Leave --session out for a new one.")
    config = load_config(where.config)
    if model:
        config = replace(config, models=replace(config.models, chat=model))
    memory = open_store(where, config, incognito)
    try:
        name = session or (last_session(memory) if go_on else None) or f"chat {now():%Y-%m-%d %H.%M.%S}"
        alone = incognito or model is not None
        talk = Talk(
            _speaker(where, memory, None if incognito else name, alone, incognito), json=json, plain=plain
        )
        _converse(talk, where, name, incognito)
    finally:
        memory.close()


def open_store(home: Home, config: Config, incognito: bool) -> Memory:
    """The memory for a conversation; read-only when nothing of it may be kept."""
    if incognito and not home.database.exists():
        open_home(home, config=config).close()
    return open_home(home, config=config, read_only=incognito)


def last_session(memory: Memory) -> str | None:
    """The conversation that was last answered; None where there is none."""
    from app.records import Filter, Kind, Source

    asked = Filter(kinds=frozenset({Kind.EPISODIC}), sources=frozenset({Source.MODEL_INFERRED}))
    found = memory.store.records(asked, limit=1)
    return found[0].session if found else None


def _speaker(home: Home, memory: Memory, session: str | None, alone: bool, incognito: bool) -> Speaker:
    """The daemon's assistant where one answers, else one in this process."""
    if not alone:
        from app.remote import RemoteAssistant, request

        if request(home, {"op": "status"}) is not None:
            return RemoteAssistant(home, session)
    from app.assistant import Assistant

    return Assistant(memory, memory.chat, session, now=now(), incognito=incognito)


def _converse(talk: Talk, home: Home, name: str, incognito: bool) -> None:
    at_terminal = sys.stdin.isatty()
    if at_terminal:
        say("Incognito: nothing of this is kept." if incognito else f"{name}. /help for help, Ctrl-D ends.")
    for text in messages("> "):
        try:
            if text.startswith("/"):
                run_slash(talk, text, home)
            else:
                talk.say(text)
        except Quit:
            return
        except (AppError, StorageError, ModelError) as error:
            if not at_terminal:
                raise
            say(f"{error}\n{error.hint}")
        if talk.interrupt.ending:
            return
