"""The command line: `config-remediator run --config FILE`, and the operator's commands beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from consumer import __version__
from consumer.cli import streams
from consumer.cli.commands import COMMANDS
from consumer.cli.help import CommandContext, OperatorGroup
from consumer.cli.options import in_full, stopped
from consumer.cli.streams import LAST_LINES_SECONDS
from consumer.core import last_words
from consumer.core.errors import ThreadNotStarted
from consumer.core.exit_codes import ExitCode

if TYPE_CHECKING:
    from consumer.app.signals import Signals


@contextmanager
def _help_written() -> Iterator[None]:
    """What is written in the block is the help: each command deals with what it cannot write itself.

    Here rather than around everything, because click makes a status of its own of a reader that has gone: 1, which
    elsewhere says that something was found.
    """
    try:
        yield
    except OSError as error:
        raise SystemExit(streams.failed(error, "config-remediator")) from None


class Commands(OperatorGroup):
    """The commands; whichever of them a signal ends says so in one line, with the exit status that shells expect."""

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run as a program."""
        streams.provide()
        if "_CONFIG_REMEDIATOR_COMPLETE" in os.environ:
            from consumer.cli import fish

            fish.provide()
        return super().main(*args, **extra)

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the command line; `--help` and `--version` are written on the way."""
        with _help_written():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command of this invocation; the help of a command is written on the way."""
        try:
            with _help_written():
                return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            ctx.exit(stopped(f"config-remediator {ctx.invoked_subcommand}", stop))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", prog_name="config-remediator")
def cli() -> None:
    """Repairs what Alibaba Cloud Config reports, and deletes a message only on success."""


class _RunCommand(click.Command):
    context_class = CommandContext


for _command in COMMANDS:
    cli.add_command(_command)


@cli.command(cls=_RunCommand)
@click.option(
    "--config",
    "-c",
    "path",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="REMEDIATOR_CONFIG",
    required=True,
    help="The TOML configuration; see config.example.toml. Also from REMEDIATOR_CONFIG.",
)
def run(path: Path) -> None:
    """Poll the queue and repair until SIGTERM, SIGINT or SIGHUP.

    The first signal stops in good order: polling ends, what is untouched is released, what is begun is finished
    within engine.shutdown_grace_seconds. A second SIGTERM or SIGINT ends the process at once.

    SIGUSR1 stops changes while everything else goes on; SIGUSR2 lets them go on, and also closes
    breakers and forgets contests.

    \b
    Example:
      config-remediator run --config config.toml

    Exit status: 0 drained, 1 a thread failed, 2 configuration or no credentials, 3 the queue does not
    exist or refuses the credentials, 4 the grace ran out with messages in flight, 5 ended by a second
    signal. Nothing is lost in any of these cases: what was in flight is delivered again. An outage at the
    start is waited for, not ready, within engine.startup_wait_seconds if that is set.
    """
    from consumer.app.signals import Signals

    signals = Signals()
    try:
        signals.listen()  # first of all: without a handler, the first process of a container does not get SIGTERM
        code = _run(path, signals)
    except ThreadNotStarted as error:
        last_words.say(f"config-remediator run: {error}", LAST_LINES_SECONDS)
        code = ExitCode.FAULT

    from consumer.telemetry import log

    log.flush(LAST_LINES_SECONDS)
    raise SystemExit(code)


def _run(path: Path, signals: Signals) -> ExitCode:
    # Imported here, so that --help answers at once.
    from consumer.aliyun.standard_chain import StandardChain
    from consumer.app import descriptors
    from consumer.app import service as app
    from consumer.app.prerequisites import StartupError
    from consumer.config import load
    from consumer.core.errors import ConfigurationError
    from consumer.telemetry import log

    try:
        config = load(path, os.environ)
        descriptors.provide(config)
        log.configure_in_background(config.log.format, config.log.level, sys.stdout)
        service = app.build(config, StandardChain(sts_endpoint=config.accounts.sts_endpoint))
        signals.serve(service)
        code = service.run()
    except ConfigurationError as error:
        last_words.say(f"config-remediator run: {in_full(error)}", LAST_LINES_SECONDS)
        return ExitCode.CONFIGURATION
    except StartupError as error:
        last_words.say(f"config-remediator run: {error}", LAST_LINES_SECONDS)
        return ExitCode.STARTUP
    fault = {"reason": service.fault()} if code is ExitCode.FAULT else {}
    log.get_logger("consumer").info("service.stopped", exit_code=int(code), exit_reason=code.name.lower(), **fault)
    return code


def main() -> None:
    """The entry point of the installed command."""
    cli(prog_name="config-remediator")
