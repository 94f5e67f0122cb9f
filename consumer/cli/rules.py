"""`rules` and `ram-policy`: what can be repaired, and what that takes."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, config_option, optional_config_option, output_option
from consumer.cli.values import offered

PURPOSES = ("run", "check", "provision", "peek", "catch-up", "dlq", "undo", "repair", "explain", "prove")
"""What a policy can be for; the words of `consumer.operator.permissions.Purpose`."""


@click.command(cls=OperatorCommand)
@click.argument("name", required=False, metavar="[REMEDIATION]", shell_complete=offered("repairs"))
@optional_config_option
@output_option
def rules(name: str | None, path: Path | None, form: str) -> int:
    """List every repair, how to undo it and what may break.

    With REMEDIATION, everything about that one: the managed rules it makes compliant, its options and the RAM actions
    it needs. With --config, also which configured rules use it and in which mode.

    \b
    Examples:
      config-remediator rules
      config-remediator rules oss.bucket-acl
      config-remediator rules -c config.toml -o json

    Exit status: 0 listed, 2 there is no such remediation or the configuration cannot be used.
    """
    from consumer.operator import rules as carry_out

    return carry_out.show(name, path, form)


@click.command("ram-policy", cls=OperatorCommand)
@config_option
@click.option(
    "--for",
    "purposes",
    type=click.Choice([*PURPOSES, "all"]),
    multiple=True,
    default=("run",),
    show_default=True,
    help="Which command the policy is for; may be given several times.",
)
@click.option(
    "--bucket",
    "buckets",
    multiple=True,
    metavar="PATTERN",
    help="Bucket that may be touched, * allowed; may be given several times. Without it: those of the rules.",
)
@click.option(
    "--account",
    "member",
    default="",
    metavar="ID",
    shell_complete=offered("members"),
    help="The policy of the role in this member account of accounts.allowed, instead of the worker's own.",
)
@click.option(
    "--required-only",
    is_flag=True,
    help="Leave out actions without which the worker still works: it only exports less, and no length of its queue.",
)
def ram_policy(
    path: Path, purposes: tuple[str, ...], buckets: tuple[str, ...], member: str, required_only: bool
) -> int:
    """Print the least RAM policy for the configured rules.

    The policy names exactly the actions that the enabled rules and the chosen commands call, on the configured queues
    and on resources of account_id, for the worker only on those that rules.resources and rules.regions leave, or on the
    buckets given. A rule in mode observe gets no action that changes anything, so a policy made for it
    cannot either: print it anew before you switch a rule to enforce.

    The document goes to standard output and can be given to `aliyun ram CreatePolicy` as it is.

    \b
    Examples:
      config-remediator ram-policy -c config.toml
      config-remediator ram-policy -c config.toml --bucket 'prod-*'
      config-remediator ram-policy -c config.toml --for provision
      config-remediator ram-policy -c config.toml --account 9876543210987654

    Exit status: 0 printed, 2 the configuration cannot be used.
    """
    from consumer.operator import ram_policy as carry_out_policy

    return carry_out_policy.show(path, purposes, buckets, member=member, required_only=required_only)
