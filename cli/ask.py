"""`mem ask`: one grounded answer from memory, with its sources."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

import typer

from app.clock import now
from app.config import Config, Home, find_home, load_config
from app.errors import BadRequest, NothingFound
from app.events import Answered, Called, Event, Evidence, Recalled, Said, Thought
from cli.opening import open_home
from cli.options import HomeOption, JsonOption, new_app, read_argument
from cli.output import document, one_line, say, shown, styled

app = new_app()


@app.command()
def ask(
    question: Annotated[
        list[str] | None, typer.Argument(metavar="QUESTION", help='The question; "-" reads standard input.')
    ] = None,
    budget: Annotated[int, typer.Option("--budget", min=50, help="Tokens of evidence at most.")] = 1000,
    model: Annotated[str | None, typer.Option("--model", help="A model's id, or a GGUF file.")] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Ask your memory. The answer names the memories that it rests on; what is not there is not made up.

    Example: mem ask "when did I last see the dentist?"
    """
    words = read_argument(question if question else [] if sys.stdin.isatty() else ["-"])
    if not words.strip():
        raise BadRequest("The question is empty.", 'Ask something: mem ask "when did I move here".')
    where = find_home(home)
    config = load_config(where.config)
    if model:
        config = replace(config, models=replace(config.models, chat=model))
    recalled, answered = Recalled(()), Answered("")
    for event in _events(where, config, words, budget, remote=model is None):
        if isinstance(event, Recalled):
            recalled = event
        elif isinstance(event, Answered):
            answered = event
        elif not json:
            _draw(event)
    if json:
        document(keys(answered))
    else:
        print(flush=True)
        _print_sources(answered, recalled.hits)
    if answered.abstained:
        raise NothingFound("Memory does not say.", "Try `mem recall` with other words.")


def _draw(event: Event) -> None:
    """The answer as it comes; what the model thinks and asks of memory dim, beside it."""
    if isinstance(event, Said):
        print(shown(event.piece), end="", flush=True)
    elif isinstance(event, Thought):
        print(styled(shown(event.piece), "dim"), end="", flush=True, file=sys.stderr)
    elif isinstance(event, Called):
        say(styled(f"· {event.tool}({one_line(event.argument)}): {one_line(event.result)}", "dim"))


def keys(answered: Answered) -> dict[str, Any]:
    """The answer with the contract's keys."""
    return {
        "answer": answered.text,
        "abstained": answered.abstained,
        "citations": list(answered.citations or answered.used),
        "unsupported": list(answered.unsupported),
        "context_tokens": answered.context_tokens,
        "timings": {
            "recall_ms": round(answered.recall_ms, 1),
            "first_token_ms": round(answered.first_token_ms, 1),
            "total_ms": round(answered.total_ms, 1),
        },
        "model": answered.model,
    }


def _events(home: Home, config: Config, question: str, budget: int, *, remote: bool) -> Iterator[Event]:
    """The answer from the daemon where one lives, else from this process."""
    if remote:
        from app.remote import RemoteAssistant
        from app.wire import NoDaemon

        try:
            yield from RemoteAssistant(home, None).ask(question, now(), budget=budget)
            return
        except NoDaemon:
            pass
    from app.assistant import Assistant

    memory = open_home(home, config=config)
    try:
        yield from Assistant(memory, memory.chat, None, now=now(), brief=True).ask(
            question, now(), budget=budget
        )
    finally:
        memory.close()


def _print_sources(answered: Answered, hits: tuple[Evidence, ...]) -> None:
    by_id = {item.id: item for item in hits}
    for id in answered.citations or answered.used:
        item = by_id[id]
        who = f", {item.speaker}" if item.speaker else ""
        print(styled(f"  [{id}] {item.time:%d %b %Y}{who}: {one_line(item.text)[:200]}", "dim"))
    for sentence in answered.unsupported:
        print(styled(f"  not borne out by memory: {one_line(sentence)}", "yellow"))
