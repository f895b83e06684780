"""Forgetting on request: what it shows first, what it takes along, and that nothing is left in any file."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from conftest import Mem

from app.config import Home
from app.open import open_memory
from app.records import Entity, Kind, Link, LinkKind, Record, Source
from storage.ledger import Ledger

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def said(text: str, kind: Kind = Kind.EPISODIC, **more: object) -> Record:
    derived = "rules" if kind is Kind.SEMANTIC else None
    return Record(kind, text, Source.USER_SAID, Source.USER_SAID, NOW, NOW, derived_by=derived, **more)  # type: ignore[arg-type]


@pytest.fixture
def lineage(home: Path) -> dict[str, str]:
    """Two episodes; a fact from the first, one from both, one from that fact; an entity of the first alone."""
    memory = open_memory(Home(home, home / "models"))
    texts = {
        "first": "Zebulon keeps ferrets in Trondheim",
        "second": "We talked about pets again",
        "fact": "Zebulon owns ferrets",
        "both": "Pets come up often",
        "deeper": "Somebody likes small animals",
    }
    kinds = {"first": Kind.EPISODIC, "second": Kind.EPISODIC}
    added = memory.add([said(t, kinds.get(name, Kind.SEMANTIC)) for name, t in texts.items()], "test", NOW)
    ids = {name: record.id for name, record in zip(texts, added, strict=True)}
    edges = [("fact", "first"), ("both", "first"), ("both", "second"), ("deeper", "fact")]
    with memory.store.atomic("test", NOW):
        memory.store.link([Link(ids[a], ids[b], LinkKind.DERIVED_FROM) for a, b in edges])
        memory.store.upsert_entity(Entity("e:zebulon", "Zebulon", "person", ("zebulon",)))
        memory.store.link([Link(ids["first"], "e:zebulon", LinkKind.MENTIONS)])
    memory.close()
    return ids


def test_the_preview_says_what_goes_along_and_what_stays(mem: Mem, lineage: dict[str, str]) -> None:
    done = mem("forget", lineage["first"], "--dry-run", "--json")

    assert done.json == {
        "dry_run": True,
        "forgotten": [lineage["first"]],
        "derived": [lineage["fact"], lineage["deeper"]],
        "kept": [lineage["both"]],
        "traces": [],
        "places": [],
    }
    assert len(mem("list", "--json").json) == 5


def test_without_a_yes_and_a_terminal_nothing_is_erased(mem: Mem, lineage: dict[str, str]) -> None:
    done = mem("forget", lineage["first"])

    assert (done.code, done.out) == (4, "")
    assert "Derived from that alone, to be erased with it:" in done.err
    assert "Zebulon owns ferrets" in done.err
    assert len(mem("list", "--json").json) == 5


def test_erased_everywhere_and_proven(mem: Mem, lineage: dict[str, str], home: Path) -> None:
    done = mem("forget", lineage["first"], "--yes", "--verify")

    assert done.code == 0
    assert done.err.splitlines()[-1] == "No file in the home holds its words any more."
    assert {r["id"] for r in mem("list", "--json").json} == {lineage["second"], lineage["both"]}
    assert mem("entities").code == 3
    assert (
        mem("recall", "ferrets in Trondheim", "--json").json["hits"] == []
        or "ferrets" not in mem("recall", "ferrets in Trondheim", "--json").out
    )
    assert mem("verify", "--json").json["ok"]
    for path in home.rglob("*"):
        if path.is_file():
            assert b"errets" not in path.read_bytes(), path
            assert b"rondheim" not in path.read_bytes(), path
            assert b"ebulon" not in path.read_bytes(), path


def test_it_cannot_be_undone(mem: Mem, lineage: dict[str, str]) -> None:
    mem("forget", lineage["first"], "--yes")

    assert mem("undo").code != 0
    assert mem("show", lineage["first"]).code == 3


def test_the_nights_bookkeeping_is_scrubbed_too(mem: Mem, lineage: dict[str, str], home: Path) -> None:
    memory = open_memory(Home(home, home / "models"))
    ledger = Ledger(memory.store)
    with memory.store.atomic("test", NOW):
        run = ledger.begin(NOW)
        ledger.end(
            run.id,
            NOW,
            {"jobs": [{"changes": ["+ Zebulon keeps ferrets in Trondheim, he said"]}]},
            interrupted=False,
        )
    memory.close()

    assert mem("forget", lineage["first"], "--yes", "--verify").code == 0


def test_copies_in_backups_and_logs_go(mem: Mem, lineage: dict[str, str], home: Path) -> None:
    for folder in ("backups", "logs", "index"):
        (home / folder).mkdir(exist_ok=True)
        (home / folder / "old").write_text("Zebulon keeps ferrets in Trondheim")

    assert mem("forget", lineage["first"], "--yes", "--verify").code == 0


def test_a_trace_that_is_left_is_found(mem: Mem, lineage: dict[str, str], home: Path) -> None:
    (home / "notes-of-my-own.txt").write_text("x" * 3_000_000 + "ZEBULON keeps ferrets")
    done = mem("forget", lineage["first"], "--yes", "--verify")

    assert done.code == 4
    assert "notes-of-my-own.txt" in done.err


def test_by_session_source_and_query(mem: Mem) -> None:
    for text, session in (("alpha one", "a"), ("alpha two", "a"), ("beta", "b")):
        mem("remember", text, "--session", session)

    assert mem("forget", "--session", "a", "--yes", "--json").json["forgotten"].__len__() == 2
    assert mem("forget", "--query", "beta", "--dry-run", "--json").json["forgotten"].__len__() == 1
    assert mem("forget", "--source", "user_said", "--yes").code == 0
    assert mem("list").code == 3


@pytest.mark.parametrize(
    ("argv", "code"),
    [
        ([], 2),
        (["m222", "--session", "a"], 2),
        (["--source", "dreams"], 2),
        (["--session", "nowhere"], 3),
        (["mzzz"], 3),
    ],
)
def test_what_cannot_be_meant(mem: Mem, argv: list[str], code: int) -> None:
    mem("remember", "x")
    assert mem("forget", *argv, "--yes").code == code
