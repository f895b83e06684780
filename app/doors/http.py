"""`mem serve`: the memory over HTTP, for programs of this computer that know its token. Loopback only.

Besides recall, remember and ask it speaks the chat-completions format, so that any client of it can talk with the
assistant that remembers. A page at / shows and searches the memory.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.clock import now
from app.doors.keeper import Keeper
from app.doors.mcp import kept
from app.errors import AppError, BadRequest
from app.events import Answered, Said
from app.lookup import answer, lookup_from
from app.memory import Memory
from app.present import record_keys
from app.records import EVERYTHING
from models.errors import ModelError
from storage.errors import StorageError
from storage.files import write_atomic

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HOSTS = ("127.0.0.1", "localhost", "[::1]")
LARGEST = 1_000_000  # bytes of a request
STATUS = {
    "BadRequest": 400,
    "NothingFound": 404,
    "RecordNotFound": 404,
    "Refused": 403,
    "StoreLocked": 503,
    "ModelMissing": 503,
}
LISTED = 200  # memories in one listing at most

Handler = Callable[[dict[str, Any]], Awaitable["Response"]]


def token_of(home: Path) -> str:
    """The token of this home, made on first use and readable by its owner alone."""
    path = home / "token"
    if not path.exists():
        write_atomic(path, secrets.token_urlsafe(32).encode())
    return path.read_text(encoding="ascii").strip()


def application(keeper: Keeper, token: str, port: int) -> Starlette:
    """The web application. Every address but the page itself needs the token."""
    from starlette.applications import Starlette
    from starlette.routing import Route

    door = _Door(keeper, token, port)
    posts: Mapping[str, Handler] = {
        "/v1/recall": door.recall,
        "/v1/list": door.list,
        "/v1/remember": door.remember,
        "/v1/ask": door.ask,
        "/v1/chat/completions": door.chat,
    }
    routes = [Route(path, door.guarded(handler), methods=["POST"]) for path, handler in posts.items()]
    return Starlette(routes=[Route("/", door.page), *routes])


class _Door:
    """What stands behind each address."""

    def __init__(self, keeper: Keeper, token: str, port: int) -> None:
        self._keeper = keeper
        self._token = token
        self._hosts = {f"{host}:{port}" for host in HOSTS}
        self._page = files("app.doors").joinpath("page.html").read_text(encoding="utf-8")

    async def page(self, request: Request) -> Response:
        from starlette.responses import HTMLResponse

        if request.headers.get("host") not in self._hosts:
            return _answer({"error": {"message": "This host is not this computer."}}, 403)
        return HTMLResponse(self._page, headers=page_policy(self._page))

    async def recall(self, body: dict[str, Any]) -> Response:
        return _answer(await self._keeper.run(lambda m: answer(m, lookup_from(body, now()))))

    async def list(self, body: dict[str, Any]) -> Response:
        limit = body.get("limit", 20)
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= LISTED:
            raise BadRequest(f"`limit` is {limit!r}.", f"It is a whole number from 1 to {LISTED}.")
        newest = await self._keeper.run(
            lambda m: [record_keys(r) for r in m.store.records(EVERYTHING, limit=limit)]
        )
        return _answer({"memories": newest})

    async def remember(self, body: dict[str, Any]) -> Response:
        return _answer(await self._keeper.run(lambda m: kept(m, _text(body, "text"), now())))

    async def ask(self, body: dict[str, Any]) -> Response:
        question = _text(body, "question")
        said = await self._keeper.run(lambda m: _answered(m, question))
        return _answer({"answer": said.text, "abstained": said.abstained, "citations": list(said.citations)})

    async def chat(self, body: dict[str, Any]) -> Response:
        from starlette.responses import StreamingResponse

        text = newest_words(body)
        if body.get("stream"):
            pieces = self._keeper.stream(lambda m: _spoken(m, text))
            return StreamingResponse(chunks(pieces), media_type="text/event-stream")
        whole = await self._keeper.run(lambda m: "".join(_spoken(m, text)))
        message = {"message": {"role": "assistant", "content": whole}}
        return _answer(completion("chat.completion", message, "stop"))

    def guarded(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """The handler behind the checks of who asks, with its errors as answers."""

        async def checked(request: Request) -> Response:
            reason = refusal(request, self._token, self._hosts)
            if reason:
                return _answer({"error": {"message": reason}}, 403)
            try:
                return await handler(await _body(request))
            except (AppError, StorageError, ModelError) as error:
                status = STATUS.get(type(error).__name__, 500)
                return _answer({"error": {"message": str(error), "hint": error.hint}}, status)

        return checked


def page_policy(page: str) -> dict[str, str]:
    """What a browser lets the page do: run its own script and no other, and speak to this server alone."""
    script = page.split("<script>", 1)[1].split("</script>", 1)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    rules = (
        "default-src 'none'; connect-src 'self'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return {"Content-Security-Policy": rules, "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


def refusal(request: Request, token: str, allowed: set[str]) -> str:
    """Why a request is not answered, "" when it is: another host's name, another site's page, a wrong token."""
    if request.headers.get("host") not in allowed:
        return "This host is not this computer."
    origin = request.headers.get("origin")
    if origin is not None and origin.removeprefix("http://") not in allowed:
        return "Pages of other sites may not ask."
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    right = hmac.compare_digest(given.encode(), token.encode())
    return "" if right else "The token is missing or wrong. `mem serve` prints the right one."


def newest_words(body: dict[str, Any]) -> str:
    """The text of the last message of a chat-completions request, which has to be its user's. Raises BadRequest."""
    messages = body.get("messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(last, dict) or last.get("role") != "user":
        raise BadRequest(
            "The last of `messages` is not the user's.", 'Send {"messages": [{"role": "user", ...}]}.'
        )
    content = last.get("content")
    if isinstance(content, list):
        content = " ".join(str(part.get("text", "")) for part in content if isinstance(part, dict))
    return _text({"content": content}, "content")


async def chunks(pieces: AsyncIterator[str]) -> AsyncIterator[str]:
    """Server-sent events in the chat-completions format."""
    async for piece in pieces:
        yield _event(
            completion("chat.completion.chunk", {"delta": {"role": "assistant", "content": piece}}, None)
        )
    yield _event(completion("chat.completion.chunk", {"delta": {}}, "stop"))
    yield "data: [DONE]\n\n"


def completion(kind: str, choice: dict[str, Any], finish: str | None) -> dict[str, Any]:
    """One answer or one piece of it."""
    created = int(now().timestamp())
    return {"id": "mem", "object": kind, "created": created, "model": "mem",
            "choices": [{"index": 0, "finish_reason": finish, **choice}]}  # fmt: skip


def _answer(value: Any, status: int = 200) -> Response:
    from starlette.responses import JSONResponse

    return JSONResponse(value, status_code=status)


def _event(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _spoken(memory: Memory, text: str) -> Iterator[str]:
    for event in _assistant(memory).reply(text, now()):
        if isinstance(event, Said):
            yield event.piece


def _answered(memory: Memory, question: str) -> Answered:
    return next(e for e in _assistant(memory).ask(question, now()) if isinstance(e, Answered))


def _assistant(memory: Memory) -> Any:
    from app.assistant import Assistant

    return Assistant(memory, memory.chat, "http", now=now())


async def _body(request: Request) -> dict[str, Any]:
    raw = b""
    async for part in request.stream():
        raw += part
        if len(raw) > LARGEST:
            raise BadRequest("The request is too large.", f"Send at most {LARGEST:,} bytes.")
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise BadRequest("The request is no JSON.", "Send one JSON object.") from error
    if not isinstance(body, dict):
        raise BadRequest("The request is no JSON object.", "Send one JSON object.")
    return body


def _text(body: dict[str, Any], name: str) -> str:
    text = body.get(name)
    if not isinstance(text, str) or not text.strip():
        raise BadRequest(f"`{name}` is missing.", f'Send {{"{name}": "..."}}.')
    return text
