"""The chat model behind a local server, against a real HTTP server that speaks (or garbles) the protocol."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from models.chat import Message
from models.errors import ModelError, ModelMissing
from models.server import ServerChat

HELLO = [Message("system", "Be kind."), Message("user", "Hello?")]


def delta(**fields: str) -> dict[str, Any]:
    return {"choices": [{"delta": fields}]}


USAGE = {"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 5}}
REPLY = [
    delta(role="assistant"),
    delta(content="Good "),
    delta(content="day."),
    {"choices": [], "usage": USAGE},
]


@dataclass
class Desk:
    """What the server answers and what it was asked."""

    events: list[Any] = field(default_factory=lambda: list(REPLY))
    models: Any = field(default_factory=lambda: {"data": [{"id": "small"}, {"id": "large"}]})
    status: int = 200
    raw: bytes | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""


def handler(desk: Desk) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(json.dumps(desk.models).encode())

        def do_POST(self) -> None:
            desk.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            lines = [f"data: {json.dumps(event)}\n\n" for event in desk.events] + ["data: [DONE]\n\n"]
            self.answer(desk.raw if desk.raw is not None else b": hello\n\n" + "".join(lines).encode())

        def answer(self, body: bytes) -> None:
            self.send_response(desk.status)
            if desk.status == 302:
                self.send_header("Location", "http://example.org/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(desk)) as server:
        desk.url = f"http://127.0.0.1:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield desk
        server.shutdown()
        thread.join()


def test_the_reply_is_streamed_and_its_cost_reported(desk: Desk) -> None:
    chat = ServerChat(desk.url + "/", "large")
    assert list(chat.stream(HELLO, max_tokens=7, temperature=0.5, seed=3)) == ["Good ", "day."]
    (asked,) = desk.asked
    assert asked["messages"] == [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hello?"},
    ]
    assert (asked["model"], asked["max_tokens"], asked["temperature"], asked["seed"]) == ("large", 7, 0.5, 3)
    usage = chat.last_usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens) == (9, 5, 4)
    assert 0 < usage.first_token_ms <= usage.total_ms


def test_the_first_model_is_taken_where_none_is_named(desk: Desk) -> None:
    assert ServerChat(desk.url).name == "small"
    assert ServerChat(desk.url).version != ServerChat(desk.url, "large").version


def test_a_schema_is_passed_on(desk: Desk) -> None:
    list(ServerChat(desk.url).stream(HELLO, schema={"type": "object"}))
    assert desk.asked[0]["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_stop_ends_the_reply(desk: Desk) -> None:
    chat = ServerChat(desk.url)
    assert list(chat.stream(HELLO, stop=lambda: True)) == ["Good "]
    assert chat.last_usage is not None and chat.last_usage.stopped


def test_thoughts_are_kept_apart_however_they_are_sent(desk: Desk) -> None:
    desk.events = [
        delta(reasoning_content="Hm."),
        delta(content="<thi"),
        delta(content="nk>So.</think>"),
        *REPLY,
    ]
    thoughts: list[str] = []
    chat = ServerChat(desk.url, on_thought=thoughts.append)
    assert "".join(chat.stream(HELLO)) == "Good day."
    assert "".join(thoughts) == "Hm.So."


@pytest.mark.parametrize(
    "url",
    [
        "http://192.168.1.5:8080/v1",
        "http://example.org/v1",
        "http://127.0.0.1.example.org/v1",
        "http://0.0.0.0/v1",
    ],
)
def test_another_machine_is_refused_unless_it_is_allowed_by_name(url: str) -> None:
    with pytest.raises(ModelError, match="not this machine") as caught:
        ServerChat(url, allowed_hosts=["other.example"])
    assert "server_hosts" in caught.value.hint


def test_an_allowed_host_is_tried() -> None:
    with pytest.raises(ModelMissing, match="No model server answers"):
        ServerChat("http://nobody.invalid:9/v1", allowed_hosts=["nobody.invalid"])


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://127.0.0.1/", "http://", "127.0.0.1:80"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ModelError, match="not the address"):
        ServerChat(url)


def test_a_redirect_is_not_followed(desk: Desk) -> None:
    desk.status = 302
    with pytest.raises(ModelError, match="302"):
        ServerChat(desk.url)


def test_a_proxy_never_sees_the_words(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    assert "".join(ServerChat(desk.url).stream(HELLO)) == "Good day."


def test_nobody_there_or_no_such_model_is_a_missing_model(desk: Desk) -> None:
    with pytest.raises(ModelMissing, match="No model server answers"):
        ServerChat("http://127.0.0.1:9/v1")
    with pytest.raises(ModelMissing) as caught:
        ServerChat(desk.url, "huge")
    assert "small, large" in caught.value.hint


@pytest.mark.parametrize(
    "raw", [b"data: not json\n\n", b"data: [1]\n\n", b'data: {"error": {"message": "no memory"}}\n\n']
)
def test_a_garbled_answer_is_a_clean_error(desk: Desk, raw: bytes) -> None:
    chat = ServerChat(desk.url)
    desk.raw = raw
    with pytest.raises(ModelError):
        list(chat.stream(HELLO))


def test_events_of_another_shape_are_passed_over(desk: Desk) -> None:
    desk.events = [{"choices": [1, {"delta": 2}]}, {"choices": 3, "usage": []}, *REPLY]
    assert "".join(ServerChat(desk.url).stream(HELLO)) == "Good day."


def test_an_error_of_the_server_is_told(desk: Desk) -> None:
    chat = ServerChat(desk.url)
    desk.status, desk.raw = 500, b"out of memory"
    with pytest.raises(ModelError, match="out of memory"):
        list(chat.stream(HELLO))


def test_tokens_are_never_guessed_too_few() -> None:
    chat = object.__new__(ServerChat)
    assert chat.count_tokens("") == 0
    assert chat.count_tokens("hello world") >= 2
    assert chat.count_tokens("日本語") >= 3
