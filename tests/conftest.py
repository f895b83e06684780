"""Fixtures for every test: a home of its own, and the real models for the tests that are marked for them."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from models.chat import ChatModel
    from models.embed import Embedder


@pytest.fixture(autouse=True, scope="session")
def _signals() -> None:
    """A run in the background is started deaf to these signals, and what it starts inherits that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test may touch its user's memory, nor depend on the colours of a terminal."""
    monkeypatch.setenv("MEM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("NO_COLOR", "1")


@dataclass(frozen=True)
class Result:
    """What one command line left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)


Mem = Callable[..., Result]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home whose models are the shipped stand-ins."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    (folder / "config.toml").write_text('[models]\nchat = "fake"\nembed = "fake"\n')
    return folder


@pytest.fixture
def mem(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Mem:
    """Runs `mem ARGUMENTS` in this process, as a shell would; `stdin` is what it reads, and is no terminal."""
    from cli.main import run

    def mem(*argv: str, stdin: str | bytes = "") -> Result:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        capsys.readouterr()
        code = run(argv)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return mem


@pytest.fixture(scope="session")
def models_folder() -> Path:
    """Where downloaded models lie: shared with the user's own, so that they are fetched once."""
    from platformdirs import user_cache_path

    return Path(os.environ.get("MEM_MODELS") or user_cache_path("mem") / "models")


def _fetched(model_id: str, models_folder: Path) -> None:
    from models.catalog import find
    from models.pull import pull

    if not find(model_id).installed(models_folder):
        pull(find(model_id), models_folder)


@pytest.fixture(scope="session")
def embedder(models_folder: Path) -> Iterator[Embedder]:
    """The default embedding model, for tests marked `embedder`."""
    from models.open import open_embedder

    _fetched("minilm-int8", models_folder)
    opened = open_embedder("minilm-int8", models_folder)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def chat_model(models_folder: Path) -> Iterator[ChatModel]:
    """The smallest packaged chat model (0.5B), for tests marked `llm`."""
    from models.open import open_chat

    _fetched("qwen2.5-coder-0.5b", models_folder)
    opened = open_chat("qwen2.5-coder-0.5b", models_folder, context_tokens=2048)
    yield opened
    opened.close()
