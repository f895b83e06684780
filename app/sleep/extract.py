"""Reads new episodes for what is worth knowing: rules always, and a chat model, where there is one, for what they missed.

Only what people said themselves is read. An assistant's turns, and text that recall put into a prompt, never are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from app.sleep.episodes import EPISODE
from app.sleep.proposals import Proposal, from_candidate, to_dict
from app.sleep.rules import extract as by_rules
from app.sleep.work import Tally, Work
from storage.ledger import OPEN
from storage.records import Record

RULES = "rules/1"
SLICE = 50  # episodes read in one transaction
BEFORE = 3  # turns of context


def extract(work: Work, tally: Tally) -> None:
    """The job: every episode that was cut and not yet read."""
    while jobs := work.ledger.jobs(EPISODE, OPEN, limit=SLICE):
        if work.over():
            return
        read = {job.key: read_episode(episode_turns(work, job.input["turns"])) for job in jobs}
        with work.write("extract"):
            for key, proposals in read.items():
                work.ledger.keep(key, json.dumps([to_dict(p) for p in proposals]), work.now)
        tally.read += sum(len(job.input["turns"]) for job in jobs)
        tally.added += sum(map(len, read.values()))


def read_episode(turns: Sequence[Record]) -> list[Proposal]:
    """What the rules find in the turns of one episode, in order."""
    found = []
    for place, turn in enumerate(turns):
        if speaks_for_itself(turn):
            context = [t.text for t in turns[max(0, place - BEFORE) : place]]
            candidates = by_rules(turn.text, speaker_of(turn), turn.event_time, turn.tz, context)
            found += [from_candidate(c, turn, RULES) for c in candidates]
    return found


def episode_turns(work: Work, ids: Sequence[str]) -> list[Record]:
    """The turns of an episode that still exist, in order."""
    found = work.store.get_many(ids)
    return [found[id] for id in ids if id in found]


def speaks_for_itself(turn: Record) -> bool:
    """Whether a turn may be a source of facts: said by a person, in their own words."""
    return turn.role in ("user", "other") and bool(turn.text.strip())


def speaker_of(turn: Record) -> str:
    """Whom "I" means in a turn: "user", or the other's name."""
    return "user" if turn.role == "user" else (turn.speaker or "other")
