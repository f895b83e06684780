"""Answers to labelled questions: what the assistant makes of its evidence, beside two plain ways with the same model.

    python -m bench.answers [FOLDER] [--model ID] [--questions 40] [--adversarial 15] [--only NAME ...]
                           [--cache FOLDER] [--seconds 540]

FOLDER holds locomo.NAME.turns.jsonl.gz and .questions.jsonl.gz. The plain ways get the ten nearest turns by vector
("dense"), or the last 8,000 tokens of the conversation ("last"), under the same rules and worked examples. Homes and
replies are kept in the cache, so a run that was cut short goes on where it stopped and nothing is asked twice. `--only`
takes the questions of these conversations alone (conv-42 conv-43), which saves reading the long prompts of the others.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

from app import citations
from app.assistant import NOT_KNOWING, Assistant, onward
from app.config import Config, ModelsConfig, find_home
from app.events import Answered, Evidence, Recalled
from app.evidence import FOOT, HEAD, day, of_record
from app.memory import Memory
from app.open import load_chat, open_memory
from app.prompts import opening, system_text
from app.records import Kind
from bench.recall import rows
from models.chat import ChatModel, Message

DATA = Path(__file__).parents[2] / "shared" / "bench" / "data"
WINDOW, LAST, NEAREST, BUDGET = 10_240, 8000, 10, 1000
ADVERSARIAL = "adversarial"
WAYS = ("mem", "dense", "last")
PASSES = (
    ("mem", "dense"),
    ("last",),
)  # the long prompts last, and side by side, so that their prefix stays cached


@dataclass(frozen=True, slots=True)
class Reply:
    """What one way made of one question. `cited` holds the caller's own ids of the turns."""

    way: str
    category: str
    text: str
    abstained: bool
    f1: float
    cited: float  # F1 of the turns that it names against those that are labelled
    tokens: int
    shown: float  # share of the labelled turns that stood before the model


class TimeIsUp(Exception):
    """The run has used its share of the machine."""


@dataclass
class Kept:
    """A ChatModel whose replies are kept in a file: the same prompt is never given to it twice."""

    load: Callable[[], ChatModel]
    path: Path
    until: float
    name: str = ""
    context_tokens: int = WINDOW
    replies: dict[str, str] = field(default_factory=dict)
    _model: ChatModel | None = None

    def __post_init__(self) -> None:
        if self.path.exists():
            self.replies = dict(json.loads(line) for line in self.path.read_text("utf-8").splitlines())

    def __getattr__(self, name: str) -> Any:
        return getattr(self.model, name)

    @property
    def model(self) -> ChatModel:
        """The model itself, loaded when the first reply is missing."""
        if self._model is None:
            self._model = self.load()
        return self._model

    def stream(self, messages: Sequence[Message], **more: Any) -> Iterator[str]:
        """The kept reply, or the model's own. Raises TimeIsUp."""
        said = json.dumps([self.name, [(m.role, m.content) for m in messages], more.get("schema")])
        key = hashlib.blake2b(said.encode(errors="replace"), digest_size=12).hexdigest()
        if key not in self.replies:
            if time.monotonic() > self.until:
                raise TimeIsUp
            more.pop("stop", None)
            self.replies[key] = "".join(onward(self.model.stream(messages, **more)))
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps([key, self.replies[key]]) + "\n")
        yield self.replies[key]


def main() -> None:
    """Print the tables."""
    given = _arguments()
    if not given.folder.is_dir():
        print(f"{given.folder} is not here: nothing is measured.")
        return
    given.cache.mkdir(parents=True, exist_ok=True)
    home = find_home()
    config = Config(models=ModelsConfig(chat=given.model, context_tokens=WINDOW))
    until = time.monotonic() + given.seconds
    chat = Kept(
        lambda: load_chat(home, config), given.cache / f"{Path(given.model).stem}.jsonl", until, given.model
    )
    replies: list[Reply] = []
    paths = sorted(given.folder.glob("locomo.*.turns.jsonl.gz"))
    paths = [path for path in paths if not given.only or path.name.split(".")[1] in given.only]
    asked = sample(paths, given.questions, given.adversarial, given.seed)
    try:
        for path, questions in asked.items():
            memory = stored(path, given.cache / path.name.split(".")[1])
            for ways in PASSES:
                for question, way in product(questions, ways):
                    if way in given.way and (way == "mem" or question["category"] != ADVERSARIAL):
                        replies.append(WAY[way](memory, chat, question))
                        if given.show:
                            show(question, replies[-1])
            memory.close()
    except TimeIsUp:
        print(f"Time is up after {len(replies)} replies; run it again to go on.")
    report(replies)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=DATA)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--questions", type=int, default=40)
    parser.add_argument("--adversarial", type=int, default=15)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=())
    parser.add_argument("--way", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--cache", type=Path, default=Path("/tmp/mem-answers"))
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--show", action="store_true")
    return parser.parse_args()


def sample(paths: Sequence[Path], many: int, adversarial: int, seed: int) -> dict[Path, list[dict[str, Any]]]:
    """Questions by conversation: of each answerable category its share, at least one, and some that nothing answers."""
    by_category: dict[str, list[tuple[Path, dict[str, Any]]]] = defaultdict(list)
    for path in paths:
        for question in rows(path.with_name(path.name.replace(".turns.", ".questions."))):
            by_category[question["category"]].append((path, question))
    answerable = sum(len(found) for name, found in by_category.items() if name != ADVERSARIAL)
    chosen: dict[Path, list[dict[str, Any]]] = defaultdict(list)
    for name, found in sorted(by_category.items()):
        share = adversarial if name == ADVERSARIAL else max(1, round(many * len(found) / answerable))
        for path, question in random.Random(f"{seed} {name}").sample(found, min(share, len(found))):
            chosen[path].append(question)
    return dict(sorted(chosen.items()))


def stored(path: Path, home: Path) -> Memory:
    """The turns of a file in a home that is made once."""
    from app.exchange.importer import import_items
    from app.exchange.jsonl import read_jsonl

    turns = rows(path)
    memory = open_memory(find_home(home))
    if not memory.store.records(limit=1):
        plain = home / "turns.jsonl"
        plain.write_text("".join(json.dumps(turn) + "\n" for turn in turns), encoding="utf-8")
        import_items(memory, read_jsonl(plain), datetime.fromisoformat(turns[-1]["time"]))
    return memory


# -- the ways --------------------------------------------------------------------------------------


def by_mem(memory: Memory, chat: Kept, question: Mapping[str, Any]) -> Reply:
    """As `mem ask` answers."""
    now = datetime.fromisoformat(question["now"])
    shown: tuple[Evidence, ...] = ()
    answered = Answered("")
    for event in Assistant(memory, chat, None, now=now, incognito=True, brief=True).ask(
        question["query"], now, budget=BUDGET
    ):
        if isinstance(event, Recalled):
            shown = event.hits
        elif isinstance(event, Answered):
            answered = event
    named = answered.citations or answered.used
    return scored(
        "mem", memory, question, answered.text, named, shown, answered.context_tokens, answered.abstained
    )


def by_nearest(memory: Memory, chat: Kept, question: Mapping[str, Any]) -> Reply:
    """The ten turns whose vectors are nearest to the question's."""
    assert memory.embedder is not None
    (vector,) = memory.embedder.embed([question["query"]])
    index = memory.store.vectors(memory.embedder.name, memory.embedder.dim)
    order = [seq for seq, _ in index.search(vector, NEAREST)]
    found = memory.store.by_seq(order)
    now = datetime.fromisoformat(question["now"])
    notes = [of_record(found[seq], now) for seq in reversed(order)]  # the nearest stands next to the question
    return plainly("dense", memory, chat, question, notes)


def by_last(memory: Memory, chat: Kept, question: Mapping[str, Any]) -> Reply:
    """The end of the conversation."""
    now = datetime.fromisoformat(question["now"])
    left, notes = LAST, []
    for record in memory.store.records():
        note = of_record(record, now)
        left -= chat.count_tokens(quoted(note)) + 1
        if left < 0 or record.kind is not Kind.EPISODIC:
            break
        notes.append(note)
    return plainly("last", memory, chat, question, notes[::-1])


WAY: Mapping[str, Callable[[Memory, Kept, Mapping[str, Any]], Reply]] = {
    "mem": by_mem,
    "dense": by_nearest,
    "last": by_last,
}


def plainly(
    way: str, memory: Memory, chat: Kept, question: Mapping[str, Any], notes: Sequence[Evidence]
) -> Reply:
    """The model's own answer from these notes; its citations are read as leniently as the assistant's."""
    block = "\n".join([HEAD, *map(quoted, notes)])
    asked = f"{block}\n\n{FOOT}{question['query']}"
    head = (
        Message("system", system_text([], brief=True)),
        *opening(datetime.fromisoformat(question["now"]), brief=True),
    )
    text = "".join(chat.stream([*head, Message("user", asked)], max_tokens=512)).strip()
    named = citations.used(text, notes) or citations.borne_out_by(text, question["query"], notes[::-1])
    tokens = chat.count_tokens(block)
    return scored(way, memory, question, text, named, notes, tokens, NOT_KNOWING.search(text) is not None)


def quoted(item: Evidence) -> str:
    """A note as plainly as can be."""
    return f'[{item.id}] {day(item.time)}, {item.speaker} said: "{" ".join(item.text.split())}"'


# -- scores ----------------------------------------------------------------------------------------


def scored(
    way: str,
    memory: Memory,
    question: Mapping[str, Any],
    text: str,
    named: Sequence[str],
    shown: Sequence[Evidence],
    tokens: int,
    abstained: bool,
) -> Reply:
    """The reply with its scores. An answer that abstains scores nothing."""
    outer = {id: r.external_id or "" for id, r in memory.store.get_many([e.id for e in shown]).items()}
    labelled = list(question["evidence"])
    cites = [outer[id] for id in named if id in outer]
    return Reply(
        way,
        question["category"],
        text,
        abstained,
        0.0 if abstained else f1(words(re.sub(r"\[m\w+(?:, m\w+)*\]", "", text)), words(question["answer"])),
        0.0 if abstained else f1(cites, labelled),
        tokens,
        len(set(labelled) & set(outer.values())) / max(1, len(labelled)),
    )


def words(text: str) -> list[str]:
    """As answers to questions are commonly compared: lower case, without articles and punctuation."""
    return [w for w in re.findall(r"\w+", text.lower()) if w not in ("a", "an", "the")]


def f1(given: Sequence[str], wanted: Sequence[str]) -> float:
    """Harmonic mean of precision and recall over two bags."""
    common = sum((Counter(given) & Counter(wanted)).values())
    return 2 * common / (len(given) + len(wanted)) if common else 0.0


def report(replies: Sequence[Reply]) -> None:
    """One line for each way and category."""
    print(f"{'':22}{'n':>4}{'F1':>8}{'cited':>8}{'shown':>8}{'abstains':>10}{'tokens':>8}")
    for way in WAYS:
        mine = [r for r in replies if r.way == way]
        answerable = [r for r in mine if r.category != ADVERSARIAL]
        for name, group in (
            ("answerable", answerable),
            *((c, [r for r in mine if r.category == c]) for c in sorted({r.category for r in mine})),
        ):
            if group:
                mean = {
                    key: statistics.mean(getattr(r, key) for r in group)
                    for key in ("f1", "cited", "shown", "abstained", "tokens")
                }
                print(
                    f"{way + ', ' + name:22}{len(group):4}{mean['f1']:8.3f}{mean['cited']:8.3f}"
                    f"{mean['shown']:8.2f}{mean['abstained']:10.0%}{mean['tokens']:8.0f}"
                )


def show(question: Mapping[str, Any], reply: Reply) -> None:
    """A question with its answers, for reading."""
    print(
        f"{reply.way} {question['id']} {reply.category} | {question['query']} | {question['answer']} | {reply.text}"
        f" | F1 {reply.f1:.2f} cited {reply.cited:.2f} shown {reply.shown:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
