"""What a command may load: the listing and the home screen owe nothing to the models; imports keep their direction."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {
    "numpy",
    "llama_cpp",
    "onnxruntime",
    "textual",
    "apscheduler",
    "sentence_transformers",
    "hnswlib",
    "torch",
}
OURS = ("app", "cli", "tui", "storage", "models")


def loaded_by(*argv: str, home: Path) -> set[str]:
    """The top-level modules in memory after one command line, in a process of its own."""
    code = (
        "import json, sys; from cli.main import run; run(json.loads(sys.argv[1]));"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(argv)],
        cwd=ROOT,
        env={**os.environ, "MEM_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_the_listing_loads_neither_typer_nor_the_database_nor_any_model(tmp_path: Path) -> None:
    loaded = loaded_by("--help", home=tmp_path)

    assert not loaded & (HEAVY | {"sqlcipher3", "sqlite_utils", "typer", "rich", "asyncio"})


@pytest.mark.parametrize(
    "argv", [[], ["list", "--help"], ["recall", "--help"], ["model", "list"], ["config", "get"]]
)
def test_a_look_loads_no_engine(argv: list[str], tmp_path: Path) -> None:
    assert not loaded_by(*argv, home=tmp_path) & (HEAVY | {"sqlcipher3", "rich", "pydantic"})


@pytest.mark.parametrize("argv", [["list"], ["show", "m222"], ["log"], ["sessions"], []])
def test_reading_a_store_that_is_there_needs_no_engine_either(argv: list[str], home: Path) -> None:
    loaded_by("list", home=home)  # makes the store, which brings its migrations along

    assert not loaded_by(*argv, home=home) & (HEAVY | {"sqlite_utils", "rich", "pydantic"})


def test_imports_keep_their_direction() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_no_other_distribution_owns_the_names_of_our_packages() -> None:
    owners = importlib.metadata.packages_distributions()

    assert {name: set(owners.get(name, ())) - {"mem-assistant"} for name in OURS} == {
        name: set() for name in OURS
    }


def test_every_package_of_ours_is_in_the_distribution() -> None:
    import tomllib

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    there = {
        str(p.parent.relative_to(ROOT)).replace("/", ".")
        for o in OURS
        for p in (ROOT / o).rglob("__init__.py")
    }

    assert set(listed) == there
