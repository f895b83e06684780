"""Models and health to look at: which models there are, which run, what is missing, whether the store is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.doctor import Check, machine_checks, store_checks
from app.home import Overview, overview
from app.setup import Choice, choices
from models.machine import resident

if TYPE_CHECKING:
    from app.memory import Memory


@dataclass(frozen=True, slots=True)
class Health:
    """The home at a glance, every model that can be chosen, and the bytes of memory that this process holds."""

    overview: Overview
    models: tuple[Choice, ...]
    resident: int


def health(memory: Memory) -> Health:
    """What is here and what runs; quick."""
    return Health(overview(memory.home, memory), tuple(choices(memory.home, memory.config)), resident())


def checks(memory: Memory) -> list[Check]:
    """Every check of the machine and the store; takes seconds on a large one."""
    return machine_checks(memory.home) + store_checks(memory)
