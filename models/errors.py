"""What can go wrong with models. Each error says what is wrong and, in `hint`, what to do."""

from __future__ import annotations


class ModelError(Exception):
    """Base of all model errors; `hint` is one line that says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class ModelMissing(ModelError):
    """The model's file is not on this machine."""


class EngineMissing(ModelMissing):
    """The library that runs this kind of model is not installed."""


class ModelDamaged(ModelError):
    """The model's file is not what its catalog entry or its format says."""


class DownloadFailed(ModelError):
    """No source delivered the file."""


class DiskFull(DownloadFailed):
    """The models folder's disk has no room for the file."""


class PromptTooLong(ModelError):
    """The prompt leaves no room for a reply. `over` is by how many tokens."""

    def __init__(self, prompt_tokens: int, context_tokens: int) -> None:
        self.over = prompt_tokens + 1 - context_tokens
        super().__init__(
            f"The prompt has {prompt_tokens:,} tokens: {self.over:,} more than the context of "
            f"{context_tokens:,} allows.",
            "Shorten it, or raise models.context_tokens.",
        )
