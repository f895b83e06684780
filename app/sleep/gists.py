"""Gists of sessions and of topics across them: the most telling sentences, in order, word for word.

Always from what was said, never from another gist, so that nothing drifts. Each sentence is linked to its turn.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import blake2b

from app.sleep.names import keywords
from app.sleep.work import Tally, Work
from storage.ledger import job_key
from storage.records import Filter, Kind, Link, LinkKind, Record, Source, least_trust

COLD = timedelta(minutes=30)  # a conversation is over when nothing was said for so long
LEAST_TURNS = 4
MOST_SENTENCES = 5
LONGEST = 180  # characters of a sentence that may stand for its turn
SHOWN = 10  # turns that a model is shown, to put a gist into words
BY = "extract/1"
UNWRITTEN = "unwritten"  # what waits in the ledger for a model
TURNS = Filter(kinds=frozenset({Kind.EPISODIC}))
_SENTENCE = re.compile(r"[^.!?…\n]+(?:[.!?…]+|\n|$)")


@dataclass(frozen=True, slots=True)
class Quote:
    """A span of a turn that speaks for it."""

    turn: Record
    start: int
    end: int
    words: frozenset[str]

    @property
    def text(self) -> str:
        return self.turn.text[self.start : self.end]


def write_gists(work: Work, tally: Tally) -> None:
    """The job: a gist for every conversation that has something new and is over."""
    since = work.mark("gists")
    new = [t for t in work.store.since(since, TURNS) if t.seq <= work.horizon]
    waiting: list[int] = []
    for session in dict.fromkeys(t.session for t in new if t.session is not None):
        if work.over():
            return
        said = replace(TURNS, session=session)
        if work.now - work.store.records(said, limit=1)[0].event_time < COLD:
            waiting += [t.seq for t in new if t.session == session]
            continue
        turns = work.store.records(said, newest_first=False)
        tally.read += len(turns)
        if len(turns) >= LEAST_TURNS:
            with work.write("gists"):
                gist = write_gist(work, f"session {session}", turns, {"level": "session"}, tally)
                if gist is not None:
                    _hold_together(work, gist, [t for t in new if t.session == session])
    if new:
        with work.write("gists"):
            work.set_mark("gists", min([new[-1].seq, *(seq - 1 for seq in waiting)]))


def _hold_together(work: Work, gist: Record, turns: Sequence[Record]) -> None:
    """Tie the episodes of these turns, by their heads, to the gist of their session."""
    for turn in turns:
        heads = [k.dst for k in work.store.links(turn.id, LinkKind.SAME_EPISODE, back=False)]
        work.store.link(Link(head, gist.id, LinkKind.PART_OF) for head in heads or [turn.id])


def telling(turns: Sequence[Record], most: int = SHOWN) -> list[Quote]:
    """The sentences that share most with the rest, each from another turn, the most telling first.

    A word counts for the log of the turns that hold it, and less the more often it was quoted already (SumBasic).
    """
    spread = Counter(word for turn in turns for word in _words(turn.text))
    weight = {word: math.log1p(count) for word, count in spread.items()}
    choices = [quote for turn in turns if (quote := _best(turn, weight)) is not None]
    chosen: list[Quote] = []
    while choices and len(chosen) < most:
        best = max(choices, key=lambda quote: (_score(quote, weight), -quote.turn.seq))
        chosen.append(best)
        choices.remove(best)
        for word in best.words:
            weight[word] *= 0.3
    return chosen


def gist_text(turns: Sequence[Record], quotes: Sequence[Quote]) -> str:
    """Day, who spoke, and the quotes, one a line."""
    day = f"{turns[0].event_time:%Y-%m-%d}"
    people = " and ".join(dict.fromkeys(t.speaker or t.role for t in turns if t.speaker or t.role))
    lines = [f"{q.turn.speaker or q.turn.role}: {q.text}" for q in quotes]
    return "\n".join([f"{day}, {people}", *lines])


def _best(turn: Record, weight: dict[str, float]) -> Quote | None:
    quotes = []
    for match in _SENTENCE.finditer(turn.text):
        start = match.start() + len(match[0]) - len(match[0].lstrip())
        end = start + len(match[0].strip())
        if (
            12 <= end - start <= LONGEST
            and turn.text[start] != "["
            and not turn.text[start:end].endswith("?")
        ):
            quotes.append(Quote(turn, start, end, _words(turn.text[start:end])))
    return max(quotes, key=lambda q: (_score(q, weight), -q.start), default=None)


def _score(quote: Quote, weight: dict[str, float]) -> float:
    total = sum(weight.get(word, 0.0) for word in quote.words)
    telling = total / math.sqrt(len(quote.words) + 3) * (1 + quote.turn.importance / 10)
    return telling * (0.5 if quote.turn.role == "assistant" else 1.0)


def _words(text: str) -> frozenset[str]:
    return frozenset(keywords([text], most=len(text)))


def write_gist(
    work: Work, subject: str, turns: Sequence[Record], extra: dict[str, object], tally: Tally
) -> Record | None:
    """Write or refresh a gist from the turns it is of, in the caller's transaction; None when they tell nothing."""
    told = telling(turns)
    if not told:
        return None
    few = min(MOST_SENTENCES, max(1, round(math.sqrt(len(turns)))))
    quotes = sorted(told[:few], key=lambda quote: quote.turn.seq)
    fresh = _gist(work, subject, turns, quotes, extra)
    old = next(iter(work.store.slot(subject, "gist")), None)
    if old is not None and old.text == fresh.text:
        return old
    if old is None:
        [gist] = work.store.insert([fresh])
        tally.added += 1
    else:
        worn = {name: getattr(old, name) for name in ("stability", "last_used", "use_count", "state")}
        gist = replace(fresh, id=old.id, seq=old.seq, **worn)
        for link in work.store.links(gist.id, LinkKind.DERIVED_FROM, back=False):
            work.store.unlink(link)
        work.store.update(gist)
        work.forget_vectors([gist])
    work.store.link(Link(gist.id, q.turn.id, LinkKind.DERIVED_FROM, 1.0, q.start, q.end) for q in quotes)
    _wait_for_words(work, gist, told)
    tally.changes.append(f"{'+' if old is None else '~'} {gist.id} gist of {subject}: {gist.extra['title']}")
    return gist


def _wait_for_words(work: Work, gist: Record, told: Sequence[Quote]) -> None:
    """Queue a gist that the rules made, with the turns that tell most, for a model to put into words."""
    turns = sorted((quote.turn for quote in told), key=lambda turn: turn.seq)
    ids = [turn.id for turn in turns if turn.role != "assistant"] or [turn.id for turn in turns]
    details = {"gist": gist.id, "turns": ids, "hash": blake2b(gist.text.encode(), digest_size=8).hexdigest()}
    key = job_key(UNWRITTEN, [gist.id, *ids], details["hash"])
    work.ledger.queue(UNWRITTEN, key, work.run, details, work.now)


def _gist(
    work: Work, subject: str, turns: Sequence[Record], quotes: Sequence[Quote], extra: dict[str, object]
) -> Record:
    own = [t.text for t in turns if t.role != "assistant"] or [t.text for t in turns]
    speakers = {str(t.speaker).lower() for t in turns}
    title = [word for word in keywords(own, 4 + len(speakers)) if word not in speakers][:4]
    first, last = turns[0], turns[-1]
    return Record(
        kind=Kind.GIST,
        text=gist_text(turns, quotes),
        source=Source.MODEL_INFERRED,
        trust=least_trust([t.trust for t in turns]),
        event_time=last.event_time,
        recorded_at=work.now,
        session=first.session if first.session == last.session else None,
        tz=first.tz,
        valid_from=first.event_time,
        subject=subject,
        attribute="gist",
        importance=max(t.importance for t in turns),
        language=first.language,
        derived_by=BY,
        extra={"title": " ".join(title), "turns": len(turns), **extra},
    )
