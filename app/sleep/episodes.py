"""Cuts new turns into episodes: whole thoughts, ended by a pause or by a change of topic that surprises.

A turn is linked to the turn after it (`next`) and to the head of its episode (`same_episode`), which keeps the
episode's title beside its words. No word is touched.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from app.guard.hostile import inert
from app.guard.secrets import redact
from app.sleep.names import keywords
from app.sleep.work import Tally, Work
from storage.ledger import job_key
from storage.records import Filter, Kind, Link, LinkKind, Record

if TYPE_CHECKING:
    from app.sleep.vectors import Vectors

PAUSE = timedelta(minutes=30)
LEAST, MOST = 4, 16  # turns of an episode
WINDOW = 3  # turns on either side that a shift of topic is judged by
DIP = 0.5  # standard deviations below the session's mean similarity
TITLE = 4  # words
SLICE = 2_000  # turns in one transaction
SHOWN = 400  # characters of a turn that a model is shown
EPISODE, UNREAD = "episode", "unread"  # what waits in the ledger: for the rules, and for a model

TURNS = Filter(kinds=frozenset({Kind.EPISODIC}))


def cut_episodes(work: Work, tally: Tally) -> None:
    """The job: every turn since the last night, session by session."""
    while not work.over():
        since = work.mark("episodes")
        turns = [t for t in work.store.since(since, TURNS, SLICE) if t.seq <= work.horizon]
        if not turns:
            return
        episodes: list[tuple[list[Record], str]] = []
        for session in _sessions(turns):
            cut = segment(session, work.vectors(session))
            episodes += zip(cut, titles(cut), strict=True)
        with work.write("episodes"):
            for episode, title in episodes:
                _enter(work, episode, title)
            work.set_mark("episodes", turns[-1].seq)
        tally.read += len(turns)
        tally.added += len(episodes)


def segment(turns: Sequence[Record], vectors: Vectors) -> list[list[Record]]:
    """Turns of one session as episodes: cut at a pause, at a shift of topic that surprises, and at `MOST` turns.

    A turn surprises that lies farther from the middle of its episode than the turns before it did, as in EM-LLM
    (Fountas et al. 2024), with distance for improbability; a short episode borrows from what is usual in the session.
    """
    shifts = _shifts(turns, vectors)
    steps = [_distance(turn, turns[max(0, n - WINDOW) : n], vectors) for n, turn in enumerate(turns)][1:]
    usual = sum(steps) / max(len(steps), 1)
    episodes: list[list[Record]] = []
    so_far: list[float] = []
    for place, turn in enumerate(turns):
        pause = bool(place) and turn.event_time - turns[place - 1].event_time > PAUSE
        full = not episodes or pause or len(episodes[-1]) >= MOST
        surprise = 0.0 if full else _distance(turn, episodes[-1], vectors)
        surprises = surprise > (sum(so_far) + LEAST * usual) / (len(so_far) + LEAST)
        whole = place in shifts and not full and len(episodes[-1]) >= LEAST and len(turns) - place >= 2
        if full or (whole and surprises):
            episodes.append([turn])
            so_far = []
        else:
            episodes[-1].append(turn)
            so_far.append(surprise)
    return episodes


def titles(episodes: Sequence[Sequence[Record]]) -> list[str]:
    """A title for each episode of a session: the words that recur in it and are rare in the others (tf-idf)."""
    told = [Counter(word for turn in episode for word in _telling(turn)) for episode in episodes]
    spread = Counter(word for words in told for word in words)
    weight = {word: math.log(1 + len(episodes) / count) for word, count in spread.items()}
    best = [sorted(words, key=lambda w: (-words[w] * weight[w], -len(w), w))[:TITLE] for words in told]
    return [" ".join(w for w in words if w in few) for words, few in zip(told, best, strict=True)]


def _telling(turn: Record) -> list[str]:
    voice = (turn.speaker or "").lower()
    return [word for word in keywords([turn.text], len(turn.text)) if word not in voice]


def _distance(turn: Record, before: Sequence[Record], vectors: Vectors) -> float:
    """1 minus the cosine between a turn and the middle of those before it; 0 where one of them has no vector."""
    import numpy as np  # the night alone pays for it

    known = [vectors[t.seq] for t in before if t.seq in vectors]
    if turn.seq not in vectors or not known:
        return 0.0
    middle = np.sum(known, axis=0)
    return 1 - float(vectors[turn.seq] @ middle) / (float(np.linalg.norm(middle)) or 1.0)


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


def _enter(work: Work, episode: Sequence[Record], title: str) -> None:
    head = episode[0]
    if title:
        work.store.update(replace(head, extra={**head.extra, "episode": title}))
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


def shown(turn: Record, longest: int = SHOWN) -> str:
    """A turn as a model is shown it: inert, without secrets, cut."""
    return f"{speaker_of(turn)}: {inert(redact(turn.text)[0])[:longest]}"


def speaker_of(turn: Record) -> str:
    """Whom "I" means in a turn: "user", or the other's name."""
    return "user" if turn.role == "user" else (turn.speaker or "other")
