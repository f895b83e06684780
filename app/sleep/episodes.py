"""Cuts new turns into episodes: whole thoughts, ended by a pause or by a change of topic.

A turn is linked to the turn after it (`next`) and to the head of its episode (`same_episode`). No word is touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from app.sleep.work import Tally, Work
from storage.ledger import job_key
from storage.records import Filter, Kind, Link, LinkKind, Record

if TYPE_CHECKING:
    from app.sleep.vectors import Vectors

PAUSE = timedelta(minutes=30)
LEAST, MOST = 4, 16  # turns of an episode
WINDOW = 3  # turns on either side that a shift of topic is judged by
DIP = 0.5  # standard deviations below the session's mean similarity
SLICE = 2_000  # turns in one transaction
EPISODE, UNREAD = "episode", "unread"  # what waits in the ledger: for the rules, and for a model

TURNS = Filter(kinds=frozenset({Kind.EPISODIC}))


def cut_episodes(work: Work, tally: Tally) -> None:
    """The job: every turn since the last night, session by session."""
    while not work.over():
        since = work.mark("episodes")
        turns = [t for t in work.store.since(since, TURNS, SLICE) if t.seq <= work.horizon]
        if not turns:
            return
        episodes = [e for session in _sessions(turns) for e in segment(session, work.vectors(session))]
        with work.write("episodes"):
            for episode in episodes:
                _enter(work, episode)
            work.set_mark("episodes", turns[-1].seq)
        tally.read += len(turns)
        tally.added += len(episodes)


def segment(turns: Sequence[Record], vectors: Vectors) -> list[list[Record]]:
    """Turns of one session as episodes: cut at a pause, at a dip of similarity, and at `MOST` turns."""
    shifts = _shifts(turns, vectors)
    episodes: list[list[Record]] = []
    for place, turn in enumerate(turns):
        pause = bool(place) and turn.event_time - turns[place - 1].event_time > PAUSE
        full = not episodes or pause or len(episodes[-1]) >= MOST
        if full or (place in shifts and len(episodes[-1]) >= LEAST and len(turns) - place >= 2):
            episodes.append([turn])
        else:
            episodes[-1].append(turn)
    return episodes


def _shifts(turns: Sequence[Record], vectors: Vectors) -> set[int]:
    """Places where what follows is least like what went before (TextTiling, Hearst 1997, on embeddings)."""
    import numpy as np  # the night alone pays for it

    places = range(WINDOW, len(turns) - 1)
    likeness = {}
    for place in places:
        left = [vectors[t.seq] for t in turns[place - WINDOW : place] if t.seq in vectors]
        right = [vectors[t.seq] for t in turns[place : place + WINDOW] if t.seq in vectors]
        if left and right:
            one, two = np.mean(left, axis=0), np.mean(right, axis=0)
            likeness[place] = float(one @ two) / (float(np.linalg.norm(one) * np.linalg.norm(two)) or 1.0)
    if len(likeness) < WINDOW:
        return set()
    values = np.array(list(likeness.values()))
    low = float(values.mean() - DIP * values.std())
    return {
        place
        for place, value in likeness.items()
        if value < low and value <= min(likeness.get(place - 1, 1.0), likeness.get(place + 1, 1.0))
    }


def _sessions(turns: Iterable[Record]) -> Iterator[list[Record]]:
    """The turns of each conversation; those that began earlier come first, so that facts are learnt in their order."""
    ordered = sorted(turns, key=lambda t: (t.session or "", t.seq))
    groups = [list(group) for _, group in groupby(ordered, key=lambda t: t.session or "")]
    yield from sorted(groups, key=lambda group: (group[0].event_time, group[0].seq))


def _enter(work: Work, episode: Sequence[Record]) -> None:
    head = episode[0]
    before = work.store.neighbours(head, before=1, after=0)
    chain = [*before, *episode]
    work.store.link(Link(a.id, b.id, LinkKind.NEXT) for a, b in pairwise(chain) if a.session is not None)
    work.store.link(Link(turn.id, head.id, LinkKind.SAME_EPISODE) for turn in episode[1:])
    ids = [turn.id for turn in episode]
    work.ledger.queue(EPISODE, job_key(EPISODE, ids), work.run, {"turns": ids}, work.now)


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
