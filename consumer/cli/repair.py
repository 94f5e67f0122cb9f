"""`repair`: one resource, now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from consumer.cli.options import OperatorCommand, config_option, output_option
from consumer.cli.values import offered

_LONGEST_NAME = 128


def _person(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """A name that can stand in a journal."""
    if len(value) > _LONGEST_NAME or not value.isprintable() or value != value.strip():
        raise click.BadParameter(f"a name has {_LONGEST_NAME} printable characters at most")
    return value


@click.command(cls=OperatorCommand)
@click.argument("resource", shell_complete=offered("resources"))
@config_option
@click.option(
    "--rule",
    required=True,
    shell_complete=offered("rules"),
    metavar="NAME",
    help="The configured rule that is to repair it.",
)
@click.option("--apply", is_flag=True, help="Make the change. Without it, only show what would be changed.")
@click.option("--region", default="", help="Where it is, if not in the default region; the live resource decides.")
@click.option("--account", default="", help="Whose it is, if it is a member account's.")
@click.option(
    "--config-rule-id",
    default="",
    metavar="ID",
    help="Which of the rule's config_rule_ids the event is of. Without it, the first that no rule further up takes.",
)
@click.option(
    "--as",
    "person",
    default="",
    metavar="PERSON",
    callback=_person,
    help="Who does this, for the journal. Without it, the user who is logged in on this machine.",
)
@click.option(
    "--journal",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write to this journal instead of journal.path.",
)
@output_option
def repair(path: Path, form: str, **wish: Any) -> int:
    """Repair one resource now, by one rule.

    The worker's own pipeline looks at the live resource and shows its state, the finding and the change; with --apply
    it makes the change, reads it back and writes who did it into the journal, before and after. No message is needed.
    A service may take half a minute to show what it accepted: that is waited for.

    Every guard holds as for the worker, and none can be passed over: exemptions, pause, windows of time, contest, the
    confirmation of what cannot be taken back, breaker, limits. Without --apply, exemptions, pause and windows are
    looked at as if the rule enforced. What belongs to a rule further up is not repaired by this one. That a rule only
    observes is about events: --apply makes its change on the one resource that you name.

    Limits, breaker and contest count with the workers if [shared] is configured; otherwise they know of this command
    alone, and the output says so. If it is stopped during the change, it prints how to find out whether that was made.

    \b
    Examples:
      config-remediator repair my-bucket -c config.toml --rule public-read
      config-remediator repair my-bucket -c config.toml --rule public-read \\
        --apply --as anna@example.com

    Exit status: 0 repaired, or there is nothing to repair, 1 --apply would make a change, 2 the configuration cannot be
    used, there is no such rule or no journal to write, 3 a service failed, has no permission for it, or does not show
    the change, 4 not repaired: a guard holds it, the resource is not the rule's, is gone, or can never be repaired.
    """
    from consumer.operator.repair.run import RepairRequest
    from consumer.operator.repair.run import repair as carry_out

    return carry_out(path, form, RepairRequest(**wish))
