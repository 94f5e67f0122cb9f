"""`check` and `provision`: whether everything around the worker fits, and how it is set up."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, config_option, output_option
from consumer.cli.values import offered


@click.command(cls=OperatorCommand)
@config_option
@click.option(
    "--probe-bucket",
    default="",
    shell_complete=offered("resources"),
    metavar="BUCKET",
    help="A bucket of your account on which every read that the rules need is tried.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail the check, too.")
@output_option
def check(path: Path, probe_bucket: str, strict: bool, form: str) -> int:
    """Find out before the start what would go wrong.

    Looks at the configuration, hosts, TLS, clock, credentials, queue, dead-letter queue, topic, subscription and
    permissions, and says of each what is wrong and what to do. What cannot be looked at because of an earlier fault is
    left out, so one fault gives one message.

    It changes nothing and takes no message: whether messages may be hidden and deleted is tried on one that does not
    exist. What a rule may change cannot be tried; those actions are listed. As an init container it keeps the worker
    from starting until everything fits.

    \b
    Examples:
      config-remediator check -c config.toml
      config-remediator check -c config.toml --strict \\
        --probe-bucket my-test-bucket
      config-remediator check -c config.toml -o json \\
        | jq '.[] | select(.status == "failed")'

    Exit status: 0 all well, 1 something failed (or, with --strict, was warned of), 2 the configuration
    cannot be used.
    """
    from consumer.operator.check.run import check as carry_out

    return carry_out(path, form, probe_bucket=probe_bucket, strict=strict)


@click.command(cls=OperatorCommand)
@config_option
@click.option("--apply", is_flag=True, help="Carry the plan out. Without it, nothing is changed.")
@output_option
def provision(path: Path, apply: bool, form: str) -> int:
    """Create or adjust queues, topic and subscription.

    Shows what it would do. With --apply it does that, in order; run again, it finds nothing left to do. Attributes
    that fit already stay as they are. It never deletes anything: a subscription that leads elsewhere is named as a
    conflict and left to you. Topic and subscription are only looked at when topic.name is set.

    Letting Cloud Config deliver to the topic is the one step that remains; the last line says to which.

    \b
    Examples:
      config-remediator provision -c config.toml
      config-remediator provision -c config.toml --apply

    Exit status: 0 all is as it should be, 1 the plan has steps and --apply was not given, 2 the
    configuration or the credentials cannot be used, 3 the service refused, 4 there is a conflict.
    """
    from consumer.operator.provision import provision as carry_out

    return carry_out(path, form, apply=apply)
