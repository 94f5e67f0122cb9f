"""`catch-up`: what the evaluator lists and no event came for."""

from __future__ import annotations

import math
from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, config_option, output_option
from consumer.cli.times import seconds
from consumer.cli.values import offered

_SHORTEST_SECONDS = 60.0
"""Between two runs that begin by themselves: a list is no queue to poll."""


def _number(_context: click.Context, _parameter: click.Parameter, rate: float) -> float:
    """A rate that is one: nan passes every comparison with a bound."""
    if math.isnan(rate):
        raise click.BadParameter("nan is not a number of events a second")
    return rate


@click.command("catch-up", cls=OperatorCommand, short_help="Find non-compliant resources for which no event came.")
@config_option
@click.option("--apply", is_flag=True, help="Send an event to the worker's queue for each; without it, only show them.")
@click.option("--request-evaluation", is_flag=True, help="Request a new evaluation of the rules instead.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    shell_complete=offered("rules"),
    help="Only what this configured rule takes; several times.",
)
@click.option("--region", "regions", multiple=True, help="Only resources in this region; several times.")
@click.option("--account", "accounts", multiple=True, help="Only resources of this account; several times.")
@click.option("--limit", type=click.IntRange(min=1), help="At most this many events, the longest-standing first.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0.001, max=1000),
    callback=_number,
    default=10.0,
    show_default=True,
    help="At most this many events a second.",
)
@click.option(
    "--include-observing",
    is_flag=True,
    help="Also for rules that observe and keep what they report; each event is one more message that is kept.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File that remembers what was sent. Without it: catch_up.state, the store of [shared], or a file of your own.",
)
@click.option(
    "--journal",
    "journals",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A worker's journal, which knows what is parked; once for each replica. Without it: journal.path.",
)
@click.option(
    "--every",
    callback=seconds,
    metavar="SPAN",
    help="With --apply: run again and again, this long after each end (15m, 6h), where nothing else starts jobs.",
)
@output_option
def catch_up(
    path: Path,
    form: str,
    apply: bool,
    request_evaluation: bool,
    rules: tuple[str, ...],
    regions: tuple[str, ...],
    accounts: tuple[str, ...],
    limit: int | None,
    rate: float,
    include_observing: bool,
    state: Path | None,
    journals: tuple[Path, ...],
    every: float | None,
) -> int:
    """Find resources that Cloud Config lists as non-compliant and for which no event came.

    Notifications can be lost on their way, resources were non-compliant before the subscription existed, and what stays
    non-compliant is not notified again. So the evaluator's own list is read for every resource that is non-compliant
    now under the rules of this configuration, and each is shown with its age, with the mode of its rule, and with what
    can be seen of an event for it. --apply sends an event in the evaluator's own form to the worker's queue, so that
    every guard and limit of the worker holds for it as for any other. Nothing is changed here.

    Whether an event is on its way cannot be known whole: a queue shows 16 visible messages, and none that is parked,
    hidden or in work. What a worker has parked or hidden stands in its journal: journal.path, where this machine can
    read that, or --journal. Any other event is called unknown, and a second one for it costs the worker one look. What
    a run itself has sent is remembered, and is not sent again within catch_up.resend_after_seconds, also after an
    interruption.

    \b
    Examples:
      config-remediator catch-up -c config.toml
      config-remediator catch-up -c config.toml --apply --limit 100 --rate 2
      config-remediator catch-up -c config.toml --apply --state other.state
      config-remediator catch-up -c config.toml --request-evaluation
    \b
    Exit status: 0 listed, or all that were chosen are sent, 2 the configuration,
    the credentials or the state file cannot be used, 3 the list is not complete,
    because Cloud Config did not answer for all of it or has nothing that a rule
    takes, or the run could not be reported, 4 some events were not sent, or
    one that was cannot be remembered, each with its reason, 130 or 143 stopped by SIGINT or SIGTERM.
    """
    from consumer.operator.catch_up import run as carry_out
    from consumer.operator.catch_up.plan import PlanOptions

    if request_evaluation and apply:
        raise click.UsageError("--apply and --request-evaluation are two ways to the same end: give one of them")
    if request_evaluation and (regions or accounts or limit):
        raise click.UsageError("--request-evaluation is about whole rules: no --region, --account or --limit")
    choice = PlanOptions(
        frozenset(rules), frozenset(regions), frozenset(accounts), limit, include_observing=include_observing
    )
    wanted = carry_out.CatchUpOptions(choice, apply=apply, rate=rate, state=state, journals=journals)
    if every is not None:
        if not apply:
            raise click.UsageError("--every goes with --apply: a repeated look without it would be seen by nobody")
        if every < _SHORTEST_SECONDS:
            raise click.UsageError("--every takes a minute at least, such as 15m or 6h")
        return carry_out.again_and_again(path, wanted, every)
    return (carry_out.request_evaluation if request_evaluation else carry_out.catch_up)(path, form, wanted)
