"""What each guard decided about one delivery, as far as its ending shows. Pure.

Guards decide in a fixed order, and the first that objects ends it: those before it let the change pass, and those
after it were not reached. `consumer.guards.chain` is the order itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from consumer.core.outcome import Outcome
from consumer.guards.chain import JOURNAL_UNWRITABLE, OUTSIDE_WINDOW


class GuardVerdict(StrEnum):
    """What a guard decided."""

    PASSED = "let it pass"
    OBJECTED = "objected"
    NOT_REACHED = "not reached"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class GuardCheck:
    """One guard and its answer."""

    guard: str
    answer: GuardVerdict
    because: str = ""


REASONS: tuple[tuple[str, frozenset[str]], ...] = (
    ("exemptions", frozenset({"exemption", "tags_unreadable"})),
    ("mode", frozenset({"observe_mode"})),
    ("pause", frozenset({"paused"})),
    ("windows", frozenset({OUTSIDE_WINDOW})),
    ("contest", frozenset({"contested"})),
    ("confirmation", frozenset({"unconfirmed"})),
    ("breaker", frozenset({"breaker_open"})),
    ("limits", frozenset({"over_limit"})),
    ("journal", frozenset({JOURNAL_UNWRITABLE})),
)
"""The guards in their order, with the reasons by which each objects."""

_SHARED = "shared_unreachable"
_FIRST_SHARED = "contest"
"""From this one on, guards may be shared; which of them could not be reached is not on record."""
_BEFORE_THE_GUARDS = frozenset({Outcome.NOT_OURS, Outcome.INVALID, Outcome.SUPERSEDED, Outcome.LEASE_LOST})


def guard_checks(outcome: str, reason: str, detail: str, *, began: bool) -> tuple[GuardCheck, ...]:
    """Every guard with its answer; `began` says that the change was begun, so that all of them let it pass."""
    names = [name for name, _ in REASONS]
    if reason == _SHARED:
        at = names.index(_FIRST_SHARED)
        passed = [GuardCheck(name, GuardVerdict.PASSED) for name in names[:at]]
        return (*passed, *(GuardCheck(name, GuardVerdict.UNKNOWN, detail) for name in names[at:]))
    objecting = next((name for name, reasons in REASONS if reason in reasons), "")
    if objecting:
        at = names.index(objecting)
        passed = [GuardCheck(name, GuardVerdict.PASSED) for name in names[:at]]
        later = [GuardCheck(name, GuardVerdict.NOT_REACHED) for name in names[at + 1 :]]
        return (*passed, GuardCheck(objecting, GuardVerdict.OBJECTED, detail), *later)
    if began or outcome == Outcome.FIXED:
        return tuple(GuardCheck(name, GuardVerdict.PASSED) for name in names)
    because = _no_change(outcome)
    return tuple(GuardCheck(name, GuardVerdict.NOT_REACHED, because) for name in names)


def _no_change(outcome: str) -> str:
    if outcome in _BEFORE_THE_GUARDS:
        return "it ended before any guard"
    if outcome in (Outcome.FAILED, Outcome.REJECTED, Outcome.EXHAUSTED):
        return "it failed before a change was about to be made"
    if outcome == Outcome.HELD:
        return "it was held before it was known what to change"
    return "there was no change to make"
