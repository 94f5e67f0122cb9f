"""`peek`: what waits in the queue."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, config_option, output_option


@click.command(cls=OperatorCommand)
@config_option
@click.option(
    "--count",
    type=click.IntRange(1, 16),
    default=16,
    show_default=True,
    help="How many messages; the service shows 16 at most.",
)
@click.option("--no-look", is_flag=True, help="Do not look at resources: decode, match and exempt only.")
@output_option
def peek(path: Path, count: int, no_look: bool, form: str) -> int:
    """Show what waiting messages would lead to.

    Only peeks: no message is taken, hidden or counted as received, so it is safe beside running workers. For each, the
    worker's own code decodes it, finds its rule and looks at the live resource (reads only), and says how it would
    end. "fixed" means that an enforcing rule would change it; limits, breakers and contests of running workers may
    still hold it back. The service shows the next 16 visible messages and no others. For a parked copy it also says
    whose it is, since when that has been in the queue, how often it was received and failed, and why it was parked.

    \b
    Examples:
      config-remediator peek -c config.toml
      config-remediator peek -c config.toml -o json \\
        | jq 'group_by(.outcome) | map({(.[0].outcome): length})'

    Exit status: 0 shown, 2 the configuration or the credentials cannot be used, 3 the queue cannot be read, or a
    resource cannot be looked at, because its service does not answer or gives no permission.
    """
    from consumer.operator.peek import peek as carry_out

    return carry_out(path, form, count=count, look=not no_look)
