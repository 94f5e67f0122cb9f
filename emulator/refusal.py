"""What the emulated services in the vendor's RPC style say when they refuse."""

from __future__ import annotations

from emulator.codes import Row
from emulator.rpc_codes import Rpc


class Refusal(Exception):
    """The service refuses, by a row of its table."""

    def __init__(self, refused: Rpc | Row, *parts: object) -> None:
        """`parts` fill the code and the message."""
        self.row = refused if isinstance(refused, Row) else refused.value
        self.status = self.row.status
        self.code = self.row.code.format(*parts) if parts else self.row.code
        super().__init__(self.row.message.format(*parts) if parts else self.row.message)
