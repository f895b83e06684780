"""Nothing leaves the machine: who may import network code, and what a whole day and night connect to."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parent.parent
NETWORK = {
    "socket",
    "ssl",
    "urllib.request",
    "http.client",
    "http.server",
    "requests",
    "httpx",
    "aiohttp",
}
ALLOWED = {
    "models/pull.py": "downloads that its user asked for",
    "models/server.py": "a model server that its user named",
    "app/wire.py": "the daemon's Unix socket",
    "app/daemon.py": "the daemon's Unix socket",
}


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_only_the_named_files_hold_network_code() -> None:
    files = [
        p for folder in ("app", "cli", "tui", "storage", "models") for p in (ROOT / folder).rglob("*.py")
    ]
    assert files
    found = {str(p.relative_to(ROOT)) for p in files if imported(p) & NETWORK}
    assert found <= set(ALLOWED), found - set(ALLOWED)


def test_a_day_and_a_night_connect_to_nothing(tmp_path: Path) -> None:
    """Every connect, bind and look-up of the process is seen by an audit hook, whoever makes it."""
    code = """
        import json, sys
        calls = []
        sys.addaudithook(lambda name, args: calls.append(f"{name} {args[-1]!r}") if name in
            ("socket.connect", "socket.bind", "socket.getaddrinfo", "urllib.Request") else None)
        from cli.main import run
        codes = [
            run(["remember", "I live in Porto."]),
            run(["recall", "where do I live", "--json"]),
            run(["sleep"]),
            run(["list"]),
            run(["import", sys.argv[1]]),
            run(["backup"]),
            run(["doctor"]),
            run(["forget", "--query", "Porto", "--yes"]),
        ]
        inet = [call for call in calls if "mem.sock" not in call]
        print(json.dumps({"codes": codes, "inet": inet}), file=sys.stderr)
    """
    env = dict(os.environ, MEM_HOME=str(tmp_path / "home"), MEM_MODELS=str(tmp_path / "models"))
    (tmp_path / "said.jsonl").write_text('{"text": "The lake was lovely."}\n')
    command = [sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "said.jsonl")]
    done = subprocess.run(
        command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False
    )
    seen = json.loads(done.stderr.strip().splitlines()[-1])
    assert seen["inet"] == []
    assert seen["codes"][:6] == [0] * 6
