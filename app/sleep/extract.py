"""Reads new episodes for what is worth knowing: rules always, and a chat model, where there is one, for the rest.

Only what people said themselves is read. An assistant's turns, and text that recall put into a prompt, never are.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence

from app.sleep.attributes import is_single_valued
from app.sleep.choose import choice_of
from app.sleep.episodes import EPISODE, UNREAD, episode_turns, speaker_of, speaks_for_itself
from app.sleep.fills import OWN, tells_of_self
from app.sleep.meant import NOTHING, Meanings, by_meaning, meanings_of
from app.sleep.proposals import Proposal, from_candidate, to_dict
from app.sleep.read import UNFILLED, read_episodes
from app.sleep.rules import extract as by_rules
from app.sleep.work import Tally, Work
from storage.ledger import OPEN, job_key
from storage.records import Record
from storage.store import Store

RULES = "rules/1"
SLICE = 50  # episodes read in one transaction
BEFORE = 4  # turns of context
PART = 4  # turns that a model is shown at a time; small ones lose the thread of more


def extract(work: Work, tally: Tally) -> None:
    """The job: every episode that was cut and not yet read."""
    known = known_values(work.store)
    while jobs := work.ledger.jobs(EPISODE, OPEN, limit=SLICE):
        if work.over():
            return
        episodes = [episode_turns(work, job.input["turns"]) for job in jobs]
        seen = meanings_of(work.memory, [turn for turns in episodes for turn in turns])
        read = [read_episode(turns, seen, known) for turns in episodes]
        with work.write("extract"):
            for job, turns, proposals in zip(jobs, episodes, read, strict=True):
                work.ledger.keep(job.key, json.dumps([to_dict(p) for p in proposals]), work.now)
                for part in worth_reading(turns, proposals):
                    ids = [turn.id for turn in part]
                    work.ledger.queue(UNREAD, job_key(UNREAD, ids), work.run, {"turns": ids}, work.now)
                for turn in turns:
                    if choice := choice_of(turn, seen.get(turn.id, NOTHING), proposals, known):
                        key = job_key(UNFILLED, [turn.id])
                        asked = {"turns": [turn.id], "choice": choice}
                        work.ledger.queue(UNFILLED, key, work.run, asked, work.now)
        tally.read += sum(map(len, episodes))
        tally.added += sum(map(len, read))
    read_episodes(work, tally)


def known_values(store: Store) -> set[str]:
    """The values that are true now of the user's slots, in lower case."""
    facts = (fact for slot in OWN for fact in store.slot("user", slot))
    return {str(fact.extra["value"]).lower() for fact in facts if "value" in fact.extra}


def read_episode(turns: Sequence[Record], meanings: Meanings, known: Collection[str] = ()) -> list[Proposal]:
    """What the rules find in the turns of one episode, in order; and where they find no slot filled, its meaning.

    `known`: values that slots hold already, in lower case.
    """
    found = []
    for place, turn in enumerate(turns):
        if speaks_for_itself(turn):
            context = [(_voice(t), t.text) for t in turns[max(0, place - BEFORE) : place]]
            candidates = by_rules(turn.text, speaker_of(turn), turn.event_time, turn.tz, context)
            if turn.role == "user" and not any(is_single_valued(c.attribute or "") for c in candidates):
                meant = by_meaning(turn, meanings.get(turn.id, NOTHING), known)
                plans = [c for c in candidates if c.attribute == "plan"]
                candidates += [
                    c for c in meant if not any(c.start < p.end and p.start < c.end for p in plans)
                ]
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
        if any(turn.id not in caught and tells_of_self(turn.text) for turn in part):
            yield part
