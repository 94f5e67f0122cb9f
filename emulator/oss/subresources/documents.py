"""Sub-resources that the emulator checks lightly, keeps whole and gives back: lifecycle, CORS, website and others.

One row of a table each; what a row cannot say does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from emulator.http import Response
from emulator.oss.bucket import Bucket
from emulator.oss.call import Handler, Level, Operation, OssCall, answer, done, gone
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.oss.subresources.document_checks import check_capacity, check_cors, check_lifecycle
from emulator.xml import Element, Node


@dataclass(frozen=True, slots=True)
class Document:
    """One sub-resource that is an XML document."""

    subresource: str
    operation: str
    """What follows Put, Get and Delete in the operations' names."""
    root: str
    required: tuple[str, ...] = ()
    """Children at least one of which has to be there."""
    absent: Oss | None = None
    """The 404 when it was never put; None: `default` is answered."""
    default: tuple[tuple[str, str], ...] = ()
    deletable: bool = True
    check: Callable[[OssCall, Element], None] | None = None
    """Raises Refusal when the document is well-formed and still not acceptable."""


_DOCUMENTS = (
    Document("lifecycle", "BucketLifecycle", "LifecycleConfiguration", ("Rule",),
             Oss.NO_LIFECYCLE, check=check_lifecycle),
    Document("cors", "BucketCors", "CORSConfiguration", ("CORSRule",),
             Oss.NO_CORS, check=check_cors),
    Document("website", "BucketWebsite", "WebsiteConfiguration", ("IndexDocument", "RoutingRules", "ErrorDocument"),
             Oss.NO_WEBSITE),
    Document("userDefinedLogFieldsConfig", "UserDefinedLogFieldsConfig", "UserDefinedLogFieldsConfiguration",
             ("HeaderSet", "ParamSet"),
             Oss.NO_LOG_FIELDS),
    Document("requestPayment", "BucketRequestPayment", "RequestPaymentConfiguration", ("Payer",),
             default=(("Payer", "BucketOwner"),), deletable=False),
    Document("transferAcceleration", "BucketTransferAcceleration", "TransferAccelerationConfiguration", ("Enabled",),
             Oss.NO_ACCELERATION, deletable=False),
    Document("accessmonitor", "BucketAccessMonitor", "AccessMonitorConfiguration", ("Status",),
             default=(("Status", "Disabled"),), deletable=False),
    Document("bucketArchiveDirectRead", "BucketArchiveDirectRead", "ArchiveDirectReadConfiguration", ("Enabled",),
             default=(("Enabled", "false"),), deletable=False),
    Document("qos", "BucketStorageCapacity", "BucketUserQos", ("StorageCapacity",),
             default=(("StorageCapacity", "-1"),), deletable=False, check=check_capacity),
)  # fmt: skip


def kept(bucket: Bucket, name: str) -> Element | None:
    """The document of that sub-resource."""
    match name:
        case "lifecycle":
            return bucket.lifecycle
        case "cors":
            return bucket.cors
        case "website":
            return bucket.website
        case _:
            return bucket.documents.get(name)


def keep(bucket: Bucket, name: str, document: Element | None) -> None:
    """Replace or drop the document of that sub-resource."""
    match name:
        case "lifecycle":
            bucket.lifecycle = document
        case "cors":
            bucket.cors = document
        case "website":
            bucket.website = document
        case _ if document is None:
            bucket.documents.pop(name, None)
        case _:
            bucket.documents[name] = document


def _lowered(element: Element) -> Element:
    """The same document with flags in lower case, as the service gives them back whatever they came in."""
    text = element.text.strip()
    text = text.lower() if text in ("True", "False") else text
    return Element(element.tag, text, tuple(_lowered(child) for child in element.children))


def _completed(document: Document, found: Element) -> list[Node]:
    """What is given back: the document, and what the service adds where it was left out."""
    nodes = [child.node() for child in found.children]
    if document.subresource == "cors" and found.find("ResponseVary") is None:
        nodes.append(("ResponseVary", "false"))
    return nodes


def _headers_lowered(element: Element) -> Element:
    """CORS rules with the names of allowed headers in lower case, as they are given back."""
    text = element.text.lower() if element.tag == "AllowedHeader" else element.text
    return Element(element.tag, text, tuple(_headers_lowered(child) for child in element.children))


def _put(document: Document) -> Handler:
    def put(call: OssCall) -> Response:
        after = _lowered(call.body(document.root))
        if document.subresource == "cors":
            after = _headers_lowered(after)
        if not any(after.find(tag) is not None for tag in document.required):
            raise OssRefusal(Oss.MALFORMED)
        if document.check is not None:
            document.check(call, after)
        before = kept(call.bucket, document.subresource)
        keep(call.bucket, document.subresource, after)
        call.changed(before, after)
        return done()

    return put


def _get(document: Document) -> Handler:
    def get(call: OssCall) -> Response:
        found = kept(call.bucket, document.subresource)
        if found is not None:
            return answer(document.root, _completed(document, found))
        if document.absent is not None:
            raise OssRefusal(document.absent, BucketName=call.name)
        return answer(document.root, list(document.default))

    return get


def _delete(document: Document) -> Handler:
    def delete(call: OssCall) -> Response:
        before = kept(call.bucket, document.subresource)
        keep(call.bucket, document.subresource, None)
        if before is not None:
            call.changed(before, None)
        return gone()

    return delete


def _operations(document: Document) -> list[Operation]:
    verbs: dict[str, tuple[str, Callable[[Document], Handler]]] = {"PUT": ("Put", _put), "GET": ("Get", _get)}
    if document.deletable:
        verbs["DELETE"] = ("Delete", _delete)
    return [
        Operation(
            verb + document.operation, Level.BUCKET, method, document.subresource, make(document), reads=verb == "Get"
        )
        for method, (verb, make) in verbs.items()
    ]


OPERATIONS = tuple(operation for document in _DOCUMENTS for operation in _operations(document))
