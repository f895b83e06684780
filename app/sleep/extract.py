"""Reads new episodes for what is worth knowing: rules always, and a chat model, where there is one, for the rest.

Only what people said themselves is read. An assistant's turns, and text that recall put into a prompt, never are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from app.sleep.episodes import EPISODE, UNREAD, episode_turns, speaker_of, speaks_for_itself
from app.sleep.fills import worth_asking
from app.sleep.proposals import Proposal, from_candidate, to_dict
from app.sleep.read import UNFILLED, read_episodes
from app.sleep.rules import extract as by_rules
from app.sleep.work import Tally, Work
from storage.ledger import OPEN, job_key
from storage.records import Record

RULES = "rules/1"
SLICE = 50  # episodes read in one transaction
BEFORE = 4  # turns of context
PART = 4  # turns that a model is shown at a time; small ones lose the thread of more
_TELLS = re.compile(
    r"\b(?:I|I'm|I've|I'd|my|we|our|we've|we're)\b(?=.*\w+\W+\w+\W+\w+)", re.DOTALL | re.IGNORECASE
)


def extract(work: Work, tally: Tally) -> None:
    """The job: every episode that was cut and not yet read."""
    while jobs := work.ledger.jobs(EPISODE, OPEN, limit=SLICE):
        if work.over():
            return
        episodes = [episode_turns(work, job.input["turns"]) for job in jobs]
        read = [read_episode(turns) for turns in episodes]
        with work.write("extract"):
            for job, turns, proposals in zip(jobs, episodes, read, strict=True):
                work.ledger.keep(job.key, json.dumps([to_dict(p) for p in proposals]), work.now)
                for part in worth_reading(turns, proposals):
                    ids = [turn.id for turn in part]
                    work.ledger.queue(UNREAD, job_key(UNREAD, ids), work.run, {"turns": ids}, work.now)
                for turn in worth_asking(turns, proposals):
                    key = job_key(UNFILLED, [turn.id])
                    work.ledger.queue(UNFILLED, key, work.run, {"turns": [turn.id]}, work.now)
        tally.read += sum(map(len, episodes))
        tally.added += sum(map(len, read))
    read_episodes(work, tally)


def read_episode(turns: Sequence[Record]) -> list[Proposal]:
    """What the rules find in the turns of one episode, in order."""
    found = []
    for place, turn in enumerate(turns):
        if speaks_for_itself(turn):
            context = [(_voice(t), t.text) for t in turns[max(0, place - BEFORE) : place]]
            candidates = by_rules(turn.text, speaker_of(turn), turn.event_time, turn.tz, context)
            found += [from_candidate(c, turn, RULES) for c in candidates]
    return found


def _voice(turn: Record) -> str:
    return speaker_of(turn) if speaks_for_itself(turn) else "assistant"


def worth_reading(turns: Sequence[Record], proposals: Sequence[Proposal]) -> Iterator[list[Record]]:
    """Parts in which a model might find more: someone tells of themselves in a turn where the rules found nothing."""
    caught = {proposal.turn for proposal in proposals}
    own = [turn for turn in turns if speaks_for_itself(turn)]
    for start in range(0, len(own), PART):
        part = own[start : start + PART]
        if any(turn.id not in caught and _TELLS.search(turn.text) for turn in part):
            yield part
