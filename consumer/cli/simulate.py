"""`simulate`: what would become of captured events."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, config_option, output_option

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(cls=OperatorCommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_FILE)
@config_option
@click.option(
    "--assume",
    type=click.Choice(["broken", "compliant", "gone"]),
    default="broken",
    show_default=True,
    help="The state of buckets that nothing was recorded of: open to all with nothing switched on, as every rule"
    " would leave it, or deleted.",
)
@click.option("--state", type=_FILE, help="Recorded states: a JSON object of settings by bucket name, null: deleted.")
@click.option("--against", type=_FILE, metavar="OTHER_CONFIG", help="Show what this configuration would alter.")
@output_option
def simulate(
    files: tuple[Path, ...], path: Path, assume: str, state: Path | None, against: Path | None, form: str
) -> int:
    """Decide about captured events without any network.

    FILE is a captured body as it came, or with the ending .jsonl one body a line: the event, a JSON text, a dead
    letter, or an object with a "body". The worker's own code decodes, matches, guards and repairs, on buckets that
    exist in memory only; each message meets what the ones before it have changed. What depends on another kind of
    resource is called unknown. Limits, breakers and contests run by the events' own times, and every message is
    delivered once. Sockets are blocked meanwhile.

    With --against, both configurations decide, and every message that would end otherwise is shown.

    \b
    A state file has the settings that matter, all of them optional:
      {"photos": {"acl": "public-read", "tags": {"public": "yes"}},
       "deleted": null}

    \b
    Examples:
      config-remediator simulate events.jsonl -c config.toml
      config-remediator simulate events.jsonl -c config.toml --against new.toml
      config-remediator dlq show 3DAEE510CF72 -c config.toml -o json \\
        | jq -c > letter.jsonl

    Exit status: 0 decided (and, with --against, nothing differs), 1 something differs, 2 a file or a
    configuration cannot be used.
    """
    from consumer.operator.simulate.buckets import Assumed
    from consumer.operator.simulate.run import simulate as carry_out

    return carry_out(path, files, form, assume=Assumed(assume), state=state, against=against)
