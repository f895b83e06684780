"""The guard: secrets, hostile text, and who is believed. Code decides here; no model is asked."""

from app.guard.admit import checked_record
from app.guard.hostile import inert, looks_like_instruction
from app.guard.secrets import Secret, find_secrets, redact
from app.guard.trust import is_binding, may_influence

__all__ = [
    "Secret",
    "checked_record",
    "find_secrets",
    "inert",
    "is_binding",
    "looks_like_instruction",
    "may_influence",
    "redact",
]
