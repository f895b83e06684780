"""How its user wants a memory (Config); where it lives is in app/place.py. Values are passed in, never global."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_type_hints

from app.errors import BadRequest
from app.place import Home as Home
from app.place import find_home as find_home


@dataclass(frozen=True, slots=True)
class UserConfig:
    """Who is remembered, whether reminders that are due also come up on the desktop, and how dates are written."""

    name: str = "me"
    notify: bool = True
    month_first: str = "auto"  # whether 7/5 is in July, in imported chats that do not tell it themselves

    def reads_month_first(self) -> bool | None:
        """Whether 7/5 is in July; None leaves it to what the dates themselves, or the time zone, say."""
        return {"yes": True, "no": False}.get(self.month_first)


@dataclass(frozen=True, slots=True)
class ModelsConfig:
    """Which models run. `chat` and `embed` are catalog ids, paths, or "" for none; 0 means: chosen for this machine."""

    chat: str = ""
    embed: str = "minilm-int8"
    context_tokens: int = 0
    threads: int = 0
    batch: int = 0
    gpu_layers: int = -2  # -2: all where llama.cpp was built for a GPU, else none
    cache_type: str = "f16"  # of the KV cache; "q8_0" takes half the memory, "q4_0" a quarter
    lora: str = ""  # a LoRA adapter for the chat model, a GGUF file
    tools: str = "auto"  # whether the chat model may note things by itself; small ones may not
    server: str = ""  # a local OpenAI-compatible server to use instead, e.g. http://127.0.0.1:11434/v1
    server_hosts: tuple[str, ...] = ()  # hosts other than this machine that the user allows by name


@dataclass(frozen=True, slots=True)
class ForgettingConfig:
    """The curve: "power" or "exponential", its decay d, and the weight of retrievability in ranking (at most .15)."""

    shape: str = "power"
    decay: float = 0.5
    prior: float = 0.10


@dataclass(frozen=True, slots=True)
class NightConfig:
    """When the daemon sleeps on the day, in local time, and for how long at most."""

    at: str = "03:30"
    idle_minutes: int = 5
    budget_seconds: int = 1200


@dataclass(frozen=True, slots=True)
class EncryptionConfig:
    """How the store is locked: "none", "passphrase" or "keyring"."""

    mode: str = "none"


@dataclass(frozen=True, slots=True)
class Config:
    """Everything in config.toml, with its defaults."""

    user: UserConfig = field(default_factory=UserConfig)
    models: ModelsConfig = field(default_factory=ModelsConfig)
    forgetting: ForgettingConfig = field(default_factory=ForgettingConfig)
    night: NightConfig = field(default_factory=NightConfig)
    encryption: EncryptionConfig = field(default_factory=EncryptionConfig)


CHOICES: Mapping[str, tuple[str, ...]] = {
    "user.month_first": ("auto", "yes", "no"),
    "forgetting.shape": ("power", "exponential"),
    "models.cache_type": ("f16", "q8_0", "q4_0"),
    "models.tools": ("auto", "on", "off"),
    "encryption.mode": ("none", "passphrase", "keyring"),
}


RULES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "night.at": (lambda v: re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d", v) is not None, "a time such as 03:30"),
    "night.idle_minutes": (lambda v: v >= 1, "at least 1"),
    "night.budget_seconds": (lambda v: v >= 1, "at least 1"),
    "forgetting.decay": (lambda v: 0.05 <= v <= 2, "from 0.05 to 2"),
    "forgetting.prior": (lambda v: 0 <= v <= 0.15, "from 0 to 0.15; above it rare facts drown"),
    "models.context_tokens": (lambda v: v == 0 or v >= 512, "0 (chosen for this machine) or at least 512"),
    "models.threads": (lambda v: 0 <= v <= 1024, "0 (chosen for this machine) or a number of threads"),
    "models.gpu_layers": (lambda v: v >= -2, "-2 (chosen for this machine), -1 (all) or a number of layers"),
}
"""What the values must be beyond their types, and how to say it."""


def load_config(path: Path) -> Config:
    """Read config.toml; a missing file means the defaults. Raises BadRequest naming the line or key that is wrong."""
    import tomllib  # a call that the daemon answers reads no settings

    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Config()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadRequest(f"{path} cannot be read: {error}.", "Mend it with `mem config edit`.") from error
    config = Config()
    for section, values in raw.items():
        if not isinstance(values, dict):
            raise _unknown(section)
        for key, value in values.items():
            config = replaced(config, f"{section}.{key}", value)
    return config


def replaced(config: Config, key: str, value: Any) -> Config:
    """A copy with `key` ("night.at") set; text is turned into the key's type. Raises BadRequest."""
    section, _, name = key.partition(".")
    part = getattr(config, section, None) if section in Config.__dataclass_fields__ else None
    if part is None or name not in part.__dataclass_fields__:
        raise _unknown(key)
    wanted = get_type_hints(type(part))[name]
    try:
        value = _converted(value, wanted)
    except ValueError as error:
        raise BadRequest(f"{key} cannot be {value!r}.", f"It takes {_describe(wanted)}.") from error
    if key in CHOICES and value not in CHOICES[key]:
        raise BadRequest(f"{key} cannot be {value!r}.", f"It is one of: {', '.join(CHOICES[key])}.")
    allowed, words = RULES.get(key, (lambda _: True, ""))
    if not allowed(value):
        raise BadRequest(f"{key} cannot be {value!r}.", f"It is {words}.")
    return dataclasses.replace(config, **{section: dataclasses.replace(part, **{name: value})})


def flat(config: Config) -> dict[str, Any]:
    """All settings by dotted key."""
    return {f"{s}.{k}": v for s, values in dataclasses.asdict(config).items() for k, v in values.items()}


def save_setting(path: Path, key: str, value: Any) -> Config:
    """Set one key in config.toml, keeping the comments that its user wrote there. Raises BadRequest."""
    import tomlkit

    config = replaced(load_config(path), key, value)
    document = tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    section, _, name = key.partition(".")
    if section not in document:
        document[section] = tomlkit.table()
    document[section][name] = flat(config)[key]
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".toml.new")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(tomlkit.dumps(document))
    draft.replace(path)
    return config


def _converted(value: Any, wanted: Any) -> Any:
    if wanted is bool:
        words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
        if str(value).lower() not in words:
            raise ValueError(value)
        return words[str(value).lower()]
    if wanted in (int, float):
        return wanted(value)
    if wanted == tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        return tuple(str(part).strip() for part in parts if str(part).strip())
    return str(value)


def _describe(wanted: Any) -> str:
    names = {int: "a whole number", float: "a number", bool: "true or false"}
    return names.get(wanted, "a list of words")


def _unknown(key: str) -> BadRequest:
    return BadRequest(f"There is no setting {key!r}.", "See `mem config get` for all of them.")
