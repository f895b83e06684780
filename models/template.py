"""A chat model's own template: messages in, the tokens that it was trained on out, rendered in a sandbox.

Words in a message never become control tokens, whatever they look like.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING, Any

from models.chat import Message
from models.errors import ModelError

if TYPE_CHECKING:
    from models.engine import Engine

KEPT = 1024  # texts of which the tokens are remembered: a conversation's messages come again with every turn

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@dataclass(frozen=True, slots=True)
class Prompt:
    """What the model reads. `thinking` when it ends inside an opened thought."""

    tokens: list[int]
    thinking: bool


class ChatTemplate:
    """The template of an engine's model; ChatML where it has none."""

    def __init__(self, engine: Engine) -> None:
        """Raises ModelError when the template is not valid Jinja."""
        self._engine = engine
        self._template = _compile(engine.chat_template or CHATML)
        self._names = {f"{which}_token": engine.special_text(which) for which in ("bos", "eos")}
        self._inert = lru_cache(KEPT)(self._taken_apart)
        self._tokens = lru_cache(KEPT)(lambda text: tuple(engine.tokenize(text, special=True)))
        self._mark: str | None = (
            None  # what every message begins with; "" where the text is no sum of messages
        )

    def prompt(self, messages: Sequence[Message], *, reply: bool = True, think: bool = True) -> Prompt:
        """The messages and, with `reply`, the words that open the answer. Raises ModelError.

        `think` False asks models that can do without reasoning to do without it.
        """
        inert = [Message(message.role, self._inert(message.content)) for message in messages]
        try:
            text = self._render(inert, reply, think)
        except _Failed:
            # Some templates know no system message, or want user and assistant to take turns.
            try:
                text = self._render(_folded(inert), reply, think)
            except _Failed as problem:
                raise ModelError(
                    f"The model's chat template fails: {problem}.", "Use another model."
                ) from problem
        tokens = self._tokenized(text)
        first = self._engine.begins_with_bos
        if first is not None and tokens[:1] != [first]:
            tokens.insert(0, first)
        return Prompt(tokens, text.rstrip().endswith("<think>"))

    def _render(self, messages: Sequence[Message], reply: bool, think: bool) -> str:
        from jinja2 import TemplateError

        try:
            return str(
                self._template.render(
                    messages=[{"role": message.role, "content": message.content} for message in messages],
                    add_generation_prompt=reply,
                    enable_thinking=think,
                    date_string="",  # which day it is, the messages say
                    **self._names,
                )
            )
        except (
            TemplateError,
            ArithmeticError,
            AttributeError,
            LookupError,
            RecursionError,
            TypeError,
            ValueError,
        ) as problem:
            raise _Failed(str(problem)) from problem

    def _tokenized(self, text: str) -> list[int]:
        """The tokens of a whole prompt, message by message where that comes to the same."""
        if self._mark:
            return self._by_message(text, self._mark)
        tokens = self._engine.tokenize(text, special=True)
        if self._mark is None and (used := Counter(t for t in tokens if self._engine.controls(t))):
            mark = self._engine.piece(used.most_common(1)[0][0], special=True).decode("utf-8", "replace")
            self._mark = mark if mark and self._by_message(text, mark) == tokens else ""
        return tokens

    def _by_message(self, text: str, mark: str) -> list[int]:
        head, *rest = text.split(mark)
        tokens = list(self._tokens(head)) if head else []
        for part in rest:
            tokens += self._tokens(mark + part)
        return tokens

    def _taken_apart(self, text: str) -> str:
        """The text with every control token that is written in it taken apart by a space."""
        for token in set(self._engine.tokenize(text, special=True)):
            if self._engine.controls(token):
                mark = self._engine.piece(token, special=True).decode("utf-8", "replace")
                text = text.replace(mark, f"{mark[:1]} {mark[1:]}")
        return text


class _Failed(Exception):
    """The template did not render these messages."""


def _folded(messages: Sequence[Message]) -> list[Message]:
    """The same words with the system's in the first user message, and neighbours of one role joined."""
    as_users = [
        Message("user" if message.role == "system" else message.role, message.content) for message in messages
    ]
    return [
        Message(role, "\n\n".join(message.content for message in group))
        for role, group in groupby(as_users, key=lambda message: message.role)
    ]


def _compile(source: str) -> Any:
    import jinja2.ext
    from jinja2 import TemplateError
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[jinja2.ext.loopcontrols]
    )
    environment.globals["raise_exception"] = _refuse
    environment.filters["tojson"] = json.dumps
    try:
        return environment.from_string(source)
    except (TemplateError, RecursionError) as problem:
        raise ModelError(
            f"The model's chat template is broken: {problem}.", "Use another model."
        ) from problem


def _refuse(reason: str) -> None:
    raise _Failed(reason)
