"""`mem review`: what the night is unsure of, and the user's word on it; one by one or a batch in $EDITOR."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from app.clock import now
from app.errors import BadInput, BadRequest, NothingFound
from cli.options import HomeOption, JsonOption, new_app, one_of, opened
from cli.output import ago, document, one_line, say

if TYPE_CHECKING:
    from app.memory import Memory
    from app.review import Open

app = new_app()

LATER = "later"
HELP = """\
# What the night is unsure of. Change the first word of a line that begins with `later`:
#   new   the new memory replaces the old one
#   old   the old one stands, the new one was a mistake
#   both  they do not contradict
#   later leave it open
# A block that you delete is `old`. Where you change the words after NEW, they are taken, and `later` becomes `new`.
# An empty file changes nothing. Lines with # do not count.
"""


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the batch: the question, the verdict, and the new memory's words as they were left."""

    id: int
    verdict: str
    words: str | None


@app.command()
def review(
    id: Annotated[int | None, typer.Argument(metavar="[QUESTION]", help="The question to decide.")] = None,
    verdict: Annotated[
        str | None, typer.Option("--say", metavar="new|old|both", help="Your word on it.")
    ] = None,
    text: Annotated[str | None, typer.Option("--text", help="Reword the new memory first.")] = None,
    edit: Annotated[
        bool, typer.Option("--edit", "--batch", help="Decide all of them in $EDITOR: delete, reword, say.")
    ] = False,
    json: JsonOption = False,
    home: HomeOption = None,
) -> None:
    """What the night is unsure of. Until you decide, both memories stand side by side.

    Example: mem review 3 --say new
    """
    from app.review import questions

    if (id is None) != (verdict is None):
        raise BadRequest("A decision needs a question and a verdict.", "For example: mem review 3 --say new.")
    with opened(home) as memory:
        waiting = questions(memory)
        if id is not None and verdict is not None:
            decided = [Decision(id, verdict, text)]
        elif edit and waiting:
            from cli.editor import edited

            decided = parse(edited(_batch(waiting), memory.home), waiting)
        else:
            _list(waiting, json)
            return
        runs = [_decide(memory, decision) for decision in decided]
    if json:
        document(
            [{"question": d.id, "verdict": d.verdict, "run": r} for d, r in zip(decided, runs, strict=True)]
        )
    for decision, run in zip(decided, runs, strict=True):
        say(f"{decision.id}: {decision.verdict}. To take it back: mem undo {run}")


def parse(text: str, waiting: Sequence[Open]) -> list[Decision]:
    """The decisions in an edited batch: a deleted block rejects the new memory, new words accept it.

    Raises BadInput naming the line.
    """
    found: dict[int, Decision] = {}
    known = {q.id: one_line(q.new.text) for q in waiting}
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"^(\w+)\s+(\d+)\b", line)
        words = line.strip().removeprefix("NEW ").strip()
        if head and (head[1] not in (LATER, "new", "old", "both") or int(head[2]) not in known):
            wrong = (
                f"{head[1]!r} is no verdict" if int(head[2]) in known else f"there is no question {head[2]}"
            )
            raise BadInput(
                f"Line {number}: {wrong}.", "A line begins with new, old, both or later, and its number."
            )
        if head:
            id = int(head[2])
            found[id] = Decision(id, head[1], None)
        elif found and line.strip().startswith("NEW ") and words != known[id]:
            found[id] = Decision(id, "new" if found[id].verdict == LATER else found[id].verdict, words)
    deleted = [Decision(id, "old", None) for id in known if id not in found] if text.strip() else []
    return [*(decision for decision in found.values() if decision.verdict != LATER), *deleted]


def _batch(waiting: Sequence[Open]) -> str:
    blocks = [
        f"{LATER} {q.id}  {one_line(q.question)}\n    OLD {one_line(q.old.text)}\n    NEW {one_line(q.new.text)}\n"
        for q in waiting
    ]
    return HELP + "\n" + "\n".join(blocks)


def _decide(memory: Memory, decision: Decision) -> str:
    from app.review import Verdict, decide

    return decide(memory, decision.id, one_of(Verdict, decision.verdict, "verdict"), now(), decision.words)


def _list(waiting: Sequence[Open], json: bool) -> None:
    from app.present import record_keys

    if json:
        document(
            [
                {
                    "question": q.id,
                    "run": q.run,
                    "words": q.question,
                    "asked": q.asked.isoformat(),
                    "old": record_keys(q.old),
                    "new": record_keys(q.new),
                }
                for q in waiting
            ]
        )
    if not waiting:
        raise NothingFound("Nothing waits for a decision.", "The night asks when it is unsure: `mem sleep`.")
    if json:
        return
    here = now()
    for q in waiting:
        print(f"{q.id}  {one_line(q.question)}  (asked {ago(q.asked, here)})")
        print(f"    old  {q.old.id}  {one_line(q.old.text)}")
        print(f"    new  {q.new.id}  {one_line(q.new.text)}")
    say("Decide with `mem review QUESTION --say new|old|both`, or all of them with `mem review --edit`.")
