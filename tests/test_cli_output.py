"""How commands print: widths, relative times, styles and progress."""

from __future__ import annotations

import io
import sys
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.setup import Fetched, FileReady, SourceChosen, SourceFailed
from cli.output import ago, cell_width, clipped, size, styled, wrapped
from cli.progress import Counter, Download, status_line

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@given(st.text(max_size=200), st.integers(1, 100))
def test_what_is_clipped_fits_and_is_a_beginning(text: str, width: int) -> None:
    cut = clipped(text, width)

    assert cell_width(cut) <= width
    assert text.startswith(cut.removesuffix("…").rstrip()) or cut == text


@pytest.mark.parametrize(
    ("text", "width"), [("abc", 3), ("東京", 4), ("é", 1), ("e\u0301", 1), ("👩", 2), ("", 0)]
)
def test_cell_width(text: str, width: int) -> None:
    assert cell_width(text) == width


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=59), "just now"),
        (timedelta(seconds=-5), "soon"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=1), "1 day ago"),
        (timedelta(days=30), "30 days ago"),
        (timedelta(days=-2), "in 2 days"),
        (timedelta(days=40), "22 Mar 2024"),
        (timedelta(days=-400), "5 Jun 2025"),
    ],
)
def test_ago(before: timedelta, words: str) -> None:
    assert ago(NOW - before, NOW) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1200, "1.2 kB"),
        (22_928_619, "23 MB"),
        (5.1e9, "5.1 GB"),
        (2e12, "2000.0 GB"),
    ],
)
def test_size(number: float, words: str) -> None:
    assert size(number) == words


def test_wrapped_keeps_to_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    lines = wrapped("word " * 200, indent="    ", lines=3).splitlines()

    assert len(lines) == 3
    assert all(line.startswith("    ") for line in lines)
    assert lines[-1].endswith(" …")


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
def test_colours_only_where_they_are_wanted(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert ("\x1b[" in styled("x", "bold")) is coloured
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert styled("x", "bold") == "x"


def test_a_download_at_a_terminal_shows_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with Download("qwen") as download:
        download.show(SourceChosen("q.gguf", "hub"))
        download.show(Fetched("q.gguf", 500_000_000, 1_000_000_000, 10e6, 50.0))
        download.show(Fetched("q.gguf", 600_000_000, 1_000_000_000, 0.0, None))
        download.show(FileReady("q.gguf", True))
    out = screen.getvalue()

    assert "qwen [############............]  50% of 1.0 GB, 10 MB/s, 50 s left" in out
    assert "qwen: q.gguf is here and verified" in out


def test_elsewhere_it_is_a_line_per_event_and_counters_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Download("qwen") as download, Counter("imported") as counter, status_line() as show:
        download.show(SourceFailed("q.gguf", "hub", "no\x1b[31m answer"))
        download.show(Fetched("q.gguf", 1, 2, 1.0, 1.0))
        counter.show(5)
        show("at work")
    err = capsys.readouterr().err

    assert err.splitlines() == ["qwen: hub does not deliver q.gguf: no␛[31m answer"]
