"""`mem tasks`: goals and open commitments as a tree, and the few things that one does to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.clock import now
from app.errors import BadRequest, NothingFound
from cli.options import HomeOption, JsonOption, new_app, opened
from cli.output import document, one_line, say, styled

if TYPE_CHECKING:
    from app.goals import Node
    from app.memory import Memory

app = new_app()


@app.command()
def tasks(
    text: Annotated[str | None, typer.Argument(help="A new task, or with --revise its new words.")] = None,
    under: Annotated[str, typer.Option("--under", help="The task that the new one is part of.")] = "",
    after: Annotated[list[str] | None, typer.Option("--after", help="A task that must come first.")] = None,
    done: Annotated[str, typer.Option("--done", help="Mark this task done.")] = "",
    reopen: Annotated[str, typer.Option("--reopen", help="Open this task again.")] = "",
    revise: Annotated[
        str, typer.Option("--revise", help="Reword this task; what rests on it is stale.")
    ] = "",
    keep: Annotated[str, typer.Option("--keep", help="This stale task still stands.")] = "",
    all: Annotated[bool, typer.Option("--all", help="The done ones, too.")] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """Goals and open commitments, each below what it is part of.

    Example: mem tasks "Book flights" --under m2k7 --after m4x2
    """
    from app.goals import tree

    if bool(text) + bool(done) + bool(reopen) + bool(keep) > 1 or (revise and not text):
        raise BadRequest("One thing at a time.", 'For example: mem tasks --revise ID "new words".')
    with opened(home) as memory:
        say_to = _change(memory, text or "", under, after or [], (done, reopen, revise, keep))
        found = tree(memory.store, all=all)
    if json:
        document([_keys(node) for node in found])
    for line in say_to:
        say(line)
    if not found and not say_to:
        raise NothingFound("There are no tasks.", 'Add one: mem tasks "TEXT".')
    if not json and not say_to:
        print("\n".join(map(_line, found)))


def _change(
    memory: Memory, text: str, under: str, after: list[str], ids: tuple[str, str, str, str]
) -> list[str]:
    """What was asked for, done; the lines that say so."""
    from app import goals

    done, reopen, revise, keep = ids
    if revise:
        touched = goals.revise(memory, revise, text, now())
        return [f"Reworded {revise}.", *(f"Stale now: {r.id} {one_line(r.text)}" for r in touched)]
    if text:
        return [f"Added {goals.add(memory, text, now(), under=under, after=after).id}."]
    if done or reopen:
        freed = goals.finish(memory, done or reopen, now(), done=bool(done))
        told = [f"Can be done now: {r.id} {one_line(r.text)}" for r in freed] if done else []
        return [f"{done} is done." if done else f"{reopen} is open again.", *told]
    if keep:
        return [f"{goals.look_at(memory, keep, now()).id} stands."]
    return []


def _line(node: Node) -> str:
    from app.tasks import when

    due = when(node.task)
    marks = [f"due {due:%d %b %Y %H:%M}"] if due else []
    marks += [f"after {', '.join(node.waits_for)}"] if node.waits_for else []
    marks += [f"stale: {node.stale}"] if node.stale else []
    box = "[x]" if node.done else "[ ]"
    told = f"  ({'; '.join(marks)})" if marks else ""
    line = f"{'  ' * node.depth}{box} {node.task.id}  {one_line(node.task.text)}{told}"
    return styled(line, "dim") if node.done else line


def _keys(node: Node) -> dict[str, object]:
    from app.goals import status_of
    from app.present import record_keys

    return record_keys(node.task) | {
        "status": status_of(node.task),
        "depth": node.depth,
        "waits_for": list(node.waits_for),
        "stale": node.stale,
    }
