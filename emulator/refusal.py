"""What the emulated services in the vendor's RPC style say when they refuse."""

from __future__ import annotations


class Refusal(Exception):
    """The service says no; `code` is its own."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
