"""A chat model that another program on this machine runs: any OpenAI-compatible server (llama-server, Ollama).

What is said to it leaves this process, so it talks to this machine alone unless its user names another host.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from models.chat import Message, Usage
from models.errors import ModelError, ModelMissing
from models.thinking import Piece, ThoughtSplitter

SILENCE_SECONDS = 300.0  # a slow machine may read a long prompt for minutes before its first word
BYTES_PER_TOKEN = (
    3  # fewer than in any language that is written in Latin letters: an estimate on the safe side
)
USUAL_CONTEXT = 4096


class ServerChat:
    """A ChatModel behind `url`, such as http://127.0.0.1:11434/v1."""

    def __init__(
        self,
        url: str,
        model: str = "",
        *,
        allowed_hosts: Sequence[str] = (),
        context_tokens: int = 0,
        on_thought: Callable[[str], None] | None = None,
    ) -> None:
        """Connect to `model`, or to the first that the server offers; hosts other than this one must be allowed.

        Raises ModelError for a host that is not, ModelMissing when nobody answers or has that model.
        """
        self._url = _checked(url, allowed_hosts)
        self.on_thought = on_thought or (lambda _: None)
        self._usage: Usage | None = None
        self.name = self._choose(model)
        self.version = f"{self._url} {self.name}"
        self.context_tokens = context_tokens or USUAL_CONTEXT

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        seed: int = 0,
        schema: Mapping[str, Any] | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[str]:
        """Yield the reply in pieces as the server sends them. See ChatModel."""
        request: dict[str, Any] = {
            "model": self.name,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": max_tokens,
            "temperature": temperature,
            "seed": seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if schema is not None:
            shape = {"name": "reply", "strict": True, "schema": dict(schema)}
            request["response_format"] = {"type": "json_schema", "json_schema": shape}
        cost = _Cost()
        try:
            for piece in self._pieces(request, cost):
                if piece.kind == "thought":
                    self.on_thought(piece.text)
                    yield ""
                else:
                    yield piece.text
                if stop is not None and stop():
                    cost.stopped = True
                    return
        finally:
            self._usage = cost.usage()

    def count_tokens(self, text: str) -> int:
        """An estimate on the safe side: the server's vocabulary is not known here."""
        return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)

    @property
    def last_usage(self) -> Usage | None:
        """What the last call cost, as far as the server says; None before the first."""
        return self._usage

    def close(self) -> None:
        """Nothing is held: the server keeps its weights."""

    def _choose(self, wanted: str) -> str:
        with self._open("models", None) as response:
            answer = _json(response.read())
        offered = [str(entry.get("id")) for entry in answer.get("data") or [] if isinstance(entry, dict)]
        if not offered or (wanted and wanted not in offered):
            raise ModelMissing(
                f"{self._url} does not offer {wanted or 'any model'}.",
                f"It offers: {', '.join(offered) or 'nothing'}. Load the model there first.",
            )
        return wanted or offered[0]

    def _pieces(self, request: Mapping[str, Any], cost: _Cost) -> Iterator[Piece]:
        splitter = ThoughtSplitter()
        with self._open("chat/completions", request) as response:
            for event in _events(response):
                cost.read(event.get("usage"))
                for delta in _deltas(event):
                    if delta.get("reasoning_content"):
                        yield Piece("thought", str(delta["reasoning_content"]))
                    if delta.get("content"):
                        cost.count()
                        yield from splitter.feed(str(delta["content"]))
            yield from splitter.end()

    def _open(self, path: str, request: Mapping[str, Any] | None) -> http.client.HTTPResponse:
        body = None if request is None else json.dumps(request).encode()
        headers = {"Content-Type": "application/json", "User-Agent": "mem"}
        # No proxy and no redirect: the words go to the host that was checked and to no other.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())
        try:
            asked = urllib.request.Request(f"{self._url}/{path}", data=body, headers=headers)
            response: http.client.HTTPResponse = opener.open(asked, timeout=SILENCE_SECONDS)
        except urllib.error.HTTPError as problem:
            with problem:
                said = problem.read(500).decode("utf-8", "replace").strip()
            raise ModelError(
                f"{self._url} answers {problem.code}: {said}", "See the server's own log."
            ) from problem
        except (OSError, http.client.HTTPException) as problem:
            reason = getattr(problem, "reason", problem)
            raise ModelMissing(
                f"No model server answers at {self._url}: {reason}.", "Start it first."
            ) from problem
        return response


class _Cost:
    """What a call costs: counted here, and corrected by what the server says."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._prompt = self._cached = self._completion = 0
        self._first_ms = 0.0
        self.stopped = False

    def count(self) -> None:
        """A piece of the reply came."""
        self._completion += 1
        self._first_ms = self._first_ms or self._elapsed()

    def read(self, usage: Any) -> None:
        """The server's own count, usually in its last event."""
        if not isinstance(usage, dict):
            return
        self._prompt = int(usage.get("prompt_tokens") or 0)
        self._completion = int(usage.get("completion_tokens") or self._completion)
        details = usage.get("prompt_tokens_details")
        self._cached = int(details.get("cached_tokens") or 0) if isinstance(details, dict) else 0

    def usage(self) -> Usage:
        """The cost so far."""
        return Usage(
            self._prompt, self._cached, self._completion, self._first_ms, self._elapsed(), self.stopped
        )

    def _elapsed(self) -> float:
        return (time.perf_counter() - self._started) * 1000


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def _checked(url: str, allowed_hosts: Sequence[str]) -> str:
    """The address without its last slash, if it may be talked to. Raises ModelError."""
    parts = urllib.parse.urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host:
        raise ModelError(
            f"{url!r} is not the address of a model server.", "Give one like http://127.0.0.1:11434/v1."
        )
    if not _is_this_machine(host) and host not in allowed_hosts:
        raise ModelError(
            f"{host} is not this machine: everything that is said would go there.",
            f"If you want that, allow it by name: `mem config set models.server_hosts {host}`.",
        )
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _events(response: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    """The data of server-sent events, until [DONE]. Raises ModelError when the line goes dead."""
    try:
        for line in response:
            field, _, value = line.partition(b":")
            if field != b"data":
                continue
            if value.strip() == b"[DONE]":
                return
            yield _json(value)
    except (OSError, http.client.HTTPException) as problem:
        raise ModelError(f"The model server broke off: {problem}.", "See the server's own log.") from problem


def _deltas(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What an event adds to the reply."""
    choices = event.get("choices")
    deltas = (
        [choice.get("delta") for choice in choices if isinstance(choice, dict)]
        if isinstance(choices, list)
        else []
    )
    return [delta for delta in deltas if isinstance(delta, dict)]


def _json(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError as problem:
        raise ModelError(
            "The model server answers something else than JSON.", "Check its address."
        ) from problem
    if not isinstance(value, dict) or value.get("error"):
        raise ModelError(f"The model server answers: {str(value)[:200]}", "See the server's own log.")
    return value
