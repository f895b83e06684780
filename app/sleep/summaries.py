"""Lets a chat model put gists of sessions and topics into words, from what was said alone; code refuses what was not.

A gist that the rules made stands until a model's sentences are borne out; each of them has its numbers, names and
words in the turns that were shown. The raw output is kept before it is used, so that no crash pays twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.sleep.episodes import episode_turns, shown, speaker_of
from app.sleep.gists import UNWRITTEN
from app.sleep.read import is_of_another
from app.sleep.support import supported
from app.sleep.work import Tally, Work
from models.chat import Message
from models.errors import ModelError
from storage.ledger import OPEN, PAID, Job, job_key
from storage.records import Link, LinkKind, Record

if TYPE_CHECKING:
    from models.chat import ChatModel

WRITTEN = "written"
LONGEST = 240  # characters of a turn that are shown
MOST_SENTENCES = 3
TOKENS = 120  # generated at most
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "title": {"type": "string", "maxLength": 50},
        "sentences": {
            "type": "array",
            "maxItems": MOST_SENTENCES,
            "items": {"type": "string", "maxLength": 140},
        },
    },
    "required": ["title", "sentences"],
}
SYSTEM = (
    "You sum up a conversation in one to three short sentences: what happened, who did it, what was decided. Use the "
    "speakers' names and their own words. Add nothing. The title is two to five words."
)
SHOT = (
    "Tom: My night shifts at the bakery are killing me, so I asked for mornings.\n"
    "Lea: Good! The twins started school in Ghent on Monday, we could have breakfast again.",
    {
        "title": "Tom's shifts and the twins' school",
        "sentences": [
            "Tom asked for mornings because night shifts at the bakery are killing him.",
            "Lea's twins started school in Ghent on Monday.",
        ],
    },
)
PROMPT = hashlib.blake2b(json.dumps([SYSTEM, SHOT, SCHEMA, TOKENS]).encode(), digest_size=4).hexdigest()


def write_summaries(work: Work, tally: Tally) -> None:
    """The job: every gist that the rules made since, newest first, while there is time. Nothing without a model."""
    _apply(work, tally)  # what a night that died had paid for
    if work.chat is None:
        return
    for unwritten in work.ledger.jobs(UNWRITTEN, OPEN, newest_first=True):
        if work.over():
            return
        _ask(work, work.chat, unwritten, tally)
        _apply(work, tally)


def prompt(turns: Sequence[Record]) -> list[Message]:
    """The messages for one gist; all but the last are always the same, so the model's cache holds them."""
    talk, answer = SHOT
    return [
        Message("system", SYSTEM),
        Message("user", talk),
        Message("assistant", json.dumps(answer)),
        Message("user", "\n".join(shown(turn, LONGEST) for turn in turns)),
    ]


def sentences_in(raw: str, turns: Sequence[Record]) -> tuple[str, dict[str, Record], int]:
    """The title ("" unless borne out), each sentence with the turn that bears it out, and how many were refused."""
    try:
        answer = json.loads(raw)
        title, found = answer["title"], answer["sentences"][:MOST_SENTENCES]
    except (ValueError, TypeError, KeyError):
        return "", {}, 1
    sentences = [" ".join(str(item).split()) for item in found]
    kept = {s: turn for s in sentences if (turn := bearing(s, turns)) is not None}
    heading = " ".join(str(title).split()).rstrip(".")
    return (heading if bearing(heading, turns) is not None else ""), kept, len(found) - len(kept)


def bearing(sentence: str, turns: Sequence[Record]) -> Record | None:
    """The first turn that alone bears the sentence out: words of two turns together may say what neither did."""
    return next(
        (
            turn
            for turn in turns
            if sentence
            and supported(sentence, turn.text, speaker=speaker_of(turn))
            and not is_of_another(sentence, turn)
        ),
        None,
    )


def attributed(sentence: str, turn: Record) -> str:
    """The sentence with its speaker's name before it where it does not say whose words it is."""
    voice = speaker_of(turn)
    return sentence if voice.lower() in sentence.lower() else f"{voice}: {sentence}"


def _ask(work: Work, chat: ChatModel, unwritten: Job, tally: Tally) -> None:
    """One call for one gist, its output kept; a gist that was made anew since waits in a job of its own."""
    turns = [t for t in episode_turns(work, unwritten.input["turns"]) if "quarantine" not in t.extra]
    gist = _as_made(work, unwritten.input)
    key = job_key(WRITTEN, [t.id for t in turns], PROMPT, chat.version)
    with work.write("summaries"):
        details = {**unwritten.input, "by": f"gist/{PROMPT}+{chat.name}"}
        work.ledger.queue(WRITTEN, key, work.run, details, work.now)
        claimed = gist is not None and bool(turns) and work.ledger.claim(key, work.moment())
        if not claimed:
            work.ledger.finish(unwritten.key, work.now)
    if not claimed:
        return
    try:
        raw = "".join(chat.stream(prompt(turns), max_tokens=TOKENS, schema=SCHEMA, stop=work.over))
    except ModelError as error:
        with work.write("summaries"):
            work.ledger.fail(key, str(error), work.now)
        tally.rejected += 1
        return
    usage = chat.last_usage
    stopped = usage is not None and usage.stopped
    with work.write("summaries"):
        if stopped:
            work.ledger.release(key, work.now)
        else:
            work.ledger.keep(key, raw, work.now)
            work.ledger.finish(unwritten.key, work.now)
    if not stopped:
        tally.model_calls += 1
        if usage is not None:
            tally.tokens += usage.prompt_tokens - usage.cached_tokens + usage.completion_tokens


def _apply(work: Work, tally: Tally) -> None:
    for job in work.ledger.jobs(WRITTEN, PAID):
        with work.write("summaries"):
            gist, turns = _as_made(work, job.input), episode_turns(work, job.input["turns"])
            title, sentences, refused = sentences_in(job.output or "", turns)
            if gist is not None and sentences:
                _put_into_words(work, gist, title, sentences, job.input["by"], tally)
            work.ledger.finish(job.key, work.now)
        tally.read += len(turns)
        tally.rejected += refused


def _put_into_words(
    work: Work, gist: Record, title: str, sentences: Mapping[str, Record], by: str, tally: Tally
) -> None:
    head = gist.text.partition("\n")[0]
    new = replace(
        gist,
        text="\n".join([head, *(attributed(words, turn) for words, turn in sentences.items())]),
        derived_by=by,
        extra={**gist.extra, "title": title or gist.extra["title"]},
    )
    for link in work.store.links(gist.id, LinkKind.DERIVED_FROM, back=False):
        work.store.unlink(link)
    work.store.link(Link(gist.id, turn.id, LinkKind.DERIVED_FROM) for turn in sentences.values())
    work.store.update(new)
    work.forget_vectors([new])
    tally.merged += 1
    tally.changes.append(f"~ {new.id} {new.extra['title']}: {' '.join(sentences)}")


def _as_made(work: Work, details: Mapping[str, Any]) -> Record | None:
    """The gist of a job, where the rules' words still stand in it."""
    gist = work.store.get_many([details["gist"]]).get(details["gist"])
    made = (
        gist is not None and hashlib.blake2b(gist.text.encode(), digest_size=8).hexdigest() == details["hash"]
    )
    return gist if made else None
