"""What guards remember of earlier changes: in this process alone, or in a store that all replicas share."""

from __future__ import annotations

from dataclasses import dataclass, field

from consumer.guards.breaker import BreakerPolicy, Breakers, LocalBreakers
from consumer.guards.contest import Contest, ContestPolicy, LocalContest
from consumer.guards.limits import Limits, LocalLimits


@dataclass(frozen=True, slots=True)
class GuardMemory:
    """One for the process. Without anything given it is this process's own, empty and without a limit."""

    limits: Limits = field(default_factory=LocalLimits)
    """Recent changes, and how many may be made."""
    breakers: Breakers = field(default_factory=lambda: LocalBreakers(BreakerPolicy()))
    """How each rule's changes ended."""
    contest: Contest = field(default_factory=lambda: LocalContest(ContestPolicy()))
    """What was fixed and broken again."""
