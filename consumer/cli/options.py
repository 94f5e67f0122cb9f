"""What the operator's commands share: their options, and how an error is reported."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from consumer.cli import streams
from consumer.cli.help import CommandContext
from consumer.core import last_words
from consumer.core.errors import ConfigurationError, RemediatorError
from consumer.core.exit_codes import CommandExit
from consumer.operator.interruption import Terminated

_F = TypeVar("_F", bound=Callable[..., Any])


def config_option(command: _F) -> _F:
    """`--config`, which most commands cannot do without."""
    return _config(required=True)(command)


def optional_config_option(command: _F) -> _F:
    """`--config` for commands that are of use without it, too."""
    return _config(required=False)(command)


def _config(*, required: bool) -> Callable[[_F], _F]:
    return click.option(
        "--config",
        "-c",
        "path",
        type=click.Path(path_type=Path, dir_okay=False),
        envvar="REMEDIATOR_CONFIG",
        required=required,
        help="The TOML configuration; see config.example.toml. Also from REMEDIATOR_CONFIG.",
    )


def output_option(command: _F) -> _F:
    """`--output`: for people or for scripts."""
    return click.option(
        "--output",
        "-o",
        "form",
        type=click.Choice(["table", "json"]),
        default="table",
        show_default=True,
        help="A table for people, or one JSON document for scripts.",
    )(command)


def in_full(error: RemediatorError) -> str:
    """What is wrong, with what to do about it."""
    remedy = error.remedy if isinstance(error, ConfigurationError) else ""
    return f"{error}. {remedy[:1].upper()}{remedy[1:]}" if remedy else str(error)


class OperatorCommand(click.Command):
    """A command whose errors are one line each, and whose exit status says what to do next."""

    context_class = CommandContext

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; what it returns becomes the exit status."""
        ctx.exit(self._status(ctx))

    def _status(self, ctx: click.Context) -> int:
        try:
            status = int(super().invoke(ctx) or CommandExit.DONE)
            sys.stdout.flush()
        except ConfigurationError as error:
            return _reported(ctx, error, CommandExit.USAGE)
        except RemediatorError as error:
            return _reported(ctx, error, CommandExit.UNAVAILABLE)
        except OSError as error:
            return streams.failed(error, ctx.command_path)
        except KeyboardInterrupt as stop:
            return stopped(ctx.command_path, stop)
        return status


def stopped(command: str, stop: KeyboardInterrupt) -> int:
    """The exit status after a signal has ended a command, with the line that says so and what it leaves."""
    stopped_by = signal.SIGTERM if isinstance(stop, Terminated) else signal.SIGINT
    text = "\n".join([f"\n{command}: stopped by {stopped_by.name}", *getattr(stop, "__notes__", ())])
    last_words.say(text, streams.LAST_LINES_SECONDS)
    return 128 + stopped_by


def _reported(ctx: click.Context, error: RemediatorError, status: CommandExit) -> CommandExit:
    last_words.say(f"{ctx.command_path}: {in_full(error)}", streams.LAST_LINES_SECONDS)
    return status
