"""`journal` and `undo`: what was done, proof of it, and the way back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from consumer.cli.help import OperatorGroup
from consumer.cli.options import OperatorCommand, config_option, optional_config_option, output_option
from consumer.cli.times import between_options
from consumer.cli.values import offered

_file_option = click.option(
    "--file",
    "-f",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The journal's file; without it, journal.path of the configuration.",
)


@click.group(cls=OperatorGroup)
def journal() -> None:
    """Prove the journal whole, and show what happened to a resource.

    With journal.path set, a worker appends every step of every delivery: received, decided, before, changed, verified,
    settled. Each line carries the hash of the one before.
    """


@journal.command(cls=OperatorCommand)
@optional_config_option
@_file_option
@click.option("--anchor", default="", metavar="HASH", help="A head that was noted earlier and has to be in the chain.")
@output_option
def verify(path: Path | None, file: Path | None, anchor: str, form: str) -> int:
    """Prove that nothing was altered, removed or reordered.

    Also proves that every message that was deleted or dead-lettered had reached an ending that allows it first, and a
    fix its read-back. A torn end after a kill -9 is reported; the worker continues behind it.

    The hashes cover every byte of a line. Whoever may write the file can still cut off its end, or write all of it
    anew. Note the head that this prints somewhere else, and give it back with --anchor: then both are seen, and a
    journal without the anchor in its chain is not whole.

    \b
    Examples:
      config-remediator journal verify -c config.toml
      config-remediator journal verify -f journal.jsonl --anchor 5f3c…

    Exit status: 0 whole, 1 not whole or the anchor is missing, 2 there is no journal to read.
    """
    from consumer.operator import journal as carry_out

    return carry_out.verify(path, file, form, anchor=anchor)


@journal.command(cls=OperatorCommand)
@click.argument("resource", required=False, default="", shell_complete=offered("resources"))
@optional_config_option
@_file_option
@click.option("--rule", default="", shell_complete=offered("rules"), help="Only what this rule did.")
@between_options()
@click.option("--limit", type=click.IntRange(min=1, max=1_000_000), help="Only the newest lines, this many at most.")
@click.option("--all", "everything", is_flag=True, help="Every step, receipts included.")
@output_option
def show(path: Path | None, file: Path | None, form: str, **wanted: Any) -> int:
    """Show who did what to a resource, and when.

    The last column is the id that `undo` takes, as long as the change can be undone.

    \b
    Examples:
      config-remediator journal show my-bucket -c config.toml
      config-remediator journal show -c config.toml --since 2h --limit 20
      config-remediator journal show -f journal.jsonl --rule public-read -o json

    Exit status: 0 shown, 2 there is no journal to read.
    """
    from consumer.operator import journal as carry_out

    return carry_out.show(path, file, form, carry_out.LineFilter(**wanted))


@click.command(cls=OperatorCommand)
@click.argument("change_id", metavar="ID", shell_complete=offered("changes"))
@config_option
@_file_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--weaken", is_flag=True, help="Accept that the resource is less protected afterwards.")
@click.option("--dry-run", is_flag=True, help="Show the difference, and change nothing.")
@click.option("--exempt-until", type=click.DateTime(["%Y-%m-%d"]), help="Exempt the resource from the rule until then.")
@click.option("--owner", default="", help="With --exempt-until: who answers for the exemption.")
@click.option("--reason", default="", help="With --exempt-until: why the resource may stay as it is.")
@click.option("--pause", is_flag=True, help="Stop all changes by pause.file before this one is undone.")
@output_option
def undo(
    change_id: str,
    path: Path,
    file: Path | None,
    yes: bool,
    weaken: bool,
    dry_run: bool,
    exempt_until: datetime | None,
    owner: str,
    reason: str,
    pause: bool,
    form: str,
) -> int:
    """Put back what a change has replaced.

    ID is what `journal show` has in its last column, or the id of the message, as announcements name it. The journal
    has to be whole up to that change, and the live resource the same one, exactly as the change left it; if somebody
    has changed it since, the difference is shown and nothing is done. Otherwise shows the difference and asks. What is
    done is journaled, before and after. If it is stopped midway, it prints how to find out whether the change was made.

    Whatever takes protection off the resource, which is nearly every undo, needs --weaken, with --yes as well.

    A rule that enforces makes its change again at the next event. --exempt-until writes an exemption from it into the
    configuration file; workers go by it once they are started anew. --pause stops all changes at once. Without either
    one, the entry to add is shown.

    \b
    Examples:
      config-remediator undo 5f3c9a10b2d4 -c config.toml --dry-run
      config-remediator undo 5f3c9a10b2d4 -c config.toml --weaken --pause \\
        --exempt-until 2027-01-31 --owner web-team@example.com \\
        --reason "Serves public assets"

    Exit status: 0 undone (or a dry run), 2 there is no such change or the configuration cannot be used,
    3 the resource cannot be read or changed, 4 not undone: the journal or the state does not fit, --weaken is missing,
    or the question was declined or there was nobody to ask.
    """
    from consumer.operator.lasting import Lasting, WantedExemption
    from consumer.operator.undo import run as carry_out

    if (exempt_until is None) is not (not owner and not reason) or (exempt_until and not (owner and reason)):
        raise click.UsageError("--exempt-until, --owner and --reason go together")
    if exempt_until and exempt_until.date() <= datetime.now(UTC).date():
        raise click.UsageError(f"--exempt-until: {exempt_until.date()} is over, so the exemption would cover nothing")
    exemption = WantedExemption(owner, reason, exempt_until.date()) if exempt_until else None
    wish = carry_out.UndoOptions(yes=yes, dry_run=dry_run, weaken=weaken, lasting=Lasting(exemption, pause), file=file)
    return carry_out.undo(path, form, change_id, wish)
