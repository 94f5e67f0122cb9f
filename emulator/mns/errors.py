"""How a refusal of MNS looks on the wire; which ones there are stands in the table of codes."""

from __future__ import annotations

from emulator.mns.codes import Code
from emulator.mns.document import document
from emulator.xml import Node

__all__ = ["Code", "MnsRefusal", "entry_nodes", "error_document", "out_of_range"]


class MnsRefusal(Exception):
    """The service answers this request with an error; nothing has been changed."""

    def __init__(self, code: Code, *parts: object) -> None:
        super().__init__(code.wire_name)
        self.code = code
        self.message = code.message.format(*parts) if parts else code.message


def out_of_range(element: str, low: int, high: int, unit: str) -> MnsRefusal:
    """A value outside its limits: `unit` is `seconds`, `bytes` or empty."""
    return MnsRefusal(Code.OUT_OF_RANGE, element, low, high, f" {unit}" if unit else "")


def error_document(code: str, message: str, request_id: str, host: str) -> bytes:
    """The `<Error>` body of https://www.alibabacloud.com/help/doc-detail/27500.htm."""
    return document(
        "Error",
        [("Code", code), ("Message", message), ("RequestId", request_id), ("HostId", f"http://{host}")],
    )


def entry_nodes(refusal: MnsRefusal) -> list[Node]:
    """The inside of a batch's entry that was refused: exactly these two elements, or clients drop the batch."""
    return [("ErrorCode", refusal.code.wire_name), ("ErrorMessage", refusal.message)]
