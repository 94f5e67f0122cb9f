"""Values for completion, as options and arguments take them; `consumer.operator.values` finds them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click
from click.shell_completion import CompletionItem

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def offered(kind: str) -> Complete:
    """What completes a word; `kind` is one that `consumer.operator.values.offered` knows."""

    def complete(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 - click's
        from consumer.operator import values

        given = ctx.params.get("path") or os.environ.get("REMEDIATOR_CONFIG")
        # The shell passes the line as it is typed, so nobody has replaced ~ or $HOME yet.
        path = Path(os.path.expanduser(os.path.expandvars(given))) if given else None  # noqa: PTH111 - raises nothing
        found = values.offered(kind, path)
        return [CompletionItem(each.value, help=each.about) for each in found if each.value.startswith(incomplete)]

    return complete
