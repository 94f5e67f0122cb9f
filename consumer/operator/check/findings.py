"""What a check found out: one record each, with what to do about it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from consumer.resources.base import ResourceKind


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    """It works, and there is a reason to change it."""
    FAILED = "failed"
    SKIPPED = "skipped"
    """It could not be looked at, because something it needs is missing."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """One thing that was looked at."""

    check: str
    """What was looked at, in a word or two."""
    status: Status
    message: str
    remedy: str = ""
    """What to do; empty where nothing is to be done."""

    def document(self) -> dict[str, Any]:
        """For scripts."""
        return {"check": self.check, "status": self.status.value, "message": self.message, "remedy": self.remedy}


def ok(check: str, message: str) -> CheckResult:
    """It is as it should be."""
    return CheckResult(check, Status.OK, message)


def warning(check: str, message: str, remedy: str) -> CheckResult:
    """It works, and there is a reason to change it."""
    return CheckResult(check, Status.WARNING, message, remedy)


def failed(check: str, message: str, remedy: str) -> CheckResult:
    """It does not work, and has to be fixed."""
    return CheckResult(check, Status.FAILED, message, remedy)


def skipped(check: str, message: str, remedy: str = "") -> CheckResult:
    """It was not looked at."""
    return CheckResult(check, Status.SKIPPED, message, remedy)


def service_of(kind: ResourceKind) -> str:
    """The service that a kind of resource belongs to, as RAM spells it; checks of it bear that name."""
    return kind.look_actions[0].partition(":")[0]
