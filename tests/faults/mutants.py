"""Seeded mutants: what a careless change to the worker would look like. Each must be caught by its scenario.

A mutant is one replacement of text in a copy of the worker's code. Where the text is no longer there exactly once,
applying it fails, so that no refactoring can disarm a mutant silently: write it anew for the new code.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from tests.faults import scenarios
from tests.faults.replica import REPOSITORY
from tests.faults.scenarios import Scenario


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault in the worker's code."""

    name: str
    file: str
    old: str
    new: str
    scenario: Scenario
    """Where it must show."""

    def apply(self, folder: Path) -> Path:
        """A copy of the worker with this fault; returns the directory to run it from.

        Raises:
            ValueError: the text to replace is not there exactly once.
        """
        shutil.copytree(REPOSITORY / "consumer", folder / "consumer", ignore=shutil.ignore_patterns("__pycache__"))
        path = folder / "consumer" / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise ValueError(f"{self.name}: {self.file} holds the text to replace {text.count(self.old)} times")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")
        return folder


MUTANTS = (
    Mutant(
        "delete before verify",
        "engine/pipeline.py",
        "            ending = self._repair(delivery, rule, resource, target, until)\n",
        "            import threading\n"
        "            again = self._open_target(resource, lambda: until)\n"
        "            threading.Timer(1.0, lambda: self._repair(delivery, rule, resource, again, until)).start()\n"
        '            ending = Ending(Outcome.FIXED, "handed_off")\n',
        scenarios.one_repair,
    ),
    Mutant(
        "skip the read-back",
        "engine/change.py",
        "return self._verify(work)",
        "return Ending(Outcome.FIXED, before=work.change.before, after=work.change.after)",
        scenarios.one_repair,
    ),
    Mutant(
        "drop a hide",
        "engine/settler.py",
        "self._queue.hide(handle, delivery.hide_seconds)",
        "pass",
        scenarios.stop_with_a_full_hand,
    ),
    Mutant(
        "swallow a partial failure",
        "engine/settler.py",
        "if error := failures.get(handle):",
        "if error := None:",
        scenarios.receipt_taken_over,
    ),
    Mutant(
        "keep the stale receipt handle",
        "engine/lease.py",
        "        self._receipt_handle = receipt_handle\n        self._expires_at = expires_at",
        "        self._expires_at = expires_at",
        scenarios.repair_longer_than_a_lease,
    ),
    Mutant(
        "stop renewing at soft stop",
        "engine/supervisor.py",
        "shared.stopping.set()",
        "shared.stopping.set()\n        shared.keeper.close()",
        scenarios.stop_during_a_long_repair,
    ),
    Mutant(
        "ignore the lease",
        "engine/change.py",
        "return work.delivery.lease.held(self._monotonic())",
        "return True",
        scenarios.frozen_beyond_a_lease,
    ),
    Mutant(
        "dead-letter after a fix",
        "engine/change.py",
        "return Ending(Outcome.FIXED, reason, detail, before=change.before, after=state)",
        'return Ending(Outcome.REJECTED, "nothing_to_do", detail, before=change.before, after=state)',
        scenarios.one_repair,
    ),
    Mutant(
        "dead-letter passing failures",
        "engine/endings.py",
        "return Ending(Outcome.FAILED, error.code, str(error), error_class=name, resource_alone=alone)",
        "return Ending(Outcome.REJECTED, error.code, str(error), error_class=name, resource_alone=alone)",
        scenarios.passing_failure,
    ),
)
