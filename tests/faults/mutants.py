"""Seeded mutants: what a careless change to the worker would look like. Each must be caught by its scenario.

A mutant is a worker process in which one object was put in the place of another before it starts: a method, a function,
a default. No text is looked for, so that a refactoring which keeps a name keeps the mutant; where the name is gone, the
process ends before it has begun, which `tests.faults.test_mutants` takes for an error and not for a catch.

    python -m tests.faults.mutants skip_the_read_back run --config …
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consumer.core.outcome import Disposition, Ending, Outcome
from consumer.core.parked import NOTHING
from tests.faults import scenarios
from tests.faults.scenarios import Scenario

Change = Callable[[], None]
"""Puts one object in the place of another, in this process."""


def substitute(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put what `make` makes of the present attribute in its place.

    Raises:
        AttributeError: there is none.
    """
    setattr(owner, name, make(getattr(owner, name)))


def delete_before_verify() -> None:
    """The repair is handed to another thread, and the message is deleted."""
    from consumer.engine.pipeline import Pipeline

    def handed_off(original: Any) -> Any:
        def repair(*arguments: Any) -> Ending:
            threading.Timer(1.0, original, arguments).start()
            return Ending(Outcome.FIXED, "handed_off")

        return repair

    substitute(Pipeline, "_repair", handed_off)


def skip_the_read_back() -> None:
    """What was accepted counts as done."""
    from consumer.engine.change import ChangeMaker

    def verify(_self: Any, work: Any) -> Ending:
        return Ending(Outcome.FIXED, before=work.change.before, after=work.change.after)

    substitute(ChangeMaker, "_verify", lambda _: verify)


def drop_a_hide() -> None:
    """What should be hidden is said to be."""
    from consumer.engine.settle_queue import Action
    from consumer.engine.settler import Hider

    def settle(self: Any, deliveries: Sequence[Any]) -> None:
        for delivery in deliveries:
            self._settlements.done(delivery, Action.HIDE)

    substitute(Hider, "settle", lambda _: settle)


def swallow_a_partial_failure() -> None:
    """Whatever was not deleted counts as deleted."""
    from consumer.engine.settler import Deleter

    def swallowing(original: Any) -> Any:
        def delete(self: Any, handles: Sequence[str]) -> dict[str, Any]:
            original(self, handles)
            return {}

        return delete

    substitute(Deleter, "_delete", swallowing)


def keep_the_stale_receipt_handle() -> None:
    """A renewal moves the end of the lease, and the handle stays the old one."""
    from consumer.engine.lease import Lease

    def stale(original: Any) -> Any:
        return lambda self, _handle, expires_at: original(self, self.receipt_handle, expires_at)

    substitute(Lease, "renewed", stale)


def stop_renewing_at_soft_stop() -> None:
    """Leases end with the polls."""
    from consumer.engine.supervisor import Supervisor

    def hasty(original: Any) -> Any:
        def drain(self: Any, grace_seconds: float) -> bool:
            self._engine.shared.keeper.close()
            return bool(original(self, grace_seconds))

        return drain

    substitute(Supervisor, "_drain", hasty)


def ignore_the_lease() -> None:
    """A change is made whoever has the message by now."""
    from consumer.engine.change import ChangeMaker

    substitute(ChangeMaker, "_ours", lambda _: lambda _self, _work: True)


def dead_letter_after_a_fix() -> None:
    """A repair that was read back ends as rejected."""
    from consumer.engine import change

    substitute(change, "_fixed", lambda original: lambda *found: _rejected(original(*found)))


def dead_letter_passing_failures() -> None:
    """What the service refuses for now ends as rejected."""
    from consumer.engine import change, pipeline

    def final(original: Any) -> Any:
        def ended_by(*found: Any) -> Ending:
            ending: Ending = original(*found)
            return _rejected(ending) if ending.outcome is Outcome.FAILED else ending

        return ended_by

    for module in (change, pipeline):
        substitute(module, "ended_by", final)


def delete_before_the_copy() -> None:
    """What has to wait is deleted, and then sent again."""
    from consumer.engine.sender import Parker

    def hasty(original: Any) -> Any:
        def send(self: Any, delivery: Any) -> str:
            with delivery.lease.exclusively() as handle:
                self._queue.delete([handle])
            return str(original(self, delivery))

        return send

    substitute(Parker, "send", hasty)


def park_with_another_body() -> None:
    """The body is taken for text that may be written anew."""
    from consumer.engine.sender import Parker

    def another(original: Any) -> Any:
        def send(self: Any, delivery: Any) -> str:
            delivery.message = replace(delivery.message, body=f"{delivery.message.body}\n")
            return str(original(self, delivery))

        return send

    substitute(Parker, "send", another)


def delete_although_the_copy_was_refused() -> None:
    """A copy that the service did not take counts as taken."""
    from consumer.core.errors import ServiceError
    from consumer.engine.sender import Parker

    def hopeful(original: Any) -> Any:
        def send(self: Any, delivery: Any) -> str:
            try:
                return str(original(self, delivery))
            except ServiceError:
                return "as good as sent"

        return send

    substitute(Parker, "send", hopeful)


def forget_the_history() -> None:
    """Every copy is the first of its kind."""
    from consumer.engine import parked_copy

    def forgetful(original: Any) -> Any:
        return lambda message, ending, attempts: original(replace(message, carried=NOTHING), ending, attempts)

    substitute(parked_copy, "history", forgetful)


def park_for_longer_than_the_queue_keeps() -> None:
    """The longest delay that the service takes, whatever the retention."""
    from consumer.core.queue_limits import MAX_DELAY_SECONDS
    from consumer.engine.sender import Parker

    def late(original: Any) -> Any:
        def send(self: Any, delivery: Any) -> str:
            delivery.parked_copy = replace(delivery.parked_copy, delay_seconds=MAX_DELAY_SECONDS)
            return str(original(self, delivery))

        return send

    substitute(Parker, "send", late)


def forget_a_settlement() -> None:
    """Deletions are not counted, so that the books cannot balance."""
    from consumer.engine.in_flight import InFlight

    def forgetful(original: Any) -> Any:
        def settle(self: Any, disposition: Disposition) -> None:
            before = self._settled[Disposition.DELETED]
            original(self, disposition)
            self._settled[Disposition.DELETED] = before

        return settle

    substitute(InFlight, "settle", forgetful)


def count_undeleted_for_four_seconds() -> None:
    """The service's window is half an hour; no fault, but what a test can wait for."""
    from consumer.engine import undeleted_limit

    substitute(undeleted_limit, "WINDOW_SECONDS", lambda _: 4.0)


def park_again_soon() -> None:
    """What interrupts parking does so for half a minute and more; no fault, but what a campaign has no time for."""
    from consumer.engine import parking

    substitute(parking, "FIRST_PAUSE_SECONDS", lambda _: 0.5)
    substitute(parking, "LONGEST_PAUSE_SECONDS", lambda _: 2.0)


def _rejected(ending: Ending) -> Ending:
    return replace(ending, outcome=Outcome.REJECTED, reason="nothing_to_do")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault in the worker."""

    change: Change
    scenario: Scenario
    """Where it must show."""
    shows: str = ""
    """Words that one of the problems has then; a mutant is not to be caught for something else."""

    @property
    def name(self) -> str:
        """As on the command line."""
        return self.change.__name__


MUTANTS = (
    Mutant(delete_before_verify, scenarios.one_repair),
    Mutant(skip_the_read_back, scenarios.one_repair),
    Mutant(drop_a_hide, scenarios.stop_with_a_full_hand),
    Mutant(swallow_a_partial_failure, scenarios.receipt_taken_over),
    Mutant(keep_the_stale_receipt_handle, scenarios.repair_longer_than_a_lease),
    Mutant(stop_renewing_at_soft_stop, scenarios.stop_during_a_long_repair),
    Mutant(ignore_the_lease, scenarios.frozen_beyond_a_lease),
    Mutant(dead_letter_after_a_fix, scenarios.one_repair),
    Mutant(dead_letter_passing_failures, scenarios.passing_failure),
    Mutant(delete_before_the_copy, scenarios.parked_until_it_works, "complied at no moment"),
    Mutant(park_with_another_body, scenarios.parked_until_it_works, "no copy of a message"),
    Mutant(delete_although_the_copy_was_refused, scenarios.copy_refused, "complied at no moment"),
    Mutant(forget_the_history, scenarios.parked_until_it_works, "no copy of a message"),
    Mutant(park_for_longer_than_the_queue_keeps, scenarios.parked_until_it_works, "retention does not outlast"),
)

CHANGES: dict[str, Change] = {
    change.__name__: change
    for change in (
        *(mutant.change for mutant in MUTANTS),
        forget_a_settlement,
        count_undeleted_for_four_seconds,
        park_again_soon,
    )
}
"""Everything that a process may be started with."""


def module(change: Change) -> tuple[str, ...]:
    """How a worker with this change is started, in the place of `-m consumer`."""
    return ("-m", "tests.faults.mutants", change.__name__)


def main() -> None:
    """Make the change that is named first, and go on as the worker with the rest of the command line."""
    from consumer.cli.main import main as worker

    CHANGES[sys.argv.pop(1)]()
    worker()


if __name__ == "__main__":
    main()
