"""`journal` and `undo`: what was done, proof of it, and the way back."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, config_option, optional_config_option, output_option

_file_option = click.option(
    "--file",
    "-f",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The journal's file; without it, journal.path of the configuration.",
)


@click.group()
def journal() -> None:
    """Prove the journal whole, and show what happened to a bucket.

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
    fix its read-back. A torn end after a kill -9 is told; the worker continues behind it.

    Whoever may write the file can cut off its end, or write all of it anew. Note the head that this prints somewhere
    else, and give it back with --anchor: then both are seen.

    \b
    Examples:
      config-remediator journal verify -c config.toml
      config-remediator journal verify -f journal.jsonl --anchor 5f3c…
    \b
    Exit status: 0 whole, 1 not whole or the anchor is missing, 2 there is no journal to read.
    """
    from consumer.operator import journal as carry_out

    return carry_out.verify(path, file, form, anchor=anchor)


@journal.command(cls=OperatorCommand)
@click.argument("bucket", required=False, default="")
@optional_config_option
@_file_option
@click.option("--rule", default="", help="Only what this rule did.")
@click.option("--all", "everything", is_flag=True, help="Every step, receipts included.")
@output_option
def show(bucket: str, path: Path | None, file: Path | None, rule: str, everything: bool, form: str) -> int:
    """Show who did what to a bucket, and when.

    The last column is the id that `undo` takes, as long as the change can be undone.

    \b
    Examples:
      config-remediator journal show my-bucket -c config.toml
      config-remediator journal show -f journal.jsonl --rule public-read -o json
    \b
    Exit status: 0 shown, 2 there is no journal to read.
    """
    from consumer.operator import journal as carry_out

    return carry_out.show(path, file, form, bucket=bucket, rule=rule, everything=everything)


@click.command(cls=OperatorCommand)
@click.argument("change_id", metavar="ID")
@config_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Show the difference, and change nothing.")
@output_option
def undo(change_id: str, path: Path, yes: bool, dry_run: bool, form: str) -> int:
    """Put back what a change has replaced.

    ID is what `journal show` has in its last column. The live bucket has to be exactly as the change left it; if
    somebody has changed it since, the difference is shown and nothing is done. Otherwise shows the difference and
    asks. What is done is journaled, before and after.

    The rule that made the change makes it again at the next event: add an exemption, or switch it to observe.

    \b
    Examples:
      config-remediator undo 5f3c9a10b2d4 -c config.toml --dry-run
      config-remediator undo 5f3c9a10b2d4 -c config.toml
    \b
    Exit status: 0 undone (or a dry run), 2 there is no such change or the configuration cannot be used,
    3 the bucket cannot be read or changed, 4 not undone: the state is another, or you said no.
    """
    from consumer.operator import undo as carry_out

    return carry_out.undo(path, form, change_id, yes=yes, dry_run=dry_run)
