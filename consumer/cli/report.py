"""`report`: what a journal says about a span of time."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.options import OperatorCommand, optional_config_option
from consumer.cli.times import between_options

_FORMS = ("text", "json", "markdown", "html")


@click.command(cls=OperatorCommand)
@optional_config_option
@click.option(
    "--file",
    "-f",
    "files",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A journal's file; several times for those of all replicas, and for those that were moved away. Without it,"
    " journal.path of the configuration.",
)
@between_options("7d")
@click.option("--format", "form", type=click.Choice(_FORMS), default="text", show_default=True, help="What is written.")
@click.option(
    "--output",
    "-o",
    "to",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write to this file instead of standard output.",
)
def report(
    path: Path | None, files: tuple[Path, ...], since_ms: int, until_ms: int | None, form: str, to: Path | None
) -> int:
    """Report what was found, fixed and left, from the journal.

    For people who do not read dashboards: what was found, fixed, undone, held and exempt, and why; how long resources
    were exposed, by rule, and the ten slowest fixes; what somebody keeps breaking; changes by day; what rules in mode
    observe would change. The HTML is one file that can be mailed and printed.

    Every line is proved while it is read. What is missing or damaged is listed first, and a figure that cannot be known
    for that reason is called unknown. No service is contacted.

    \b
    Examples:
      config-remediator report -c config.toml --since 7d
      config-remediator report -c config.toml --format html -o report.html
      config-remediator report -f journal.jsonl -f journal-2026-11.jsonl \\
        --since 2026-11-01 --until 2026-12-01 --format markdown

    Exit status: 0 written, 1 written, but a journal is not whole, lines are missing or a file was not given, 2 there is
    no journal to read or the report cannot be written.
    """
    if to is not None and str(to) in (*_FORMS, "table"):
        raise click.UsageError(f"-o names a file here; --format {to} chooses what is written (./{to} is a file)")
    from consumer.operator.report.run import report as carry_out

    return carry_out(path, files, form, to, since_ms=since_ms, until_ms=until_ms)
