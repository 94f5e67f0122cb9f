"""What the emulated services in the vendor's RPC style say when they refuse."""

from __future__ import annotations

from enum import Enum

from emulator.codes import Row


class Refusal(Exception):
    """The service refuses, by a row of its table."""

    def __init__(self, refused: Enum | Row, *parts: object) -> None:
        """`refused` is a member of a service's table, or a row; `parts` fill the code and the message."""
        self.row: Row = refused if isinstance(refused, Row) else refused.value
        self.status = self.row.status
        self.code = self.row.code.format(*parts) if parts else self.row.code
        super().__init__(self.row.message.format(*parts) if parts else self.row.message)
