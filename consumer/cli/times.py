"""Spans and moments as a person types them: `90s`, `15m`, `2h`, `7d`; `2026-11-20`, `2026-11-20T14:30`."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

_F = TypeVar("_F", bound=Callable[..., Any])
_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"([0-9]{1,9})([smhd])", re.ASCII)
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2}:[0-9]{2})?)?", re.ASCII
)


def seconds(_ctx: click.Context, _param: click.Parameter, value: str | None) -> float | None:
    """A time span such as 90s, 15m, 2h or 3d, in seconds."""
    if value is None:
        return None
    found = _SPAN.fullmatch(value)
    if found is None:
        raise click.BadParameter(f"{value!r} is not a time span such as 90s, 15m, 2h or 3d")
    return float(int(found[1]) * _UNITS[found[2]])


def moment_ms(_ctx: click.Context, _param: click.Parameter, value: str | None) -> int | None:
    """A moment in milliseconds since the epoch: a span before now, a date, or a date with a time, in UTC by default."""
    if value is None:
        return None
    if found := _SPAN.fullmatch(value):
        return int((time.time() - int(found[1]) * _UNITS[found[2]]) * 1000)
    if _MOMENT.fullmatch(value):
        try:
            at = datetime.fromisoformat(value)
        except ValueError as error:
            raise click.BadParameter(f"{value!r}: {error}") from None
        return round((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    raise click.BadParameter(f"{value!r} is neither a span such as 2h or 7d nor a moment such as 2026-11-20T14:30")


def between_options(default_since: str | None = None) -> Callable[[_F], _F]:
    """`--since` and `--until`, as `since_ms` and `until_ms`."""

    def added(command: _F) -> _F:
        for option in (
            click.option(
                "--until",
                "until_ms",
                callback=moment_ms,
                metavar="WHEN",
                help="Only what is older; as --since.",
            ),
            click.option(
                "--since",
                "since_ms",
                callback=moment_ms,
                metavar="WHEN",
                default=default_since,
                show_default=default_since is not None,
                help="Only from then on: 90s, 15m, 2h or 7d ago, or 2026-11-20, or 2026-11-20T14:30, in UTC.",
            ),
        ):
            command = option(command)
        return command

    return added
