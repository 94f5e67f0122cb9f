"""What a row of a service's table of refusals says, and from where it is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase


class Known(StrEnum):
    """How a status, a code, an EC and a message came to be known, the best evidence first."""

    RECORDED = "recorded"
    """From an answer of the service that somebody published."""
    DOCUMENTED = "documented"
    """From a page of the vendor's."""
    ASSERTED = "asserted by a client's suite"
    """A test of a vendor's or a client's, written against the service, expects it."""
    ASSUMED = "assumed"
    """By analogy; nothing may rest on it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way to refuse, for some operations."""

    operations: str
    """Names or shell patterns, separated by spaces."""
    code: str
    status: int
    message: str
    """`{0}` and the like stand for what the request names."""
    ec: str = ""
    """OSS's own finer code; empty: none is known."""
    known: Known = Known.ASSUMED
    source: str = ""
    """Page, recording or suite; empty for what is assumed."""

    def covers(self, operation: str) -> bool:
        """Whether this operation may be refused so."""
        return any(fnmatchcase(operation, pattern) for pattern in self.operations.split())
