"""The doors for other programs: MCP with the SDK's own client, HTTP with a real client, and who is turned away."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, MCPError
from starlette.testclient import TestClient

from app.config import Config, Home, replaced
from app.doors.http import application, token_of
from app.doors.keeper import Keeper
from app.doors.mcp import server
from app.open import open_memory

PORT = 8765


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home", tmp_path / "models")


@pytest.fixture
def keeper(home: Home) -> Iterator[Keeper]:
    config = replaced(replaced(Config(), "models.embed", "fake"), "models.chat", "fake")
    keeper = Keeper(lambda: open_memory(home, config))
    yield keeper
    keeper.close()


@pytest.fixture
def post(keeper: Keeper, home: Home) -> Callable[..., Any]:
    client = TestClient(application(keeper, token_of(home.path), PORT), base_url=f"http://127.0.0.1:{PORT}")
    right = {"Authorization": f"Bearer {token_of(home.path)}"}
    return lambda path, body, **headers: client.post(
        path, content=body if isinstance(body, str) else json.dumps(body), headers={**right, **headers}
    )


async def called(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return (
        json.loads(result.content[0].text)
        if result.content[0].text.startswith(("{", "["))
        else result.content[0].text
    )


async def test_mcp_remembers_recalls_and_forgets(keeper: Keeper) -> None:
    async with Client(server(keeper)) as client:
        tools = {t.name: t.annotations for t in (await client.list_tools()).tools}
        assert set(tools) == {"recall", "list", "remember", "forget"}
        assert tools["forget"].destructive_hint and tools["recall"].read_only_hint
        record = await called(client, "remember", text="The boiler is serviced in May.")
        assert record["trust"] == "tool"
        found = await called(client, "recall", query="when is the boiler serviced")
        assert found["hits"][0]["id"] == record["id"]
        prompt = await client.get_prompt("with_memory", {"question": "When is the boiler serviced?"})
        assert "boiler is serviced in May" in str(prompt.messages)
        assert "Erased 1" in await called(client, "forget", id=record["id"])
        assert (await called(client, "recall", query="boiler"))["hits"] == []
        again = await client.call_tool("remember", {"text": "The boiler is serviced in May."})
        assert again.is_error


async def test_mcp_bad_calls_are_errors_and_not_crashes(keeper: Keeper) -> None:
    async with Client(server(keeper)) as client:
        assert (await client.call_tool("forget", {"id": "nothing"})).is_error
        assert (await client.call_tool("recall", {})).is_error
        with pytest.raises(MCPError):
            await client.read_resource("memory://elsewhere")
        assert (await client.call_tool("recall", {"query": "x" * 100_000, "k": -5})).is_error is False


def test_http_remembers_and_recalls(post: Callable[..., Any]) -> None:
    record = post("/v1/remember", {"text": "Anna's tram is line 7."}).json()
    assert record["trust"] == "tool"
    found = post("/v1/recall", {"query": "which tram does Anna take", "k": 3}).json()
    assert [hit["id"] for hit in found["hits"]] == [record["id"]]


def test_http_chats_in_the_common_format(post: Callable[..., Any]) -> None:
    body = {"model": "mem", "messages": [{"role": "user", "content": "Good morning, how are you?"}]}
    whole = post("/v1/chat/completions", body).json()
    text = whole["choices"][0]["message"]["content"]
    assert text
    streamed = post("/v1/chat/completions", {**body, "stream": True}).text
    events = [line.removeprefix("data: ") for line in streamed.splitlines() if line]
    assert events[-1] == "[DONE]"
    assert json.loads(events[-2])["choices"][0]["finish_reason"] == "stop"
    assert "".join(json.loads(e)["choices"][0]["delta"].get("content", "") for e in events[:-1])


def test_the_official_client_of_the_common_format_talks_to_it(keeper: Keeper, home: Home) -> None:
    import httpx2
    from openai import OpenAI, PermissionDeniedError

    token = token_of(home.path)
    base = f"http://127.0.0.1:{PORT}"
    with TestClient(application(keeper, token, PORT), base_url=base) as inside:
        # The client's own requests, carried to the application without a socket.
        carried = httpx2.MockTransport(
            lambda request: httpx2.Response(
                (answer := inside.send(request)).status_code, headers=answer.headers, content=answer.content
            )
        )
        client = OpenAI(
            api_key=token, base_url=f"{base}/v1", http_client=httpx2.Client(transport=carried), max_retries=0
        )
        asked: Any = [{"role": "user", "content": "Good morning, how are you?"}]
        whole = client.chat.completions.create(model="mem", messages=asked)
        streamed = client.chat.completions.create(model="mem", messages=asked, stream=True)
        pieces = [chunk.choices[0].delta.content or "" for chunk in streamed]
        assert whole.choices[0].finish_reason == "stop"
        assert "".join(pieces) == whole.choices[0].message.content
        stranger = client.with_options(api_key="wrong")
        with pytest.raises(PermissionDeniedError, match="token"):
            stranger.chat.completions.create(model="mem", messages=asked)


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"Authorization": "Bearer wrong"}, "token"),
        ({"Host": "evil.example:8765"}, "host"),
        ({"Origin": "https://evil.example"}, "other sites"),
    ],
)
def test_http_turns_strangers_away(post: Callable[..., Any], headers: dict[str, str], reason: str) -> None:
    answer = post("/v1/recall", {"query": "secrets"}, **headers)
    assert answer.status_code == 403
    assert reason in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body", ["", "nonsense", "[]", "{}", '{"query": 7}', '{"query": "' + "x" * 1_100_000 + '"}']
)
def test_http_bad_bodies_are_told_and_the_server_lives(post: Callable[..., Any], body: str) -> None:
    assert post("/v1/recall", body).status_code == 400
    assert post("/v1/chat/completions", body).status_code == 400
    assert post("/v1/recall", {"query": "still here"}).status_code == 200


def test_the_token_is_private_and_stays(home: Home) -> None:
    home.create()
    token = token_of(home.path)
    assert token_of(home.path) == token
    assert (home.path / "token").stat().st_mode & 0o077 == 0


def test_the_page_runs_no_words_of_memories(keeper: Keeper) -> None:
    client = TestClient(application(keeper, "t", PORT), base_url=f"http://127.0.0.1:{PORT}")
    page = client.get("/").text
    assert "textContent" in page
    assert "innerHTML" not in page


def test_the_example_of_the_python_api_runs_as_it_stands(home: Home) -> None:
    home.create()
    home.config.write_text('[models]\nembed = "fake"\n')
    page = Path(__file__).parents[1].joinpath("docs", "doors.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    assert [hit["text"] for hit in names["found"]["hits"]] == ["Lena is allergic to peanuts."]


def test_http_lists_the_newest(post: Callable[..., Any]) -> None:
    ids = [post("/v1/remember", {"text": f"Number {n}."}).json()["id"] for n in range(3)]
    assert [m["id"] for m in post("/v1/list", {"limit": 2}).json()["memories"]] == ids[:0:-1]
    for limit in (0, 201, "x", True):
        assert post("/v1/list", {"limit": limit}).status_code == 400
