"""Says that a run has ended: to the worker, whose metrics survive the job, and in one line of the log."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from itertools import islice

from consumer.core.errors import ServiceError
from consumer.operator.catch_up.plan import recent
from consumer.operator.catch_up.sending import EventSender
from consumer.operator.catch_up.view import Run
from consumer.reevaluation.catch_up import Finished, finished_body
from consumer.telemetry import log

LOGGER = "consumer.catch_up"
_MOST_REASONS = 20
"""In one line of the log; the table and the document have all of them."""


@dataclass(frozen=True, slots=True)
class Reported:
    """Whether a run was reported to the worker."""

    sent: bool = False
    """That is only done for a run that left nothing out on purpose."""
    problem: str = ""


def report(sender: EventSender, run: Run, min_age_seconds: float) -> Reported:
    """Send the message by which the worker's metrics know of the run, whole or not."""
    finished = Finished(
        time.time_ns() // 1_000_000,
        len(run.planned),
        run.sent,
        run.whole,
        run.listing.gaps.rules,
        recent(run.planned, min_age_seconds, run.now_ms),
    )
    try:
        sender.one(finished_body(finished))
    except ServiceError as error:
        return Reported(problem=f"The worker's metrics do not know of this run: {error}")
    return Reported(sent=True)


def write_line(log_format: str, run: Run, reported: Reported) -> None:
    """The canonical line of a run: its figures, and why it is not whole."""
    reasons = [*run.reasons(), *([reported.problem] if reported.problem else [])]
    log.configure(log_format, "info", sys.stderr)
    write = log.get_logger(LOGGER).warning if reasons else log.get_logger(LOGGER).info
    write(
        "catch_up.finished",
        **run.facts(),
        reported=reported.sent,
        incomplete=reasons[:_MOST_REASONS],
        unmatched=[str(each) for each in islice(run.listing.gaps.entries, _MOST_REASONS)],
    )
