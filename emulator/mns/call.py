"""One request as the operations see it: which operation, on what, by which caller."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from emulator.http import Request, Response
from emulator.mns.document import NAMESPACE, document
from emulator.mns.errors import Code, MnsRefusal
from emulator.xml import Element, Malformed, Node, parse

UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Target:
    """What the path names, decoded: `/queues/{queue}/messages`, `/topics/{topic}/subscriptions/{subscription}`."""

    operation: str
    queue: str = ""
    topic: str = ""
    subscription: str = ""

    @property
    def resource(self) -> str:
        """What the journal calls it: `queues/q`, `topics/t`, or `account`."""
        if self.queue:
            return f"queues/{self.queue}"
        return f"topics/{self.topic}" if self.topic else "account"


@dataclass(frozen=True)
class MnsCall:
    """An authenticated request on its way to its operation."""

    request: Request
    target: Target
    query: dict[str, str]
    """Query values by lower-case name."""
    request_id: str
    access_key_id: str

    @cached_property
    def body(self) -> Element | None:
        """The root of the body; None when there is no body. Raises MalformedXML."""
        if not self.request.body.strip():
            return None
        try:
            return parse(self.request.body)
        except Malformed:
            raise MnsRefusal(Code.MALFORMED_XML) from None

    def root(self, *expected: str) -> Element:
        """The root of a body that has to be there; raises MalformedXML or InvalidArgument."""
        if self.body is None:
            raise MnsRefusal(Code.MALFORMED_XML)
        if self.body.tag not in expected:
            raise MnsRefusal(Code.INVALID_ARGUMENT, expected[0])
        return self.body

    def optional_root(self, expected: str) -> Element | None:
        """The root of a body that may be missing, which means defaults; raises like `root`."""
        return None if self.body is None else self.root(expected)

    def refuse_foreign_namespace(self) -> None:
        """Raise InvalidArgument when the body names a namespace that is not the service's.

        The documentation asks for the namespace; clients in wide use leave it out and are served.
        """
        if self.body is not None and self.body.namespace not in ("", NAMESPACE):
            raise MnsRefusal(Code.INVALID_ARGUMENT, self.body.tag)

    def url(self, *path: str) -> str:
        """The address of a queue, topic or subscription under the host this request was sent to."""
        return "/".join((f"{self.request.scheme}://{self.request.host}", *path))


def answer(status: int, root: str = "", inner: Sequence[Node] = ()) -> Response:
    """An answer, with a body when `root` names one."""
    return Response(status, body=document(root, inner) if root else b"")


def located(status: int, url: str) -> Response:
    """An answer to a creation: clients insist on the address even when nothing was created (204)."""
    return Response(status, [("Location", url)])
