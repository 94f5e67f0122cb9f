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
@click.option("--prove", is_flag=True, help="Show the whole way instead, on the bucket in canary.bucket.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    metavar="NAME",
    shell_complete=offered("rules"),
    help="With --prove: only this rule; may be given several times. Without it: every rule that can be proved.",
)
@click.option("--url", default="", help="With --prove: the worker's HTTP server; else http.host and http.port.")
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="With --prove: the worker's journal, instead of journal.path.",
)
@output_option
def check(
    path: Path,
    probe_bucket: str,
    strict: bool,
    prove: bool,
    rules: tuple[str, ...],
    url: str,
    journal: Path | None,
    form: str,
) -> int:
    """Find out before the start what would go wrong.

    Looks at the configuration, hosts, TLS, clock, credentials, queue, dead-letter queue, topic, subscription and
    permissions, and says of each what is wrong and what to do. What cannot be looked at because of an earlier fault is
    left out, so one fault gives one message.

    It changes nothing and takes no message: whether messages may be hidden and deleted is tried on one that does not
    exist. What a rule may change cannot be tried; those actions are listed. As an init container it keeps the worker
    from starting until everything fits.

    --prove changes something: it breaks a harmless setting of the canary, publishes an event about it to the topic,
    waits for a running worker to repair it, and leaves the canary as it was found, also after Ctrl-C or an error. It
    says who repaired it and how long each leg took.

    \b
    Examples:
      config-remediator check -c config.toml
      config-remediator check -c config.toml --prove
      config-remediator check -c config.toml --strict \\
        --probe-bucket my-test-bucket
      config-remediator check -c config.toml -o json \\
        | jq '.[] | select(.status == "failed")'

    Exit status: 0 all well, 1 something failed (or, with --strict, was warned of), 2 the configuration
    cannot be used; with --prove also without a canary or a topic in it.
    """
    if prove:
        from consumer.operator.prove import run as proofs

        if probe_bucket:
            raise click.UsageError("--probe-bucket is for a check without --prove, which looks at canary.bucket alone")
        return proofs.prove(path, form, proofs.ProofRequest(rules, url, journal, strict))
    if rules or url or journal:
        raise click.UsageError("--rule, --url and --journal are for --prove")
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
