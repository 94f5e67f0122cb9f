"""OSS as far as the repair of an ACL sees it: buckets with one ACL each, answered after a set latency.

Path style for addresses, virtual-hosted style below `oss-bench.test`. The documents are rendered by the emulator, once,
as templates. Signatures are not verified.
"""

from __future__ import annotations

import asyncio
import time
from itertools import count

from bench.names import ACCOUNT_ID, DOMAIN, REGION
from bench.server.ledger import Ledger, Track
from bench.server.protocol import Request, answer
from emulator.oss import codes
from emulator.oss.document import render
from emulator.xml import Node

_NAME, _ACL, _ID, _HOST = "_name_", "_acl_", "_request_", "_host_"
_CREATED = "2024-05-01T08:00:00.000Z"

_OWNER: Node = ("Owner", [("DisplayName", ACCOUNT_ID), ("ID", ACCOUNT_ID)])
_GRANT: Node = ("AccessControlList", [("Grant", _ACL)])
_INFO = render(
    "BucketInfo",
    [
        (
            "Bucket",
            [
                ("AccessMonitor", "Disabled"),
                ("CreationDate", _CREATED),
                ("ExtranetEndpoint", f"oss-{REGION}.aliyuncs.com"),
                ("IntranetEndpoint", f"oss-{REGION}-internal.aliyuncs.com"),
                ("Location", f"oss-{REGION}"),
                ("Name", _NAME),
                ("Region", REGION),
                ("ResourceGroupId", "rg-acfmw00000000000"),
                ("StorageClass", "Standard"),
                ("DataRedundancyType", "LRS"),
                ("CrossRegionReplication", "Disabled"),
                ("TransferAcceleration", "Disabled"),
                _OWNER,
                _GRANT,
                ("BlockPublicAccess", "false"),
                ("Comment", ""),
                ("BucketPolicy", [("LogBucket", ""), ("LogPrefix", "")]),
                ("ServerSideEncryptionRule", [("SSEAlgorithm", "None")]),
            ],
        )
    ],
).decode()
_POLICY = render("AccessControlPolicy", [_OWNER, _GRANT]).decode()
_BLOCK = render("PublicAccessBlockConfiguration", [("BlockPublicAccess", "false")])
_TAGS = render("Tagging", [("TagSet", [])])


def _refusal(refused: codes.Oss) -> tuple[int, str]:
    known = refused.value
    told: list[Node] = [("Code", known.code), ("Message", known.message), ("RequestId", _ID), ("HostId", _HOST)]
    body = render("Error", [*told, ("BucketName", _NAME), *([("EC", known.ec)] if known.ec else [])])
    return known.status, body.decode()


_NO_BUCKET = _refusal(codes.Oss.NO_BUCKET)
_NO_POLICY = _refusal(codes.Oss.NO_POLICY)
_NOT_IMPLEMENTED = _refusal(codes.Oss.NOT_EMULATED)

_OPERATIONS = {
    ("GET", "bucketInfo"): "GetBucketInfo",
    ("GET", "acl"): "GetBucketAcl",
    ("PUT", "acl"): "PutBucketAcl",
    ("GET", "policy"): "GetBucketPolicy",
    ("GET", "publicAccessBlock"): "GetBucketPublicAccessBlock",
    ("GET", "tagging"): "GetBucketTags",
}
_READS_OF_ACL = frozenset({"GetBucketInfo", "GetBucketAcl"})


class Oss:
    """Every bucket of a run."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.latency_seconds = 0.0
        """How much later than at once every request is answered."""
        self._acls: dict[str, str] = {}
        self._serial = count(1)

    def create(self, bucket: str) -> None:
        """A bucket that anyone can read."""
        self._acls[bucket] = "public-read"

    def acl(self, bucket: str) -> str | None:
        """The bucket's ACL now."""
        return self._acls.get(bucket)

    def serve(self, request: Request) -> None:
        """Carry a request out now, and answer it after the latency."""
        bucket = _bucket(request)
        operation = _OPERATIONS.get((request.method, request.query.partition("&")[0].rstrip("=")), "Unknown")
        now = time.monotonic()
        self.ledger.asked(f"oss:{operation}", now)
        track = self.ledger.tracks.get(bucket)
        if track is not None:
            self.ledger.called(track, operation, now)
        status, body = self._carried_out(operation, bucket, request, track)
        headers = (
            f"Server: AliyunOSS\r\nContent-Type: application/xml\r\nx-oss-request-id: {next(self._serial):024X}\r\n"
        )
        data = answer(status, f"{headers}x-oss-server-time: 1\r\n", body, time.time())
        if self.latency_seconds:
            loop = asyncio.get_running_loop()
            loop.call_later(self.latency_seconds, self._finish, request, data, operation, track)
        else:
            self._finish(request, data, operation, track)

    def _finish(self, request: Request, data: bytes, operation: str, track: Track | None) -> None:
        request.answer(data)
        if track is not None and operation in _READS_OF_ACL and not request.left:
            self.ledger.read_back(track, time.monotonic())

    def _carried_out(self, operation: str, bucket: str, request: Request, track: Track | None) -> tuple[int, bytes]:
        acl = self._acls.get(bucket)
        if operation == "PutBucketAcl":
            # As the service: putting an ACL on a bucket that is missing creates it.
            self._acls[bucket] = request.headers.get(b"x-oss-acl", b"private").decode("latin-1")
            if track is not None:
                track.puts += 1
            return 200, b""
        if acl is None:
            return self._refused(_NO_BUCKET, bucket, request)
        match operation:
            case "GetBucketInfo":
                return 200, _INFO.replace(_NAME, bucket).replace(_ACL, acl).encode()
            case "GetBucketAcl":
                return 200, _POLICY.replace(_ACL, acl).encode()
            case "GetBucketPublicAccessBlock":
                return 200, _BLOCK
            case "GetBucketTags":
                return 200, _TAGS
            case "GetBucketPolicy":
                return self._refused(_NO_POLICY, bucket, request)
            case _:
                return self._refused(_NOT_IMPLEMENTED, bucket, request)

    def _refused(self, refusal: tuple[int, str], bucket: str, request: Request) -> tuple[int, bytes]:
        status, body = refusal
        host = request.headers.get(b"host", b"").decode("latin-1")
        asked = f"{next(self._serial):024X}"
        return status, body.replace(_NAME, bucket).replace(_ID, asked).replace(_HOST, host).encode()


def _bucket(request: Request) -> str:
    """The bucket that a request is addressed to, by its host's name or by its path."""
    host = request.headers.get(b"host", b"").decode("latin-1").partition(":")[0]
    if host.endswith(f".{DOMAIN}"):
        return host.removesuffix(f".{DOMAIN}")
    return request.path.lstrip("/").partition("/")[0]
