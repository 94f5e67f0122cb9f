"""What a queue reports about itself: its settings, and how many messages it holds. Pure.

https://www.alibabacloud.com/help/en/mns/developer-reference/getqueueattributes
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Figures:
    """How many messages a queue says it holds, by state; None where it does not say.

    The service counts approximately, and has announced to withdraw these figures.
    """

    active: int | None = None
    """Visible: the next receive may bring them."""
    inactive: int | None = None
    """Received and hidden, for work or for a backoff."""
    delayed: int | None = None
    """Sent with a delay that is not over."""

    def known(self) -> Mapping[str, int]:
        """Those that there are, by state."""
        states = {"active": self.active, "inactive": self.inactive, "delayed": self.delayed}
        return {state: count for state, count in states.items() if count is not None}


@dataclass(frozen=True, slots=True)
class QueueAttributes:
    """The attributes of a queue that matter to a consumer."""

    visibility_timeout_seconds: int
    retention_seconds: int
    max_message_bytes: int
    figures: Figures = field(default=Figures(), compare=False)
    """Of the moment; two queues with the same settings are alike whatever they hold."""
