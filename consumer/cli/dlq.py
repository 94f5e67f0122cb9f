"""`dlq`: what was set aside because it could not succeed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from consumer.cli.help import OperatorGroup
from consumer.cli.options import OperatorCommand, config_option, output_option
from consumer.cli.times import seconds
from consumer.cli.values import offered

if TYPE_CHECKING:
    from consumer.operator.dlq.run import LetterOptions

_F = TypeVar("_F", bound=Callable[..., Any])
_LONGEST_WAIT_SECONDS = 3_600


def _filters(command: _F) -> _F:
    """Which letters are chosen."""
    options = (
        click.option(
            "--id",
            "ids",
            multiple=True,
            shell_complete=offered("letters"),
            help="A letter's id, or its end as shown; several times.",
        ),
        click.option(
            "--rule",
            "rules",
            multiple=True,
            shell_complete=offered("rules"),
            help="Letters of this rule; several times.",
        ),
        click.option("--reason", "reasons", multiple=True, help="Letters with this reason; several times."),
        click.option(
            "--outcome",
            "outcomes",
            multiple=True,
            type=click.Choice(["rejected", "invalid", "exhausted"]),
            help="How they ended; several times.",
        ),
        click.option(
            "--older-than", callback=seconds, metavar="SPAN", help="Letters set aside longer ago: 90s, 15m, 2h, 3d."
        ),
        click.option("--newer-than", callback=seconds, metavar="SPAN", help="Letters set aside since then."),
        click.option("--limit", type=click.IntRange(min=1), help="At most this many letters; its copies count once."),
    )
    for option in reversed(options):
        command = option(command)
    return command


_rate = click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="At most this many letters a second.")
_dry_run = click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing.")


@click.group(cls=OperatorGroup, invoke_without_command=True, short_help="List, show, redrive and drop dead letters.")
@click.pass_context
def dlq(ctx: click.Context) -> None:
    """List, show, redrive and drop dead letters; without a command, list them.

    A peek shows 16 messages at most. A command that needs all of them receives each one for a
    moment and releases it a second later: its dequeue count rises by one, and a policy of MNS itself that moves
    messages after so many receives counts that, too.
    """
    if ctx.invoked_subcommand is None:
        with list_letters.make_context("list", [], parent=ctx) as listing:
            list_letters.invoke(listing)


@dlq.command("list", cls=OperatorCommand)
@config_option
@_filters
@click.option("--all", "sweep", is_flag=True, help="All letters, each received and released; else the next 16.")
@output_option
def list_letters(path: Path, form: str, sweep: bool, **chosen: Any) -> int:
    """List dead letters with rule, reason and resource.

    Without --all only the next 16 are looked at, by a peek that leaves no trace.

    \b
    Examples:
      config-remediator dlq list -c config.toml
      config-remediator dlq list -c config.toml --all \\
        --reason AccessDenied --newer-than 2h

    Exit status: 0 listed, 2 the configuration or the credentials cannot be used, 3 the queue cannot be read.
    """
    from consumer.operator.dlq import run as carry_out

    return carry_out.list_letters(path, form, _choice(**chosen), sweep=sweep)


@dlq.command(cls=OperatorCommand)
@click.argument("message_id", metavar="ID", shell_complete=offered("letters"))
@config_option
@output_option
def show(message_id: str, path: Path, form: str) -> int:
    """Show one dead letter with the event in it and its original body.

    Times are in UTC, with how long ago they were. A body that is no event is shown with what is wrong with it.

    ID is a letter's id, or its end as the list shows it. If it is not among the next 16, all are received for a moment
    and released.

    \b
    Example:
      config-remediator dlq show 3DAEE510CF72 -c config.toml

    Exit status: 0 shown, 2 there is no such letter or the configuration cannot be used, 3 the queue cannot be read.
    """
    from consumer.operator.dlq import run as carry_out

    return carry_out.show(path, form, message_id)


@dlq.command(cls=OperatorCommand)
@config_option
@_filters
@_rate
@_dry_run
@click.option("--foreign", is_flag=True, help="Also letters that this worker did not write: their body as it is.")
@click.option(
    "--wait", callback=seconds, metavar="SPAN", help="Then wait this long, 1h at most, and show how each one ended."
)
@output_option
def redrive(
    path: Path, form: str, foreign: bool, rate: float | None, dry_run: bool, wait: float | None, **chosen: Any
) -> int:
    """Send dead letters back to be tried again.

    The original body goes to the worker's queue; once the service has confirmed exactly that body, the letter is
    deleted. If that fails, the letter stays, too, and is reported: redriven once more it does no harm, because the
    worker looks at the live resource before it acts. Remove the cause first, for the attempts start anew.

    The whole queue is looked through first, and only what was there then is redriven: a letter that a running worker
    sends back meanwhile is a new one. Letters that are not chosen are released.

    With --wait it also says what became of each message: whether it has come back as a new letter, and, where the
    journal of the worker can be read here, how it was settled. The worker's queue is not looked into, because that
    would take messages from the worker; so a message of which nothing is seen may be waiting, or settled.

    \b
    Examples:
      config-remediator dlq redrive -c config.toml --reason AccessDenied --dry-run
      config-remediator dlq redrive -c config.toml --rule public-read --wait 30s
      config-remediator dlq redrive -c config.toml \\
        --rule public-read --limit 10 --rate 2

    Exit status: 0 all of them are redriven (or a dry run), 2 the configuration or the credentials cannot be used,
    3 the queue cannot be read or does not take some of it, 4 some were left, each with its reason.
    """
    from consumer.operator.dlq import run as carry_out

    if wait is not None and wait > _LONGEST_WAIT_SECONDS:
        raise click.BadParameter("no longer than an hour: 1h", param_hint="--wait")
    choice = _choice(rate=rate, dry_run=dry_run, **chosen)
    return carry_out.redrive(path, form, choice, foreign=foreign, wait_seconds=wait or 0.0)


@dlq.command(cls=OperatorCommand)
@config_option
@_filters
@_rate
@_dry_run
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@output_option
def drop(path: Path, form: str, yes: bool, rate: float | None, dry_run: bool, **chosen: Any) -> int:
    """Delete dead letters for good.

    Shows which are chosen and asks first, unless --yes is given. What arrives after that first look is never
    deleted, not even with --yes.

    \b
    Examples:
      config-remediator dlq drop -c config.toml --outcome invalid --older-than 7d
      config-remediator dlq drop -c config.toml --id 3DAEE510CF72 --yes

    Exit status: 0 all of them are dropped (or a dry run), 2 the configuration or the credentials cannot be used,
    3 the queue cannot be read or does not delete some of it, 4 the question was declined or there was nobody to ask,
    or some were left, each with its reason.
    """
    from consumer.operator.dlq import run as carry_out

    return carry_out.drop(path, form, _choice(rate=rate, dry_run=dry_run, **chosen), yes=yes)


def _choice(
    *,
    limit: int | None,
    rate: float | None = None,
    dry_run: bool = False,
    older_than: float | None,
    newer_than: float | None,
    **named: tuple[str, ...],
) -> LetterOptions:
    from consumer.operator.dlq.letters import LetterFilter
    from consumer.operator.dlq.run import LetterOptions

    sets = {name: frozenset(values) for name, values in named.items()}
    chosen = LetterFilter(older_than_seconds=older_than, newer_than_seconds=newer_than, **sets)
    return LetterOptions(chosen, limit=limit, rate=rate, dry_run=dry_run)
