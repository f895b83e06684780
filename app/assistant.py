"""The chat turn: store what was said, decide whether memory is needed, recall, answer from it, check, reinforce.

The user's words are on disk before the model is called; what recall puts into a prompt is never stored again.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from app import citations, gate, reflexes, tasks, tools
from app.encode import turn
from app.errors import BadRequest
from app.events import (
    Answered,
    Called,
    Event,
    Evidence,
    Folded,
    Recalled,
    Reminded,
    Said,
    Stored,
    Thought,
)
from app.evidence import FOOT, Gathered, fenced, gather, ways_to
from app.hops import Followed, follow
from app.prefix import warm
from app.prompts import opening, system_text, today
from app.recall.context import question_of
from app.standing import always_considered
from app.uses import CITED, use
from app.working import Layout, Part, Role, Window
from models.chat import ReadsAhead, Thinks
from storage.records import Filter, Kind, Source

if TYPE_CHECKING:
    from app.memory import Memory
    from models.chat import ChatModel

Stop = Callable[[], bool]

TALK_TOKENS = 400  # of evidence in a chat turn; on a processor each hundred takes about a second to read
ASK_TOKENS = 1000
REPLY_TOKENS = 512
HITS = 12
RESUMED_TURNS = 200
CIRCLE = 40
DONT_KNOW = "I don't know: nothing that you told me says it."
NOT_KNOWING = re.compile(r"\bI (?:don't|do not) know\b", re.IGNORECASE)
ASKED = gate.Need(True, True, "asked")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that is settled before the model speaks."""

    text: str
    need: gate.Need
    evidence: tuple[Evidence, ...]
    layout: Layout
    recall_ms: float
    spoken: str = ""  # what code says; "" leaves it to the model
    stored: tuple[str, ...] = ()
    calls: tuple[Called, ...] = ()


@dataclass(frozen=True, slots=True)
class Turned:
    """What the last turn did, for `/why` and for corrections of it."""

    text: str = ""
    need: gate.Need | None = None
    evidence: tuple[Evidence, ...] = ()
    answer: Answered = field(default_factory=lambda: Answered(""))


class Assistant:
    """One conversation over one memory. Belongs to the thread that made it, as its memory does."""

    def __init__(
        self,
        memory: Memory,
        chat: ChatModel,
        session: str | None,
        *,
        now: datetime,
        incognito: bool = False,
        brief: bool = False,
    ) -> None:
        """`session` is continued where it has turns already. `incognito` reads memory and writes nothing.
        `brief` is for single questions, which are answered in a few words."""
        self.memory = memory
        self.chat = chat
        self.session = session
        self.incognito = incognito
        self.tools = not incognito and tools.able(chat, memory.config.models.tools)
        self.last = Turned()
        always = always_considered(memory.store, chat.count_tokens, chat.context_tokens // 8)
        system, turns = system_text(always, brief=brief), opening(now, brief=brief)
        self.window = Window(
            chat.count_tokens, chat.context_tokens, system, examples=turns, reply_tokens=REPLY_TOKENS
        )
        self._stable = 1 + len(turns) - len(today(now))  # messages that stay the same over days
        self._warm = False
        self._resume()

    def reply(self, text: str, now: datetime, stop: Stop | None = None) -> Iterator[Event]:
        """One turn: the user's words are stored, then answered, then the answer is stored.

        Closing the iterator stops the reply; what was said until then is kept. Raises ModelError, StorageError.
        """
        text = cleaned(text)
        stored = self._store(text, now, "user")
        if stored:
            yield Stored(stored)
        yield from self._reminders(text, now)
        done = self._reflex(text, now, stored)
        if done is not None:
            yield from done.events
            for id in done.hides:
                self.window.hide(id)
            plan = self._ruled(text, done, stored)
        else:
            chance = gate.chance_of_need(text, self.memory.embedder)  # embedded already, when it was stored
            plan = self._plan(text, now, gate.judge(text, self.last.need, chance), TALK_TOKENS, stored)
        yield from self._carried_out(plan, now, stop, keep=True)
        if stored and not plan.spoken:
            yield from self._by_itself(text, stored[0], now, stop)
        if not plan.spoken and isinstance(self.chat, ReadsAhead):  # while the answer is being read
            self.chat.read_ahead(self.window.standing)

    def ask(
        self, question: str, now: datetime, stop: Stop | None = None, *, budget: int = ASK_TOKENS
    ) -> Iterator[Event]:
        """One grounded answer: memory is always asked, and neither question nor answer is stored."""
        question = cleaned(question)
        done = reflexes.counted(self.memory, question, now)
        plan = self._plan(question, now, ASKED, budget) if done is None else self._ruled(question, done)
        yield from self._carried_out(plan, now, stop, keep=False)

    def retake(self, now: datetime) -> str:
        """Take back the last turn, as app/retake.py says; returns the user's words, to be said again or changed."""
        from app.retake import take_back

        self.last = Turned()
        return take_back(self, now)

    def context(self, change: str = "", id: str = "") -> list[Part]:
        """What is in the window, after one `change` (pin, hide, fold, restore) of the turn `id`. Raises BadRequest."""
        changes = {"pin": self.window.pin, "hide": self.window.hide, "fold": self.window.fold}
        changes["restore"] = self.window.restore
        if change and change not in changes:
            raise BadRequest(f"There is no {change!r}.", f"It is one of: {', '.join(changes)}.")
        if change and not changes[change](id):
            raise BadRequest(f"Nothing in the window is called {id!r}.", "/context shows what is there.")
        return self.window.parts()

    # -- the steps ---------------------------------------------------------------------------------

    def _plan(
        self, text: str, now: datetime, need: gate.Need, budget: int, stored: tuple[str, ...] = ()
    ) -> Plan:
        followed = self._found(text, now, need, stored) if need.recall else Followed(Gathered((), False, 0.0))
        found = followed.found
        room = self.window.room_for_evidence(text, budget)
        hits = () if found.abstain else found.evidence  # what bears on nothing only distracts
        ways = ways_to(self.memory, text, now) if need.recall or need.reason == gate.TASK else ()
        hits = (*ways, *(hit for hit in hits if hit.id not in {way.id for way in ways}))
        asked = need is ASKED
        block, shown = fenced(
            hits, room, self.chat.count_tokens, self.memory.config.user.name, by_time=not asked
        )
        layout = self.window.layout(text, block, FOOT if block else "")
        abstain = need.personal and found.abstain and not ways and not self._was_said_here(text)
        spoken = DONT_KNOW if abstain else ""
        return Plan(text, need, shown, layout, found.ms, spoken, stored, followed.calls)

    def _found(self, text: str, now: datetime, need: gate.Need, stored: tuple[str, ...]) -> Followed:
        """What memory holds on it; asked again where the first answer leaves a part open."""
        known = self.window.shown_ids | set(stored)

        def ask(words: str) -> Gathered:
            return gather(self.memory, words, now, HITS, known)

        if not (need.personal or gate.asks(text)):  # what only tells something leaves nothing open
            return Followed(ask(text))
        model = tools.further(self.chat, self.window.opening) if self.tools and need is ASKED else None
        return follow(text, ask(text), ask, HITS, model)

    def _ruled(self, text: str, done: reflexes.Reflex, stored: tuple[str, ...] = ()) -> Plan:
        need = gate.Need(bool(done.evidence), False, done.reason)
        return Plan(text, need, done.evidence, Layout((), 0), 0.0, done.text, stored)

    def _reflex(self, text: str, now: datetime, stored: tuple[str, ...]) -> reflexes.Reflex | None:
        if not stored or self.session is None:  # nothing may be written: only counting is left
            return reflexes.counted(self.memory, text, now)
        last = self.last
        return reflexes.reflex(self.memory, text, stored[0], last.answer, last.evidence, self.session, now)

    def _reminders(self, text: str, now: datetime) -> Iterator[Reminded]:
        due = tasks.due(self.memory.store, text, now)
        if due and not self.incognito:
            tasks.shown(self.memory, due, now)
        for task in due:
            yield Reminded(task.id, task.text, tasks.when(task))

    def _carried_out(self, plan: Plan, now: datetime, stop: Stop | None, *, keep: bool) -> Iterator[Event]:
        started = time.perf_counter()
        yield from plan.calls
        yield Recalled(plan.evidence, plan.need.reason, plan.recall_ms, plan.layout.evidence_tokens)
        if plan.layout.folded:
            yield Folded(plan.layout.folded, plan.layout.tokens)
        pieces: list[str] = []
        try:
            for event in self._spoken(plan, stop):
                if isinstance(event, Said):
                    pieces.append(event.piece)
                yield event
        finally:  # also when the caller goes away in the middle: what was said is kept
            answer = self._kept(plan, "".join(pieces).strip(), now, keep)
        total = plan.recall_ms + (time.perf_counter() - started) * 1000
        yield self._finished(plan, answer, total)
        # Its user reads now. A caller who goes away leaves this to the backlog.
        late = self.memory.store.get_many(answer.stored[len(plan.stored) :])
        self.memory.sharpen(list(late.values()), now)

    def _by_itself(self, text: str, said: str, now: datetime, stop: Stop | None) -> Iterator[Called]:
        """What the model does of its own accord after a turn that gives cause, within what code allows."""
        offered = tools.cued(text) if self.tools and not self.last.answer.stopped else ()
        if not offered or self.session is None:
            return
        evidence = self.window.evidence_tokens
        asked = self.window.layout(tools.instruction(offered))
        self.window.evidence_tokens = evidence
        choice = tools.choose(self.chat, asked.messages, offered, text, stop)
        if choice is not None:
            yield tools.carry_out(self.memory, choice, said, self.session, self.window, now)

    def _spoken(self, plan: Plan, stop: Stop | None) -> Iterator[Said | Thought]:
        if plan.spoken:
            yield Said(plan.spoken)
            return
        if not self._warm and not self.incognito:
            self._warm = True
            warm(self.chat, self.window.opening[: self._stable], self.memory)
        thoughts: deque[str] = deque()
        if isinstance(self.chat, Thinks):
            self.chat.on_thought = thoughts.append
        stream = self.chat.stream(plan.layout.messages, max_tokens=self.window.reply_tokens, stop=stop)
        try:
            yield from _clean(stream, plan, thoughts)
        finally:
            close = getattr(stream, "close", None)
            if close is not None:  # the model is stopped now, not when its iterator is collected
                close()

    def _kept(self, plan: Plan, text: str, now: datetime, keep: bool) -> Answered:
        """Check what was said against its evidence, store it, and reinforce the memories that it rests on."""
        used = citations.used(text, plan.evidence)
        if not used and plan.need.personal and not NOT_KNOWING.search(text):
            used = citations.borne_out_by(text, plan.text, plan.evidence)
        known = " ".join([plan.text, *(t.text for t in self.window.verbatim)])
        unsupported = () if plan.spoken else citations.unsupported(text, plan.evidence, known)
        stored = plan.stored
        if keep:
            ids = self._store(text, now, "assistant") if text else ()
            self.window.add("user", plan.text, stored[0] if stored else "")
            self.window.add("assistant", text, ids[0] if ids else "")
            stored += ids
        self._reinforce(used, now)
        cited = citations.cited(text, {e.id for e in plan.evidence})
        answer = Answered(text, cited, used, stored, unsupported if plan.evidence else ())
        self.last = Turned(plan.text, plan.need, plan.evidence, answer)
        return answer

    def _finished(self, plan: Plan, answer: Answered, total_ms: float) -> Answered:
        usage = None if plan.spoken else self.chat.last_usage
        unknown = plan.need.personal and not answer.citations and bool(NOT_KNOWING.search(answer.text))
        done = replace(
            answer,
            abstained=plan.spoken == DONT_KNOW or unknown,
            context_tokens=plan.layout.evidence_tokens,
            recall_ms=plan.recall_ms,
            total_ms=total_ms,
            model=self.chat.name,
        )
        if usage is not None:
            done = replace(
                done,
                stopped=usage.stopped,
                prompt_tokens=usage.prompt_tokens,
                cached_tokens=usage.cached_tokens,
                completion_tokens=usage.completion_tokens,
                first_token_ms=usage.first_token_ms,
            )
        self.last = replace(self.last, answer=done)
        return done

    # -- memory ------------------------------------------------------------------------------------

    def _resume(self) -> None:
        if self.session is None:
            return
        asked = Filter(kinds=frozenset({Kind.EPISODIC}), session=self.session)
        turns = self.memory.store.records(asked, limit=RESUMED_TURNS)[::-1]
        self.window.load((_role(r.role), r.text, r.id) for r in turns)

    def _store(self, text: str, now: datetime, role: Role) -> tuple[str, ...]:
        if self.incognito or not text.strip():
            return ()
        source, speaker = Source.MODEL_INFERRED, None
        if role == "user":
            source, speaker = Source.USER_SAID, self.memory.config.user.name
        record = turn(text, now=now, speaker=speaker, role=role, source=source, session=self.session)
        if role == "user":
            asked = "".join(t.text for t in self.window.turns[-1:] if t.role == "assistant")
            record = replace(record, context=question_of(text, asked))
            return tuple(r.id for r in self.memory.add([record], "say", now))
        return tuple(r.id for r in self.memory.add([record], "answer", now, embed=False))

    def _reinforce(self, used: tuple[str, ...], now: datetime) -> None:
        """Memories that an answer rests on are used; those that were only shown are not."""
        if self.incognito or not used:
            return
        use(self.memory, used, CITED, self.session or f"ask {now:%Y-%m-%d}", now)

    def _was_said_here(self, question: str) -> bool:
        """Whether the conversation in the window speaks of what is asked: then the model may answer from it."""
        wanted = citations.telling(question)
        said = citations.telling(" ".join(t.text for t in self.window.verbatim if t.role == "user"))
        return bool(wanted) and len(wanted & said) * 2 >= len(wanted)


def cleaned(text: str) -> str:
    """What was typed, without control characters and invalid code points; line breaks and tabs stay."""
    return _CONTROL.sub("", text.encode("utf-8", errors="replace").decode("utf-8")).strip()


def onward(stream: Iterator[str]) -> Iterator[str]:
    """The pieces of a reply until it goes round in a circle, as small models do in lists: its last words, `CIRCLE`
    characters or more, stand there three times in a row."""
    said = ""
    for piece in stream:
        yield piece
        said = (said + piece)[-9 * CIRCLE :]
        sizes = range(CIRCLE, len(said) // 3 + 1)
        if any(said[-n:] == said[-2 * n : -n] == said[-3 * n : -2 * n] for n in sizes):
            return


def _clean(stream: Iterator[str], plan: Plan, thoughts: deque[str]) -> Iterator[Said | Thought]:
    """The model's pieces, their citations checked, and its thoughts as they come."""
    scrubber = citations.Scrubber(plan.evidence, plan.text)
    for piece in onward(stream):
        while thoughts:
            yield Thought(thoughts.popleft())
        if clean := scrubber.feed(piece):
            yield Said(clean)
    if rest := scrubber.rest():
        yield Said(rest)


def _role(role: str) -> Role:
    return "assistant" if role == "assistant" else "user"
