"""`mem recall`: find what was said or kept; one question, a batch of them, or the block that a prompt would hold."""

from __future__ import annotations

import json as json_
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.clock import now
from app.errors import BadInput, BadRequest, NothingFound
from app.place import find_home
from cli.complete import complete_kind, complete_session
from cli.options import HomeOption, JsonOption, new_app, opened, read_argument
from cli.output import ago, document, one_line, say, shown, styled, wrapped

if TYPE_CHECKING:
    from app.memory import Memory

app = new_app()

Answer = dict[str, Any]


@app.command()
def recall(
    query: Annotated[
        list[str] | None, typer.Argument(metavar="QUERY", help='The question; "-" reads standard input.')
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many at most.")] = 10,
    kind: Annotated[
        str | None, typer.Option("--kind", help="Only this kind of memory.", autocompletion=complete_kind)
    ] = None,
    after: Annotated[str | None, typer.Option("--after", help="Only what happened from then on.")] = None,
    before: Annotated[str | None, typer.Option("--before", help="Only what happened before then.")] = None,
    about: Annotated[
        str | None, typer.Option("--about", help="Only what mentions this person or thing.")
    ] = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="What was true then.")] = None,
    session: Annotated[
        str | None, typer.Option("--session", help="Only this conversation.", autocompletion=complete_session)
    ] = None,
    why: Annotated[bool, typer.Option("--why", help="Say how each was found.")] = False,
    context: Annotated[
        bool, typer.Option("--context", help="Print the block that a prompt would hold.")
    ] = False,
    budget: Annotated[int, typer.Option("--budget", min=1, help="Tokens that --context may take.")] = 1000,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="FILE|-", help="One JSON query per line, one result per line."),
    ] = None,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Find what you said or kept. Times in the question count: "what did Anna say last March".

    Example: mem recall "where does Anna live" --why
    """
    if batch is not None:
        _batch(batch, k, home)
        return
    question = {"query": _words(query), "k": k, "kind": kind, "about": about, "session": session}
    question |= {"after": _iso(after), "before": _iso(before), "as_of": _iso(as_of)}
    if context:
        _context(question, budget, home, json)
    else:
        _single(question, why, home, json)


@contextmanager
def _answering(home: Path | None) -> Iterator[Callable[[Answer], Answer]]:
    """Something that answers questions: the daemon where it lives, else this process."""
    from app.remote import request

    place = find_home(home)
    with ExitStack() as stack:
        here: list[Memory] = []

        def ask(question: Answer) -> Answer:
            answered = None if here else request(place, {"op": "recall", "question": question})
            if answered is not None:
                return answered
            from app.lookup import answer, lookup_from

            if not here:
                here.append(stack.enter_context(opened(home)))
            return answer(here[0], lookup_from(question, now()))

        yield ask


def _single(question: Answer, why: bool, home: Path | None, json: bool) -> None:
    with _answering(home) as ask:
        found = ask(question)
    if json:
        document(found)
    if found["abstain"] or not found["hits"]:
        nearest = [f'{hit["id"]} "{one_line(hit["text"])[:80]}"' for hit in found["hits"][:1]]
        raise NothingFound(
            f"Nothing in memory plainly answers that{'; nearest is ' + nearest[0] if nearest else ''}.",
            "Try other words, `mem recall --json` for all that is near, or `mem list` to look around.",
        )
    if not json:
        _print(found, why)


def _batch(source: str, k: int, home: Path | None) -> None:
    """Answer line by line, so that a long batch can be read while it runs."""
    problems = 0
    with _lines(source) as lines, _answering(home) as ask:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                result = ask({"k": k, **_object(line)})
            except BadRequest as error:
                problems += 1
                say(f"line {number}: {error}")
                result = {
                    "id": None,
                    "abstain": True,
                    "ms": 0.0,
                    "hits": [],
                    "error": f"line {number}: {error}",
                }
            print(json_.dumps(result, ensure_ascii=False), flush=True)
    if problems:
        raise BadInput(
            f"{problems} of the queries could not be read.", "Each line is a JSON object with `query`."
        )


def _object(line: str) -> dict[str, Any]:
    try:
        value = json_.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"not JSON: {error}") from error
    if not isinstance(value, dict):
        raise BadRequest("not a JSON object")
    return {name: given for name, given in value.items() if given is not None}


@contextmanager
def _lines(source: str) -> Iterator[Iterator[str]]:
    if source == "-":
        yield (line.decode(errors="replace") for line in sys.stdin.buffer)
        return
    try:
        with Path(source).open(encoding="utf-8", errors="replace") as file:
            yield iter(file)
    except OSError as error:
        raise BadInput(
            f"{source} cannot be read: {error.strerror}.", "Check the name and the permissions."
        ) from error


def _context(question: Answer, budget: int, home: Path | None, json: bool) -> None:
    from app.lookup import lookup_from
    from app.recall.pack import packed

    with opened(home) as memory:
        block = packed(memory, lookup_from(question, now()), budget)
    if json:
        document({"text": block.text, "tokens": block.tokens, "sources": list(block.sources)})
    elif block.text:
        print(shown(block.text))
    if not block.text:
        raise NothingFound(
            "Nothing in memory bears on that.", "Try other words, or `mem list` to look around."
        )


def _print(found: Answer, why: bool) -> None:
    from datetime import datetime

    here = now()
    for hit in found["hits"]:
        who = f"{one_line(hit['speaker'])}, " if hit["speaker"] else ""
        past = ", no longer true" if hit["valid_to"] else ""
        archived = ", from the archive" if hit["state"] == "archived" else ""
        moment = datetime.fromisoformat(hit["time"])
        head = f"{hit['id']}  {who}{ago(moment, here)}{past}{archived}"
        print(styled(head, "cyan"))
        print(wrapped(shown(hit["text"]), indent="    "))
        if why:
            channels = ", ".join(f"{name} {value:.2f}" for name, value in hit["channels"].items())
            print(
                styled(f"    score {hit['score']:.2f} from {channels}; strength {hit['strength']:.2f}", "dim")
            )


def _words(query: list[str] | None) -> str:
    words = read_argument(query or [])
    if not words.strip():
        raise BadRequest("The question is empty.", 'Ask something: mem recall "where does Anna live".')
    return words


def _iso(words: str | None) -> str | None:
    from cli.times import moment

    found = moment(words, now())
    return None if found is None else found.isoformat()
