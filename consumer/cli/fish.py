"""Completion for fish: click's own script ends each description at its first comma."""

from __future__ import annotations

from typing import ClassVar

from click.shell_completion import FishComplete, add_completion_class


class WholeDescriptions(FishComplete):
    """The same script, which splits a line once."""

    source_template: ClassVar[str] = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


def provide() -> None:
    """Let click use it, whether the script is printed by `completion` or by the variable."""
    add_completion_class(WholeDescriptions)
