"""Topics across conversations: sessions whose gists are near one another, and one gist over what was said in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from app.sleep.gists import TURNS, write_gist
from app.sleep.work import Tally, Work
from storage.records import Filter, Kind, Link, LinkKind, Record

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NEAR = 0.60  # cosine between the gists of two sessions on one topic
NEAREST = 8
MOST_TURNS = 400  # of a topic, the newest; so that a long life's topic costs no more than a short one's
GISTS = Filter(kinds=frozenset({Kind.GIST}))


def cluster_topics(work: Work, tally: Tally) -> None:
    """The job: each new session joins the topic of its nearest neighbour, or begins one with it."""
    work.embed()
    sessions = [g for g in work.store.since(work.mark("topics"), GISTS) if g.extra.get("level") == "session"]
    vectors = work.vectors(sessions)
    for gist in sessions:
        if work.over():
            return
        tally.read += 1
        neighbour = _neighbour(work, gist, vectors[gist.seq]) if gist.seq in vectors else None
        with work.write("topics"):
            if neighbour is not None:
                _join(work, neighbour, gist, tally)
            work.set_mark("topics", gist.seq)


def _neighbour(work: Work, gist: Record, vector: NDArray[np.float32]) -> Record | None:
    """The nearest other session, when it is near enough."""
    near = [seq for seq, score in work.near(vector, NEAREST, GISTS) if seq != gist.seq and score >= NEAR]
    others = work.store.by_seq(near)
    found = (others[seq] for seq in near if seq in others)
    return next((other for other in found if other.extra.get("level") == "session"), None)


def _join(work: Work, neighbour: Record, gist: Record, tally: Tally) -> None:
    """Write the gist of the topic that both now belong to, from what was said in all of its sessions."""
    topics = [link.dst for link in work.store.links(neighbour.id, LinkKind.PART_OF, back=False)]
    members = {neighbour.id, gist.id}
    for id in topics:
        members |= {link.src for link in work.store.links(id, LinkKind.PART_OF, out=False)}
    gists = list(work.store.get_many(sorted(members)).values())
    turns = sorted(_newest(work, gists), key=lambda t: (t.event_time, t.seq))[-MOST_TURNS:]
    known = work.store.get_many(topics)
    subject = next(iter(known.values())).subject if known else f"topic {neighbour.id}"
    topic = write_gist(work, str(subject), turns, {"level": "topic"}, tally)
    if topic is not None:
        work.store.link(Link(g.id, topic.id, LinkKind.PART_OF) for g in (neighbour, gist))


def _newest(work: Work, gists: Sequence[Record]) -> list[Record]:
    """The turns of the newest of these sessions, as many as a topic is told from."""
    turns: list[Record] = []
    for gist in sorted(gists, key=lambda g: (g.event_time, g.seq), reverse=True):
        if len(turns) >= MOST_TURNS:
            break
        turns += work.store.records(replace(TURNS, session=gist.session))
    return turns
