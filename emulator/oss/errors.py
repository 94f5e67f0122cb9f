"""The refusal that handlers raise; what it says by default stands in the table of codes."""

from __future__ import annotations

from emulator.codes import Row
from emulator.oss.codes import Oss


class OssRefusal(Exception):
    """The service refuses the request; carries all that its error body says."""

    def __init__(self, refused: Oss | Row, *parts: object, **details: str) -> None:
        """`parts` fill the message; `details` become elements between HostId and EC, in order."""
        self.row = refused if isinstance(refused, Row) else refused.value
        self.code = self.row.code
        self.status = self.row.status
        self.message = self.row.message.format(*parts) if parts else self.row.message
        self.ec = self.row.ec
        self.details = details
        self.headers: list[tuple[str, str]] = []
        """Headers that this refusal has besides those of every answer."""
        super().__init__(f"{self.status} {self.code}: {self.message}")


def invalid_argument(refused: Oss, name: str, value: str, *parts: object) -> OssRefusal:
    """The refusal of one argument's value, naming both."""
    return OssRefusal(refused, *parts, ArgumentName=name, ArgumentValue=value)
