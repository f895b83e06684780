"""One memory as text, in a list and in full. Pure: values in, Content out; a memory's words are never markup."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from textual.content import Content

from app.browse import KIND_NAMES, Detail, Found, Neighbour, Origin
from app.notes import Note
from app.records import Change, Kind, LinkKind, Record, State, Use
from tui.words import ago, day, minute, one_line, safe, validity

Part = str | tuple[str, str]


def row(found: Found, now: datetime, *, marked: bool = False) -> Content:
    """A memory in one line of a list: mark, id, kind, date, state, words; the score where recall gave one."""
    record = found.record
    score = f"{found.score:.2f} " if found.why and found.why != "words" else ""
    return Content.assemble(
        ("● " if marked else "  ", "bold"),
        (f"{record.id:<5}", "bold"),
        f"{KIND_NAMES[record.kind]:<9}{day(record.event_time, now):>11}  ",
        (signs(record, now), "bold"),
        score,
        one_line(record.text),
    )


def signs(record: Record, now: datetime) -> str:
    """What is special about a memory, in words: pinned, no longer true, dormant, archived."""
    words = ["pinned"] if record.pinned else []
    if is_over(record, now):
        words.append("no longer true")
    if record.state is not State.ACTIVE:
        words.append(str(record.state))
    return f"[{', '.join(words)}] " if words else ""


def is_over(record: Record, now: datetime) -> bool:
    """Whether a fact stopped being true."""
    return record.superseded_by is not None or (record.valid_to is not None and record.valid_to <= now)


def in_full(detail: Detail, now: datetime, found: str = "") -> Content:
    """Everything that is known about one memory; `found` says how a search came to it."""
    record = detail.record
    linked = [n for n in detail.neighbours if n.link.kind != LinkKind.DERIVED_FROM or not n.out]
    parts: list[Part] = [
        (f"{record.id} · {KIND_NAMES[record.kind]} · {minute(record.event_time, now)}", "bold"),
        f" ({ago(record.event_time, now)})\n{signs(record, now)}\n",
        safe(record.text),
        "\n",
        f"\nfound by {found}\n" if found else "",
        *_truth(record, now),
        *_section("Comes from", [part for origin in detail.origins for part in _origin(origin, now)]),
        *_section("Said around it", _turns(detail)),
        *_section("Linked with", [_neighbour(n) for n in linked]),
        *_section("Uses", [_use(use, now) for use in detail.uses]),
        *_section("History", [_change(change, now) for change in detail.history]),
        *_section("About it", _facts(record, now) + _note(detail.note)),
    ]
    return Content.assemble(*parts)


def _section(title: str, lines: Sequence[Part]) -> list[Part]:
    return [("\n" + title + "\n", "bold underline"), *lines] if lines else []


def _truth(record: Record, now: datetime) -> list[Part]:
    if record.kind is Kind.EPISODIC or (record.valid_from is None and record.valid_to is None):
        return []
    line = validity(record.valid_from or record.event_time, record.valid_to, now)
    after = f"\nreplaced by {record.superseded_by}" if record.superseded_by else ""
    return [("\nTrue\n", "bold underline"), f"{line}{after}\n"]


def _origin(origin: Origin, now: datetime) -> list[Part]:
    """The words that a memory came from, the quoted span underlined and in brackets."""
    text, start, end = origin.record.text, origin.start, origin.end
    head: Part = (f"{origin.record.id} · {day(origin.record.event_time, now)}  ", "bold")
    if start is None or end is None or not 0 <= start < end <= len(text):
        return [head, one_line(text), "\n"]
    return [head, safe(text[max(0, start - 60) : start]), (f"«{safe(text[start:end])}»", "underline"),
            safe(text[end : end + 60]), "\n"]  # fmt: skip


def _turns(detail: Detail) -> list[Part]:
    """The turns before and after, with this one marked between them."""
    if not detail.before and not detail.after:
        return []
    around = [*(("  ", r) for r in detail.before), ("▶ ", detail.record), *(("  ", r) for r in detail.after)]
    return [f"{sign}{one_line(r.speaker or r.role, 20)}: {one_line(r.text, 80)}\n" for sign, r in around]


def _use(use: Use, now: datetime) -> str:
    return f"{minute(use.at, now)}  gain {use.gain:.2f}  in {one_line(use.session, 40)}\n"


def _neighbour(neighbour: Neighbour) -> str:
    arrow = "→" if neighbour.out else "←"
    kind = str(neighbour.link.kind).replace("_", " ")
    return f"{arrow} {kind} {neighbour.id}  {one_line(neighbour.name, 80)}\n"


def _change(change: Change, now: datetime) -> str:
    columns = [c for c in (change.after or change.before or {}) if c not in ("seq", "id")]
    what = "stored" if change.before is None and change.after else ", ".join(columns) or "forgotten"
    was = (change.before or {}).get("text")
    words = f": was {one_line(json.dumps(was, ensure_ascii=False), 80)}" if was and change.after else ""
    return f"{minute(change.at, now)}  {change.action}  {one_line(what, 60)}{words}  ({change.run})\n"


def _facts(record: Record, now: datetime) -> list[Part]:
    rows = {
        "by": record.speaker or record.role,
        "source": str(record.source).replace("_", " "),
        "conversation": record.session,
        "importance": f"{record.importance:.1f} of 10",
        "stability": f"{record.stability:.1f} days",
        "last used": ago(record.last_used, now) if record.last_used else "never",
        "protected": record.protected,
        "derived by": record.derived_by,
        "slot": f"{record.subject}: {record.attribute}" if record.attribute else None,
        "their id": record.external_id,
    }
    return [f"{name:<13} {one_line(str(value), 80)}\n" for name, value in rows.items() if value]


def _note(note: Note) -> list[Part]:
    """What the nights know of a memory beside its words."""
    rows = [("note", note.line), ("keywords", ", ".join(note.keywords)), ("tags", ", ".join(note.tags))]
    rows += [(level.name, f"{level.id}  {level.title}") for level in note.within]
    return [f"{name:<13} {one_line(value, 200)}\n" for name, value in rows if value]
