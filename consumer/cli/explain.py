"""`explain`: why an event ended as it did."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, config_option, output_option
from consumer.cli.values import offered


@click.command(cls=OperatorCommand)
@click.argument("wanted", metavar="MESSAGE_ID|RESOURCE", shell_complete=offered("resources"))
@config_option
@click.option(
    "--file",
    "-f",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A journal's file; several times for those of all replicas. Without it, journal.path.",
)
@click.option(
    "--limit",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="At most this many messages, the newest, whatever their rules; a parked copy is one. Also of lines by people.",
)
@click.option("--no-look", is_flag=True, help="The journal alone: do not look at the resource.")
@output_option
def explain(wanted: str, path: Path, files: tuple[Path, ...], limit: int, no_look: bool, form: str) -> int:
    """Explain why an event ended as it did.

    And how it would end now. A message is named by its id, or by its end as the tables show it; a resource by its id,
    for OSS the bucket's name.

    From the journal: every step, each request that was sent with its answer, which rule took it and why others did not,
    and what each guard decided. Then the worker's own code looks at the live resource (reads only), and shows what it
    sends, what is answered, and how the event would end now. What the journal does not have is called unknown.

    A journal that was moved away is named with --file beside the present one, in any order. Long states are cut around
    what differs; --output json has all of them.

    \b
    Examples:
      config-remediator explain my-bucket -c config.toml
      config-remediator explain C217751A9D81 -c config.toml --no-look

    Exit status: 0 explained, 1 explained, but the journal is not whole or lines are missing, 2 nothing is known about
    it, or the configuration or the journal cannot be used, 3 the resource cannot be looked at, because its service or
    the credentials' source does not answer or gives no permission.
    """
    from consumer.operator.explain.run import explain as carry_out

    if not wanted.strip():
        raise click.UsageError("MESSAGE_ID|RESOURCE is empty: give a message's id, or a resource's")
    return carry_out(path, form, wanted, files, limit=limit, look=not no_look)
