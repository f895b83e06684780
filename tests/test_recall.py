"""Recall over a real store: what is found, in which order, and that no question breaks it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app import encode
from app.config import Config, ForgettingConfig, find_home
from app.forgetting import PRIOR, PRIOR_MOST, Curve
from app.memory import Memory
from app.recall.channels import MOST_BOUND
from app.recall.context import context_of, views_of
from app.recall.order import FIRST
from app.recall.recall import Query, Recall
from app.uses import DECAY
from models.embed import Embedder
from models.fake import EchoChat, HashEmbedder
from storage.records import Filter, Kind, Link, LinkKind, Record
from storage.store import Store

HASHES = HashEmbedder()
NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)

FRIENDS = [
    ("Ada", "Hey Ben! How have you been?"),
    ("Ben", "Hi Ada! I adopted a greyhound called Comet last week."),
    ("Ada", "Wow, Ben! What is he like?"),
    ("Ben", "He is shy, and he steals socks."),
    ("Ada", "I went hiking near the old fort on Sunday, it took five hours."),
    ("Ben", "Nice! Who came along?"),
    ("Ada", "My uncle Theo, he knows every stone there."),
    ("Ben", "My flat has a leaking roof, so I called a plumber."),
]
PROJECT = [
    ("user", "I want to build a greenhouse, my budget is 1,400 euros."),
    ("assistant", "A greenhouse needs a foundation, glass and a door. " * 40),
    ("user", "Always give lengths in centimetres."),
    ("assistant", "Understood. " + "I suggest a polycarbonate roof for your greenhouse. " * 30),
]


def remember(
    store: Store,
    turns: Sequence[tuple[str, str]],
    *,
    session: str,
    role: str | None = None,
    embedder: Embedder = HASHES,
) -> None:
    """Store turns as an import does, with both views embedded."""
    previous, records = list[Record](), list[Record]()
    for number, (speaker, text) in enumerate(turns):
        moment = NOW - timedelta(days=20) + timedelta(minutes=number)
        record = encode.turn(
            text, now=NOW, said_at=moment, speaker=speaker, role=role or speaker, session=session,
            external_id=f"{session}:{number}",
        )  # fmt: skip
        records.append(replace(record, context=context_of(record, previous[-3:])))
        previous.append(record)
    with store.atomic("test", NOW):
        index = store.vectors(embedder.name, embedder.dim)
        for record in store.insert(records):
            for view, text in views_of(record).items():
                index.put(record.seq, view, embedder.embed([text])[0], f"{record.seq}{view}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "mem.db") as opened:
        remember(opened, FRIENDS, session="talk", role="other")
        remember(opened, PROJECT, session="work")
        yield opened


def found(store: Store, text: str, embed: bool = True, **more: object) -> list[str]:
    recall = Recall(store, HASHES if embed else None)
    return [h.record.external_id or "" for h in recall.recall(Query(text, NOW, **more)).hits]  # type: ignore[arg-type]


@pytest.mark.parametrize("embed", [True, False])
@pytest.mark.parametrize(
    ("question", "turn"),
    [
        ("Which animal did Ben adopt? A greyhound?", "talk:1"),
        ("How long did Ada's hike to the fort take?", "talk:4"),
        ("What is my budget for the greenhouse?", "work:0"),
        ("What roof did you suggest for the greenhouse?", "work:3"),
        ("When did the plumber come for the roof of Ben's flat?", "talk:7"),
    ],
)
def test_the_turn_that_answers_comes_first(store: Store, question: str, turn: str, embed: bool) -> None:
    assert found(store, question, embed)[0] == turn


def test_the_turns_around_a_good_one_are_found_too(store: Store) -> None:
    assert "talk:3" in found(store, "What is Ben's greyhound like?", k=4)


def test_a_time_in_the_question_leads_to_what_happened_then(store: Store) -> None:
    with store.atomic("test", NOW):
        late = encode.turn("Picked up the keys.", now=NOW, said_at=NOW - timedelta(days=1), speaker="user")
        store.insert([late])
    result = Recall(store, None).recall(Query("What did I do yesterday?", NOW, k=1))
    assert result.hits[0].record.text == "Picked up the keys."


def test_hits_carry_what_the_contract_lists(store: Store) -> None:
    result = Recall(store, HASHES).recall(Query("greyhound", NOW, k=1))
    (hit,) = result.hits
    assert hit.record.text.startswith("Hi Ada! I adopted a greyhound")
    assert set(hit.channels) <= {"dense", "dense_context", "text", "text_context"}
    assert all(0 < value <= 1 for value in hit.channels.values())
    assert 0 <= result.probability <= 1
    assert result.ms > 0


def test_same_question_same_answer_in_every_process(store: Store, tmp_path: Path) -> None:
    first = Recall(store, HASHES).recall(Query("What about the roof?", NOW))
    with Store(tmp_path / "mem.db", read_only=True) as other:
        second = Recall(other, HashEmbedder()).recall(Query("What about the roof?", NOW))
    assert [(h.record.id, h.score) for h in first.hits] == [(h.record.id, h.score) for h in second.hits]


def test_filters_limit_what_is_found(store: Store) -> None:
    assert set(found(store, "roof", filter=Filter(session="work"))) <= {f"work:{n}" for n in range(4)}
    assert found(store, "roof", filter=Filter(session="nowhere")) == []
    assert found(store, "roof", filter=Filter(kinds=frozenset({Kind.TASK}))) == []
    assert found(store, "roof", filter=Filter(before=NOW - timedelta(days=400))) == []


@pytest.mark.parametrize("k", [-1, 0, 1, 3, 10_000_000])
def test_k_bounds_the_hits(store: Store, k: int) -> None:
    assert len(found(store, "roof", k=k)) == max(0, min(k, 12))


HOSTILE = [
    "", " ", "?", "\0", "a", '"', '"unclosed', "NEAR(a b)", "text : x", "* OR *", "-", "NOT roof", "{context}: a",
    "'; DROP TABLE records; --", "the of and is to", "猫はどこですか", "что он сказал о крыше", "🦊🦊", "\ud800 roof",
    "roof " * 50_000, "x" * 1_000_000, "a\nb\tc", "Ben Ada Ben's ADA", "%s %d {x} {0}",
]  # fmt: skip


@pytest.mark.parametrize("embed", [True, False])
def test_no_question_breaks_it(store: Store, embed: bool) -> None:
    for question in HOSTILE:
        found(store, question, embed)
    assert store.counts()["episodic"] == len(FRIENDS) + len(PROJECT)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80), st.integers(-2, 30))
def test_any_text_gives_distinct_hits_the_first_in_falling_order(store: Store, text: str, k: int) -> None:
    result = Recall(store, None).recall(Query(text, NOW, k=k))
    seqs = [hit.record.seq for hit in result.hits]
    assert len(seqs) == len(set(seqs)) <= max(k, 0)
    if "list" not in result.analysis.seeks:
        first = [hit.score for hit in result.hits[: FIRST - 1]]
        assert first == sorted(first, reverse=True)


def test_an_empty_store_has_nothing_and_says_so(tmp_path: Path) -> None:
    with Store(tmp_path / "empty.db") as empty:
        result = Recall(empty, HashEmbedder()).recall(Query("Where do I live?", NOW))
    assert result.hits == ()
    assert result.abstain


@pytest.mark.parametrize(
    "question", ["Who is Wilhelmina Fitzgerald?", "When does the Zeppelin to Reykjavik leave?"]
)
def test_it_abstains_on_names_that_nobody_mentioned(store: Store, question: str) -> None:
    assert Recall(store, None).recall(Query(question, NOW)).abstain


@pytest.mark.parametrize("question", ["What did Ben adopt?", "What is my budget for the greenhouse?"])
def test_it_does_not_abstain_on_what_was_said(store: Store, question: str) -> None:
    assert not Recall(store, None).recall(Query(question, NOW)).abstain


@pytest.mark.embedder
def test_meaning_is_found_without_shared_words(tmp_path: Path, embedder: Embedder) -> None:
    texts = [
        "We adopted a greyhound.",
        "The roof leaks again.",
        "I bake bread on Sundays.",
        "My train was late.",
    ]
    with Store(tmp_path / "real.db") as store:
        remember(store, [("user", text) for text in texts], session="notes", embedder=embedder)
        result = Recall(store, embedder).recall(Query("Do I have a pet?", NOW))
    assert result.hits[0].record.text == texts[0]


def test_a_short_answer_to_an_assistant_is_found_by_its_question(tmp_path: Path) -> None:
    turns = [("user", "Good evening."), ("assistant", "Good evening. How long have you been rowing?")]
    answered = [*turns, ("user", "About two years."), ("assistant", "Splendid, keep at it.")]
    with Store(tmp_path / "chat.db") as store:
        remember(store, [*PROJECT, *answered], session="chat")
        hits = Recall(store, HASHES).recall(Query("How long have I been rowing?", NOW)).hits[:2]
    assert "About two years." in [hit.record.text for hit in hits]


def test_a_standing_wish_comes_up_when_help_is_asked_whatever_its_words(store: Store) -> None:
    remember(store, [("user", f"Note {n}: my desk faces the park.") for n in range(120)], session="notes")
    assert "work:2" in found(store, "How should I plan the room?", k=10)
    assert "work:2" not in found(store, "Where did I plan the room?", k=10)


def test_many_wishes_do_not_crowd_out_what_was_said(store: Store) -> None:
    remember(store, [("user", f"Always mention the number {n} first.") for n in range(40)], session="wishes")
    top = found(store, "How should I heat the greenhouse?", k=10)
    assert sum(id.startswith("wishes") for id in top) <= MOST_BOUND


def scores(store: Store, **settings: object) -> dict[str, float]:
    recall = Recall(store, HASHES, **settings)  # type: ignore[arg-type]
    hits = recall.recall(Query("What about the roof?", NOW + timedelta(days=300), k=50)).hits
    return {hit.record.external_id or "": hit.score for hit in hits}


def test_the_curve_and_the_prior_that_were_set_are_those_that_rank(store: Store) -> None:
    plain, none = scores(store), scores(store, prior=0.0)
    steep = scores(store, curve=Curve("exponential"))
    assert all(plain[id] > steep[id] >= none[id] for id in none)
    assert all(plain[id] - none[id] <= PRIOR for id in none)


def test_a_prior_above_the_bound_counts_as_the_bound(store: Store) -> None:
    assert scores(store, prior=9.0) == scores(store, prior=PRIOR_MOST)


def test_recall_of_a_memory_takes_its_settings(tmp_path: Path) -> None:
    settings = Config(forgetting=ForgettingConfig(shape="exponential", prior=0.02))
    with Store(tmp_path / "mem.db") as opened:
        memory = Memory(
            find_home(tmp_path), settings, opened, load_embedder=lambda: HASHES, load_chat=EchoChat
        )
        recall = Recall.of(memory)
        assert (recall.curve.shape, recall.prior) == ("exponential", 0.02)
        with opened.atomic("fitted", NOW):
            opened.set_meta(DECAY, 0.3)
        assert Recall.of(memory).curve.decay == 0.3


def test_what_a_fact_came_from_is_found_by_it(store: Store) -> None:
    turn = store.records(Filter(kinds=frozenset({Kind.EPISODIC})), limit=1000)
    comet = next(record for record in turn if record.external_id == "talk:3")
    fact = encode.turn(
        "Ben's greyhound Comet is a sock thief.", now=NOW, said_at=NOW, speaker="Ben", role="other"
    )
    with store.atomic("fact", NOW):
        [fact] = store.insert([replace(fact, kind=Kind.SEMANTIC, subject="ben")])
        store.link([Link(fact.id, comet.id, LinkKind.DERIVED_FROM, 1.0)])
        index = store.vectors(HASHES.name, HASHES.dim)
        index.put(fact.seq, "text", HASHES.embed([fact.text])[0], "fact")
    hits = Recall(store, HASHES).recall(Query("Which of them is a sock thief?", NOW)).hits
    ids = [hit.record.id for hit in hits]
    assert ids.index(comet.id) < ids.index(fact.id)


@pytest.mark.parametrize(
    "question",
    [
        "What did Ben adopt on 30 February 2024?",
        "What did Ben adopt on 2024-13-45?",
        "in the year 99999, Ben?",
    ],
)
def test_a_date_that_does_not_exist_narrows_nothing(store: Store, question: str) -> None:
    assert "talk:1" in found(store, question, k=3)


def test_a_store_whose_vectors_another_model_made_is_found_by_words(store: Store) -> None:
    class Other(HashEmbedder):
        name = "another"

    hits = Recall(store, Other()).recall(Query("What did Ben adopt?", NOW, k=3)).hits
    assert "talk:1" in [hit.record.external_id for hit in hits]
