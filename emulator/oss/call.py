"""One request on its way through the service, and the operations it can be routed to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from emulator.http import Request, Response
from emulator.oss.addressing import Address
from emulator.oss.authentication import ANONYMOUS, Caller
from emulator.oss.bucket import Bucket, Configured, as_json
from emulator.oss.codes import Oss
from emulator.oss.document import parse, render
from emulator.oss.errors import OssRefusal
from emulator.oss.store import Store
from emulator.xml import Element, Node

XML = ("Content-Type", "application/xml")


class Level(Enum):
    """What a request is addressed to."""

    SERVICE = "service"
    BUCKET = "bucket"
    OBJECT = "object"


class Admission(Enum):
    """Who may call an operation, and what has to exist for it."""

    OWNER = "owner"
    """The bucket exists, is addressed in its region, and belongs to the caller."""
    OWNER_ANYWHERE = "owner anywhere"
    """As OWNER, through whatever region's endpoint."""
    READER = "reader"
    """As OWNER, or whoever the ACL or the policy lets read."""
    WRITER = "writer"
    """As OWNER, or whoever the ACL or the policy lets write."""
    OWNER_OR_NEW = "owner or new"
    """As OWNER when the bucket exists; when not, the operation creates it."""
    SIGNED = "signed"
    """Anybody with a valid key; the operation itself decides about the bucket."""
    UNSIGNED = "unsigned"
    """Anybody, whatever the signature says; the bucket exists."""


@dataclass(slots=True)
class OssCall:
    """What a handler needs to know of a request."""

    operation: Operation
    request: Request
    request_id: str
    address: Address
    query: dict[str, str]
    store: Store
    caller: Caller = ANONYMOUS

    @property
    def name(self) -> str:
        """The name of the addressed bucket; only for operations on buckets and objects."""
        assert self.address.bucket is not None
        return self.address.bucket

    @property
    def bucket(self) -> Bucket:
        """The addressed bucket; raises Refusal(NoSuchBucket)."""
        found = self.store.buckets.get(self.name)
        if found is None:
            raise OssRefusal(Oss.NO_BUCKET, BucketName=self.name)
        return found

    @property
    def account_id(self) -> str:
        """The caller's account; only for operations that anonymous callers are not admitted to."""
        assert self.caller.account_id is not None
        return self.caller.account_id

    @property
    def region(self) -> str | None:
        """The region whose endpoint was addressed, as far as host or signature tell."""
        return self.address.host.region or self.caller.region

    def header(self, name: str) -> str | None:
        """A request header by lower-case name."""
        return self.request.headers.get(name)

    def body(self, root: str) -> Element:
        """The request's body as XML with that root; raises Refusal(MalformedXML)."""
        return parse(self.request.body, root)

    def changed(self, before: Configured, after: Configured) -> None:
        """Journal that the addressed bucket changed, and tell whoever listens."""
        self.store.changed(
            self.operation.name,
            self.name,
            request_id=self.request_id,
            access_key_id=self.caller.access_key_id,
            before=as_json(before),
            after=as_json(after),
        )


Handler = Callable[[OssCall], Response]


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the routing table."""

    name: str
    """The service's own name: `PutBucketAcl`."""
    level: Level
    method: str
    subresource: str
    """The query parameter that selects it, or an empty string."""
    handler: Handler
    admission: Admission = Admission.OWNER
    reads: bool = False
    """Whether it changes nothing."""


def done() -> Response:
    """200 without a body."""
    return Response(200)


def gone() -> Response:
    """204: deleted, or was not there."""
    return Response(204)


def answer(tag: str, content: str | list[Node]) -> Response:
    """200 with an XML document."""
    return Response(200, [XML], render(tag, content))
