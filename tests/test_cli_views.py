"""What a person looks through, on a home with something in it: tables that say it, JSON that keeps its keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Mem

from app.config import Home
from app.errors import BadInput
from app.open import open_memory
from app.records import Entity, Kind, Link, LinkKind, Record, Source
from app.review import Open
from cli.review import Decision, parse
from storage.ledger import Ledger

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


def record(text: str, kind: Kind, **more: object) -> Record:
    return Record(kind, text, Source.USER_SAID, Source.USER_SAID, NOW, NOW, **more)  # type: ignore[arg-type]


@pytest.fixture
def lived_in(home: Path) -> dict[str, str]:
    """A home with one of everything; ids by name."""
    records = {
        "turn": record("Anna and I went to Oslo", Kind.EPISODIC, session="trip", speaker="me"),
        "portrait": record("Likes trains", Kind.CORE),
        "old": record(
            "I live in Oslo",
            Kind.SEMANTIC,
            subject="user",
            attribute="home city",
            valid_from=NOW - timedelta(400),
            valid_to=NOW - timedelta(1),
        ),
        "new": record(
            "I live in Bergen",
            Kind.SEMANTIC,
            subject="user",
            attribute="home city",
            valid_from=NOW - timedelta(1),
        ),
        "other": record("Anna plays chess", Kind.SEMANTIC, subject="anna"),
        "task": record("Water the ferns", Kind.TASK),
        "howto": record("To reset the router hold the button", Kind.PROCEDURAL),
    }
    memory = open_memory(Home(home, home / "models"))
    added = memory.add(list(records.values()), "test", NOW)
    ids = {name: r.id for name, r in zip(records, added, strict=True)}
    with memory.store.atomic("test", NOW):
        memory.store.upsert_entity(Entity("e1", "Anna", "person", ("anna",)))
        memory.store.link([Link(ids["turn"], "e1", LinkKind.MENTIONS)])
    memory.close()
    return ids


def ask(home: Path, old: str, new: str) -> None:
    memory = open_memory(Home(home, home / "models"))
    with memory.store.atomic("test", NOW):
        Ledger(memory.store).ask("r1", "Has your home moved?", {"replace": old, "with": new}, NOW)
    memory.close()


def test_profile_holds_the_portrait_and_what_is_true_of_the_user_now(
    mem: Mem, lived_in: dict[str, str]
) -> None:
    assert {r["text"] for r in mem("profile", "--json").json} == {"Likes trains", "I live in Bergen"}
    assert "I live in Bergen" in mem("profile").out


def test_tasks_and_procedures(mem: Mem, lived_in: dict[str, str]) -> None:
    assert [r["text"] for r in mem("tasks", "--json").json] == ["Water the ferns"]
    assert [r["text"] for r in mem("procedures", "--json").json] == ["To reset the router hold the button"]
    mem("archive", lived_in["task"])
    assert mem("tasks").code == 3
    assert mem("tasks", "--all", "--json").json[0]["state"] == "archived"


def test_sessions_entities_and_months(mem: Mem, lived_in: dict[str, str]) -> None:
    assert mem("sessions", "--json").json == [
        {
            "session": "trip",
            "turns": 1,
            "first": "2024-05-01T12:00:00+00:00",
            "last": "2024-05-01T12:00:00+00:00",
            "begins": "Anna and I went to Oslo",
        }
    ]
    assert mem("entities", "--json").json == [
        {"id": "e1", "name": "Anna", "kind": "person", "aliases": ["anna"], "mentions": 1}
    ]
    assert mem("timeline", "--json").json == [{"period": "2024-05", "memories": 7}]
    assert mem("timeline", "2024-05", "--json").json == [{"period": "2024-05-01", "memories": 7}]
    assert mem("timeline", "1999-01").code == 3
    assert "trip" in mem("sessions").out
    assert "Anna" in mem("entities").out


def test_stats(mem: Mem, lived_in: dict[str, str]) -> None:
    found = mem("stats", "--json").json

    assert set(found) == {"memories", "kinds", "states", "sources", "speakers", "sessions", "entities"}
    assert (found["memories"], found["sessions"], found["entities"], found["kinds"]["semantic"]) == (
        7,
        1,
        1,
        3,
    )


def test_show_names_what_it_is_linked_with(mem: Mem, lived_in: dict[str, str]) -> None:
    out = mem("show", lived_in["turn"]).out

    assert out.splitlines()[0] == "Anna and I went to Oslo"
    assert "mentions     -> e1" in out
    assert "said by      me" in out


class TestReview:
    def test_the_question_with_both_sides(self, mem: Mem, home: Path, lived_in: dict[str, str]) -> None:
        ask(home, lived_in["other"], lived_in["new"])
        (found,) = mem("review", "--json").json

        assert set(found) == {"question", "run", "words", "asked", "old", "new"}
        assert (found["old"]["id"], found["new"]["id"]) == (lived_in["other"], lived_in["new"])
        assert "Has your home moved?" in mem("review").out
        assert mem("--json").json["reviews"] == 1

    def test_the_verdict_is_carried_out_and_can_be_taken_back(
        self, mem: Mem, home: Path, lived_in: dict[str, str]
    ) -> None:
        ask(home, lived_in["other"], lived_in["new"])
        done = mem("review", "1", "--say", "new")

        assert done.code == 0
        assert mem("show", lived_in["other"], "--json").json["superseded_by"] == lived_in["new"]
        assert mem("review").code == 3
        assert mem("undo", done.err.split()[-1]).code == 0
        assert mem("show", lived_in["other"], "--json").json["superseded_by"] is None

    def test_a_batch_in_the_editor(
        self, mem: Mem, home: Path, lived_in: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask(home, lived_in["other"], lived_in["new"])
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", "sed -i -e 's/^later 1/new 1/' -e 's/in Bergen/in Tromso/'")

        assert mem("review", "--edit", "--json").json[0]["verdict"] == "new"
        assert mem("show", lived_in["new"], "--json").json["text"] == "I live in Tromso"

    def test_what_makes_no_sense(self, mem: Mem, home: Path, lived_in: dict[str, str]) -> None:
        ask(home, lived_in["other"], lived_in["new"])
        assert mem("review", "1").code == 2
        assert mem("review", "1", "--say", "perhaps").code == 2
        assert mem("review", "99", "--say", "new").code == 3

    def test_a_block_that_is_deleted_is_rejected_and_an_empty_file_changes_nothing(
        self, mem: Mem, home: Path, lived_in: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ask(home, lived_in["other"], lived_in["new"])
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", "truncate -s 0")
        assert mem("review", "--batch", "--json").json == []
        monkeypatch.setenv("EDITOR", "sed -i -e '/^later 1/,$d'")
        assert mem("review", "--batch", "--json").json[0]["verdict"] == "old"
        assert mem("show", lived_in["new"], "--json").json["superseded_by"] == lived_in["other"]

    def test_what_an_edited_batch_says(self) -> None:
        def blocks(*blocks: str) -> list[Decision]:
            return parse("# new 9\n" + "\n".join(blocks), [waits(n, "b") for n in (1, 2, 3)])

        left = "later 1 q\n    OLD a\n    NEW b\n"
        assert blocks(left, "new 2 q\n    NEW  c d\n", "both 3 q\n    NEW b\n") == [
            Decision(2, "new", "c d"),
            Decision(3, "both", None),
        ]
        assert blocks(left, "later 2 q\n    NEW c\n", "later 3 q\n") == [Decision(2, "new", "c")]
        assert blocks(left, "later 3 q\n") == [Decision(2, "old", None)]
        for wrong in ("perhaps 1 q\n", "new 4 q\n"):
            with pytest.raises(BadInput, match="Line 2"):
                blocks(wrong)


def waits(id: int, words: str) -> Open:
    """A question about a memory with these words."""
    both = record(words, Kind.SEMANTIC)
    return Open(id, "n22", "q", both, both, NOW)


def test_a_fact_that_changed_answers_as_of_then(mem: Mem, lived_in: dict[str, str]) -> None:
    def facts(*options: str) -> list[str]:
        found = mem("recall", "where do I live", "--kind", "semantic", "--json", *options).json
        return [hit["text"] for hit in found["hits"] if "live" in hit["text"]]

    assert facts("--as-of", "2024-01-01") == ["I live in Oslo"]
    assert facts("--as-of", "2024-06-01") == ["I live in Bergen"]
