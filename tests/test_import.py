"""Importers on real shapes of real exports, and on what hostile or broken files hold."""

from __future__ import annotations

import gzip
import json
import mailbox
import os
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import BadInput
from app.exchange.documents import CHUNK, chunks
from app.exchange.formats import IMPORTERS, guess, importer_for
from app.exchange.items import Item, Problem, Turn
from app.exchange.jsonl import turn_from
from app.records import Kind, Source


def read(path: Path, format: str = "auto") -> list[Item]:
    _, importer = importer_for(path, format)
    return list(importer(path))


def turns(path: Path, format: str = "auto") -> list[Turn]:
    return [item for item in read(path, format) if isinstance(item, Turn)]


def problems(path: Path, format: str = "auto") -> list[Problem]:
    return [item for item in read(path, format) if isinstance(item, Problem)]


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


class TestJsonLines:
    LINE = (
        '{"text": "I moved", "speaker": "me", "role": "user", "time": "2024-03-02T18:05:00+01:00",'
        ' "session": "s1", "id": "D1:3"}'
    )

    def test_a_full_line(self, tmp_path: Path) -> None:
        (turn,) = turns(write(tmp_path / "a.jsonl", self.LINE))

        assert (turn.text, turn.speaker, turn.role, turn.session, turn.external_id) == (
            "I moved",
            "me",
            "user",
            "s1",
            "D1:3",
        )
        assert turn.time == datetime.fromisoformat("2024-03-02T18:05:00+01:00")
        assert (turn.kind, turn.source) == (Kind.EPISODIC, Source.IMPORTED)

    def test_only_text_is_required_and_a_number_is_an_id(self, tmp_path: Path) -> None:
        (turn,) = turns(write(tmp_path / "a.jsonl", '{"text": "hello", "id": 7}'))

        assert (turn.external_id, turn.time, turn.session) == ("7", None, None)

    @pytest.mark.parametrize(
        ("line", "reason"),
        [
            ("{", "not JSON"),
            ("[1]", "not a JSON object"),
            ("{}", "`text` is missing or empty"),
            ('{"text": "  "}', "`text` is missing or empty"),
            ('{"text": 3}', "`text` is missing or empty"),
            ('{"text": "a", "role": "boss"}', "`role` is 'boss'"),
            ('{"text": "a", "time": "yesterday"}', "time 'yesterday' is not ISO 8601"),
            ('{"text": "a", "time": true}', "time True"),
            ('{"text": "a", "time": 1e300}', "not ISO 8601"),
            ('{"text": "a", "session": {}}', "`session` is not text"),
            ("[" * 100_000, "recursion"),
        ],
    )
    def test_a_bad_line_is_reported_with_its_number_and_the_rest_goes_in(
        self, tmp_path: Path, line: str, reason: str
    ) -> None:
        path = write(tmp_path / "a.jsonl", f'{{"text": "one"}}\n\n{line}\n{{"text": "two"}}\n')

        assert [t.text for t in turns(path)] == ["one", "two"]
        (problem,) = problems(path)
        assert problem.place == "line 3"
        assert reason in problem.reason

    def test_bytes_that_are_not_utf8(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", b'{"text": "one"}\n{"text": "\xff"}\n')

        assert problems(path) == [Problem("line 2", "not UTF-8 at byte 10")]

    def test_a_line_of_nine_megabytes_is_left_out_and_the_next_one_read(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", b'{"text": "' + b"x" * 9_000_000 + b'"}\n{"text": "after"}\n')

        assert [t.text for t in turns(path)] == ["after"]
        assert problems(path) == [Problem("line 1", "longer than 8 MB")]

    def test_a_text_of_more_than_a_million_characters(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl", json.dumps({"text": "x" * 1_000_001}))

        assert "longer than 1,000,000" in problems(path)[0].reason

    def test_gzip(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.jsonl.gz", gzip.compress(self.LINE.encode()))

        assert [t.text for t in turns(path)] == ["I moved"]

    def test_a_cut_gzip_keeps_what_came_before(self, tmp_path: Path) -> None:
        whole = gzip.compress(
            "\n".join(json.dumps({"text": os.urandom(50).hex()}) for _ in range(500)).encode()
        )
        path = write(tmp_path / "a.jsonl.gz", whole[: len(whole) // 2])

        assert turns(path, "jsonl")
        assert "damaged from here on" in problems(path, "jsonl")[0].reason

    @given(
        st.dictionaries(
            st.sampled_from(["text", "role", "time", "id", "session", "speaker"]),
            st.text() | st.none() | st.integers() | st.floats() | st.lists(st.integers()),
        )
    )
    def test_any_object_gives_a_turn_or_a_reason(self, value: dict[str, Any]) -> None:
        try:
            turn = turn_from(value, "line 1")
        except ValueError as error:
            assert str(error)
        else:
            assert turn.text == value["text"]


class TestDocuments:
    def test_a_note_with_front_matter_headings_and_links(self, tmp_path: Path) -> None:
        write(
            tmp_path / "Garden.md",
            "---\ntitle: My garden\ndate: 2024-04-01\ntags: [green, home]\n---\n"
            "# Beds\n\nRoses by the wall, see [[Roses|the roses]].\n\n## North\n\nFerns.\n\n```\n# no heading\n```\n",
        )

        first, second = turns(tmp_path)

        assert first.text == "# Beds\n\nRoses by the wall, see [[Roses|the roses]]."
        assert first.context == "My garden > Beds"
        assert first.refers_to == ("Roses",)
        assert first.extra == {
            "path": str(tmp_path / "Garden.md"),
            "title": "My garden",
            "tags": ["green", "home"],
        }
        assert first.time is not None and f"{first.time:%Y-%m-%d}" == "2024-04-01"
        assert second.context == "My garden > Beds > North"
        assert "# no heading" in second.text
        assert (second.kind, second.source, second.session) == (Kind.RESOURCE, Source.USER_FILE, "Garden.md")

    def test_a_folder_leaves_out_links_to_elsewhere_and_hidden_files(self, tmp_path: Path) -> None:
        notes = tmp_path / "notes"
        (notes / ".obsidian").mkdir(parents=True)
        (notes / "sub").mkdir()
        write(tmp_path / "secret.md", "not yours")
        write(notes / "sub" / "b.md", "inside")
        write(notes / ".obsidian" / "c.md", "settings")
        (notes / "link.md").symlink_to(tmp_path / "secret.md")
        (notes / "up").symlink_to(tmp_path)

        assert [(t.session, t.text) for t in turns(notes)] == [("sub/b.md", "inside")]

    def test_latin_1_and_utf_16(self, tmp_path: Path) -> None:
        assert turns(write(tmp_path / "a.txt", "Grüße aus Köln".encode("cp1252")))[0].text == "Grüße aus Köln"
        assert turns(write(tmp_path / "b.txt", "Grüße aus Köln".encode("utf-16")))[0].text == "Grüße aus Köln"

    def test_a_program_is_not_text(self, tmp_path: Path) -> None:
        with pytest.raises(BadInput):
            read(write(tmp_path / "a.bin", b"\x7fELF\x00\x00"))

    @given(st.text(alphabet=st.sampled_from("ab .\n!"), max_size=4000))
    def test_chunks_are_short_and_lose_no_word(self, text: str) -> None:
        pieces = list(chunks(text))

        assert all(0 < len(piece) <= CHUNK for piece in pieces)
        assert "".join("".join(pieces).split()) == "".join(text.split())


def chatgpt_conversation(**changes: Any) -> dict[str, Any]:
    def node(
        id: str, parent: str | None, children: list[str], role: str, text: str, **message: Any
    ) -> dict[str, Any]:
        content = {"content_type": "text", "parts": [text]}
        return {
            "id": id,
            "parent": parent,
            "children": children,
            "message": {
                "id": id,
                "author": {"role": role},
                "create_time": 1709399100.5,
                "content": content,
                **message,
            },
        }

    return {
        "title": "Moving",
        "create_time": 1709399000.0,
        "conversation_id": "c1",
        "current_node": "a2",
        "mapping": {
            "root": {"id": "root", "message": None, "parent": None, "children": ["s"]},
            "s": node(
                "s",
                "root",
                ["u"],
                "system",
                "You are helpful",
                metadata={"is_visually_hidden_from_conversation": True},
            ),
            "u": node("u", "s", ["a1", "a2"], "user", "I moved to Bergen"),
            "a1": node("a1", "u", [], "assistant", "The answer that was regenerated"),
            "a2": node("a2", "u", [], "assistant", "How nice", create_time=None),
        },
    } | changes


class TestChatGPT:
    def expect(self, found: list[Turn]) -> None:
        assert [(t.text, t.role, t.session, t.external_id) for t in found] == [
            ("I moved to Bergen", "user", "c1", "u"),
            ("How nice", "assistant", "c1", "a2"),
        ]

    def test_follows_the_branch_that_was_last_shown(self, tmp_path: Path) -> None:
        found = turns(write(tmp_path / "conversations.json", json.dumps([chatgpt_conversation()])))

        self.expect(found)
        assert found[0].time == datetime.fromtimestamp(1709399100.5, UTC)
        assert found[1].time == datetime.fromtimestamp(
            1709399000, UTC
        )  # the message has none: the conversation's
        assert found[0].extra == {"title": "Moving"}

    def test_a_zip_in_parts_and_a_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "export"
        folder.mkdir()
        write(folder / "conversations-000.json", json.dumps([chatgpt_conversation()]))
        write(folder / "chat.html", "<html>")
        with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
            archive.writestr("../../etc/conversations-000.json", json.dumps([chatgpt_conversation()]))
            archive.writestr("conversations-001.json", "[]")

        self.expect(turns(folder))
        self.expect(turns(tmp_path / "export.zip"))
        assert sorted(p.name for p in tmp_path.iterdir()) == ["export", "export.zip"]

    def test_a_circle_of_messages_comes_to_an_end(self, tmp_path: Path) -> None:
        value = chatgpt_conversation()
        value["mapping"]["root"]["parent"] = "a2"

        self.expect(turns(write(tmp_path / "conversations.json", json.dumps([value]))))

    def test_null_title_null_times_and_no_current_node(self, tmp_path: Path) -> None:
        value = chatgpt_conversation(title=None, create_time=None, current_node=None)

        found = turns(write(tmp_path / "conversations.json", json.dumps([value])))

        assert [t.text for t in found] == ["I moved to Bergen", "The answer that was regenerated"]
        assert found[0].extra == {}

    def test_a_broken_conversation_does_not_stop_the_rest(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "conversations.json", json.dumps([{"mapping": 3}, None, chatgpt_conversation()])
        )

        self.expect(turns(path, "chatgpt"))
        assert [p.place for p in problems(path, "chatgpt")] == [
            "conversations.json, item 1",
            "conversations.json, item 2",
        ]

    def test_a_cut_file_keeps_what_came_before(self, tmp_path: Path) -> None:
        text = json.dumps([chatgpt_conversation(), chatgpt_conversation(conversation_id="c2")])
        path = write(tmp_path / "conversations.json", text[:-300])

        self.expect(turns(path))
        assert "damaged from here on" in problems(path)[0].reason

    def test_a_truncated_zip(self, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.writestr("conversations.json", json.dumps([chatgpt_conversation()]))
        write(tmp_path / "b.zip", (tmp_path / "a.zip").read_bytes()[:-40])

        with pytest.raises(BadInput):
            read(tmp_path / "b.zip", "chatgpt")

    def test_a_bomb_is_refused_without_being_unpacked(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("app.exchange.archive.MAX_ITEM", 1_000_000)
        with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("conversations.json", '[{"mapping": "' + "x" * 50_000_000)

        (problem,) = problems(tmp_path / "a.zip")
        assert "damaged from here on" in problem.reason


def test_claude(tmp_path: Path) -> None:
    value = [
        {
            "uuid": "c1",
            "name": "Trip",
            "created_at": "2024-05-01T10:00:00Z",
            "chat_messages": [
                {
                    "uuid": "m1",
                    "sender": "human",
                    "text": "Plan a trip",
                    "created_at": "2024-05-01T10:01:00Z",
                },
                {
                    "uuid": "m2",
                    "sender": "assistant",
                    "created_at": None,
                    "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "To Oslo"}],
                },
                {"uuid": "m3", "sender": "human", "text": "", "content": []},
            ],
        }
    ]

    found = turns(write(tmp_path / "conversations.json", json.dumps(value)))

    assert [(t.text, t.role, t.session, t.external_id) for t in found] == [
        ("Plan a trip", "user", "c1", "m1"),
        ("To Oslo", "assistant", "c1", "m2"),
    ]
    assert found[1].time == datetime(2024, 5, 1, 10, tzinfo=UTC)


class TestWhatsApp:
    def times(self, path: Path) -> list[str]:
        return [f"{t.time:%Y-%m-%d %H:%M} {t.speaker}: {t.text}" for t in turns(path) if t.time]

    def test_android_in_american_order(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "WhatsApp Chat with Anna.txt",
            "12/31/23, 9:15 PM - Messages and calls are end-to-end encrypted.\n"
            "12/31/23, 9:16\u202fPM - Anna: Happy new year\nand all the best\n"
            "1/1/24, 12:05 AM - Bo: <Media omitted>\n1/1/24, 12:06 AM - Bo: You too: all of it\n",
        )

        assert self.times(path) == [
            "2023-12-31 21:16 Anna: Happy new year\nand all the best",
            "2024-01-01 00:06 Bo: You too: all of it",
        ]
        assert turns(path)[0].session == "WhatsApp Chat with Anna 2023-12-31"
        assert {t.role for t in turns(path)} == {"other"}

    def test_ios_in_european_order(self, tmp_path: Path) -> None:
        path = write(
            tmp_path / "_chat.txt",
            "\u200e[31/12/2023, 21:15:04] Anna: Hi\r\n[01.01.2024, 08:00:00] Bo: Ho\r\n",
        )

        assert self.times(path) == ["2023-12-31 21:15 Anna: Hi", "2024-01-01 08:00 Bo: Ho"]

    def test_where_the_days_do_not_tell_the_order_of_time_does(self, tmp_path: Path) -> None:
        path = write(tmp_path / "c.txt", "3/1/24, 10:00 - A: x\n3/2/24, 10:00 - A: y\n4/1/24, 10:00 - A: z\n")

        assert [line[:10] for line in self.times(path)] == ["2024-03-01", "2024-03-02", "2024-04-01"]


def test_mail(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "inbox.mbox")
    plain = EmailMessage()
    plain["From"], plain["Subject"], plain["Message-ID"] = (
        "Anna Berg <anna@example.org>",
        "Re: Grüße",
        "<1@x>",
    )
    plain["Date"] = "Sat, 02 Mar 2024 18:05:00 +0100"
    plain.set_content("See you in Köln\n")
    plain.add_attachment(b"\x00", maintype="application", subtype="octet-stream", filename="a.bin")
    page = EmailMessage()
    page["From"], page["Date"] = "b@example.org", "no date at all"
    page.set_content("<p>One</p><script>evil()</script><p>Two</p>", subtype="html")
    for message in (plain, page):
        box.add(message)
    box.close()
    with (tmp_path / "inbox.mbox").open("ab") as file:
        file.write(
            b"From x\nContent-Type: text/plain; charset=nonsense\nSubject: =?bad?q?x?=\n\n\xff\xfe odd\n"
        )

    first, second, third = turns(tmp_path / "inbox.mbox")

    assert (first.text, first.speaker, first.session, first.external_id) == (
        "Re: Grüße\n\nSee you in Köln",
        "Anna Berg",
        "mail: Grüße",
        "1@x",
    )
    assert first.time == datetime.fromisoformat("2024-03-02T18:05:00+01:00")
    assert (second.text, second.time) == ("One\nTwo", None)
    assert third.text.endswith("odd")


def test_bookmarks(tmp_path: Path) -> None:
    path = write(
        tmp_path / "bookmarks.html",
        "<!DOCTYPE NETSCAPE-Bookmark-file-1>\n<DL><DT><H3>Work</H3><DL><DT>"
        '<A HREF="https://a.example/x" ADD_DATE="1709399100">'
        'A &amp; B</A><DT><A HREF="javascript:alert(1)">no</A></DL>'
        '<DT><A HREF="http://b.example" ADD_DATE="x">Bee</A></DL>',
    )

    assert [(t.text, t.session) for t in turns(path)] == [
        ("Bookmark: A & B (in Work) https://a.example/x", "bookmarks: Work"),
        ("Bookmark: Bee http://b.example", "bookmarks: top"),
    ]


def test_mem0_and_the_mcp_server(tmp_path: Path) -> None:
    mem0 = write(
        tmp_path / "a.json",
        json.dumps({"results": [{"id": "1", "memory": "Likes tea", "created_at": None}, {"id": 2}]}),
    )
    mcp = write(
        tmp_path / "memory.json",
        '{"type":"entity","name":"Anna","entityType":"person","observations":["lives in Bergen","plays chess"]}\n'
        '{"type":"relation","from":"Anna","to":"Bo","relationType":"sister_of"}\n{"type":"x"}\n',
    )

    assert [(t.text, t.kind) for t in turns(mem0)] == [("Likes tea", Kind.SEMANTIC)]
    assert [p.place for p in problems(mem0)] == ["memory 2"]
    assert [t.text for t in turns(mcp)] == ["Anna: lives in Bergen", "Anna: plays chess", "Anna sister of Bo"]
    assert [p.place for p in problems(mcp)] == ["line 3"]


def test_a_pdf_that_is_none(tmp_path: Path) -> None:
    pytest.importorskip("pypdf")

    with pytest.raises(BadInput):
        read(write(tmp_path / "a.pdf", b"%PDF-1.4\nrubbish"))


def test_what_was_imported_informs_and_is_not_trusted_as_the_user(tmp_path: Path) -> None:
    path = write(tmp_path / "conversations.json", json.dumps([chatgpt_conversation()]))

    assert {t.source for t in turns(path)} == {Source.IMPORTED}


@pytest.mark.parametrize("name", [n for n in IMPORTERS if n != "markdown"])
@pytest.mark.parametrize(
    "content", [b"", b"\x00" * 5000, b"\xff\xfe\xff", b"[" * 3000, b'{"a":' * 2000, b"PK\x03\x04rubbish"]
)
def test_no_importer_breaks_on_rubbish(tmp_path: Path, name: str, content: bytes) -> None:
    path = write(tmp_path / "a.any", content)
    try:
        found = list(IMPORTERS[name](path))
    except BadInput as error:
        assert error.hint
    else:
        assert all(isinstance(item, Turn | Problem) for item in found)


def test_guessing_says_what_it_cannot_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        importer_for(tmp_path / "nothing.jsonl")
    with pytest.raises(BadInput):
        guess(write(tmp_path / "a.zip", b"PK\x05\x06" + b"\x00" * 18))
