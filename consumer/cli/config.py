"""`config show`, `config schema` and `config example`."""

from __future__ import annotations

from pathlib import Path

import click

from consumer.cli.help import OperatorGroup
from consumer.cli.options import OperatorCommand, config_option, output_option


@click.group(cls=OperatorGroup)
def config() -> None:
    """Show the configuration in effect, its schema, or an example."""


@config.command(cls=OperatorCommand)
@config_option
@click.option("--changed", is_flag=True, help="Only what is not at its default.")
@output_option
def show(path: Path, changed: bool, form: str) -> int:
    """Show every value in effect and where it came from: the file, a variable or a default.

    Credentials never stand in the configuration; what looks like one all the same is not shown.

    \b
    Examples:
      config-remediator config show -c config.toml --changed
      REMEDIATOR__ENGINE__WORKERS=8 config-remediator config show -c config.toml

    Exit status: 0 shown, 2 the configuration cannot be used; every problem is listed at once.
    """
    from consumer.operator import config as carry_out

    return carry_out.show(path, form, changed=changed)


@config.command(cls=OperatorCommand)
def schema() -> int:
    """Print the JSON Schema of the configuration, so that an editor completes and checks it.

    For editors with Taplo or Even Better TOML, put this into the file's first line:

    \b
      #:schema ./config.schema.json

    \b
    Example:
      config-remediator config schema > config.schema.json

    Exit status: 0 printed.
    """
    from consumer.operator import config as carry_out

    return carry_out.schema()


@config.command(cls=OperatorCommand)
def example() -> int:
    """Print config.example.toml: every key with its meaning, what it takes and its default.

    It can be used as it is once account_id and the queue are yours: one rule only observes, the other one repairs.

    \b
    Example:
      config-remediator config example > config.toml

    Exit status: 0 printed.
    """
    from consumer.operator import config as carry_out

    return carry_out.example()
