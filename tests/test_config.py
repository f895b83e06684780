"""Settings: read, set, refused with a reason; and where a memory lives."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Config, find_home, flat, load_config, replaced, save_setting
from app.errors import BadRequest


def test_a_missing_file_means_the_defaults(tmp_path: Path) -> None:
    assert load_config(tmp_path / "config.toml") == Config()


def test_a_setting_is_kept_beside_its_users_comments(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("# mine\n[night]\nat = '02:00' # early\n")
    config = save_setting(path, "night.idle_minutes", "9")
    assert config == load_config(path)
    assert (config.night.at, config.night.idle_minutes) == ("02:00", 9)
    assert "# mine" in path.read_text() and "# early" in path.read_text()
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("night.at", "99"),
        ("night.at", "25:00"),
        ("night.idle_minutes", "soon"),
        ("forgetting.prior", "0.5"),
        ("forgetting.shape", "cliff"),
        ("models.gpu_layers", "-9"),
        ("nothing.here", "1"),
        ("night", "1"),
        ("", ""),
    ],
)
def test_what_makes_no_sense_is_refused(key: str, value: str) -> None:
    with pytest.raises(BadRequest) as caught:
        replaced(Config(), key, value)
    assert caught.value.hint


def test_lists_and_numbers_are_read_from_words() -> None:
    config = replaced(Config(), "models.server_hosts", "a.example, b.example")
    assert config.models.server_hosts == ("a.example", "b.example")
    assert replaced(config, "forgetting.decay", "0.7").forgetting.decay == 0.7
    assert flat(config)["models.server_hosts"] == ("a.example", "b.example")


@pytest.mark.parametrize("text", ["[night\n", "night = 3\n", "[night]\nat = 7\n", "[x]\ny = 1\n", "\xff\xfe"])
def test_a_broken_file_is_told_with_its_reason(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(BadRequest):
        load_config(path)


def test_the_home_is_the_argument_then_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEM_HOME", str(tmp_path / "env"))
    monkeypatch.setenv("MEM_MODELS", str(tmp_path / "models"))
    assert find_home(tmp_path / "given").path == tmp_path / "given"
    assert find_home().path == tmp_path / "env"
    assert find_home().models == tmp_path / "models"
