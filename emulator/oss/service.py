"""The service's front door: routes a request, finds out who asks, lets the operation answer, says no properly.

Knows no single operation; those are in `creation`, `objects` and `subresources`.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from emulator.codes import Row
from emulator.http import Request, Response
from emulator.oss.addressing import Address, locate, parameters
from emulator.oss.admission import admit, refuse_missing
from emulator.oss.authentication import authenticate, claimed_key_id
from emulator.oss.bucket import Bucket, as_json
from emulator.oss.call import XML, Admission, Level, Operation, OssCall
from emulator.oss.codes import Oss
from emulator.oss.creation import check_name
from emulator.oss.document import render
from emulator.oss.errors import OssRefusal
from emulator.oss.routes import ROUTES, subresource, unknown
from emulator.oss.store import Store
from emulator.world import World
from emulator.xml import Node

_log = logging.getLogger(__name__)
_SERVER_TIME = ("x-oss-server-time", "1")


class OssService:
    """The emulated OSS; implements `emulator.http.Service`.

    Options read from `world.options`:
    `oss_block_public_access_by_default` (default False): buckets created over HTTP have Block Public Access on,
    as the service's new buckets do; `oss_limit_buckets` (default False): refuse more than 100 buckets per
    account and region; `oss_redundancy_transition_seconds` (default 3600): how long a move to zone redundancy
    takes; `oss_source_ip_refusal` (default None): with which status, 400 or 403, a policy is refused that limits
    addresses without naming a VPC.
    """

    name = "oss"

    def __init__(self, world: World) -> None:
        self._world = world
        self._store = Store(world)
        self.buckets: Mapping[str, Bucket] = MappingProxyType(self._store.buckets)
        """The buckets by name, to look at; change them through requests or the methods here."""

    def operation(self, request: Request) -> str:
        """The operation's name as OSS documents it, or `Unknown`."""
        try:
            return self._route(request.method, self._locate(request), parameters(request.query)).name
        except OssRefusal:
            return "Unknown"

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        request_id = self._world.request_id()
        try:
            response = self._carry_out(request, request_id)
        except OssRefusal as refusal:
            return self._refused(request, request_id, refusal)
        response.headers[:0] = _common_headers(request_id)
        return response

    def error(self, request: Request, status: int, code: str, message: str) -> Response:
        """A refusal with any status, code and message."""
        refusal = OssRefusal(Row("*", code, status, message))
        return self._refused(request, self._world.request_id(), refusal)

    def create_bucket(
        self,
        name: str,
        *,
        owner_id: str | None = None,
        region: str | None = None,
        acl: str = "private",
        **configured: Any,
    ) -> Bucket:
        """Create a bucket without a request; `configured` are further fields of Bucket.

        Raises Refusal when the name is impossible or taken.
        """
        check_name(name)
        if name in self.buckets:
            raise OssRefusal(Oss.NAME_TAKEN, BucketName=name)
        bucket = Bucket(
            name,
            owner_id or self._world.account_id,
            region or self._world.region,
            self._world.clock.now(),
            acl,
            **configured,
        )
        self._store.create(bucket, "PutBucket", settings={field: as_json(value) for field, value in configured.items()})
        return bucket

    def delete_bucket(self, name: str) -> None:
        """Delete a bucket with everything in it, without a request; raises Refusal when there is none."""
        if name not in self.buckets:
            raise OssRefusal(Oss.NO_BUCKET, BucketName=name)
        self._store.delete(name, "DeleteBucket")

    def blocks_public_access(self, bucket: Bucket) -> bool:
        """Whether Block Public Access holds for a bucket, by itself or by its account."""
        return self._store.blocks_public_access(bucket)

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Call back with the bucket's name after each accepted change of its configuration."""
        self._store.listen(callback)

    def state(self) -> dict[str, Any]:
        """Everything there is, for the control port."""
        return {
            "buckets": {name: bucket.as_json() for name, bucket in self.buckets.items()},
            "accounts_blocking_public_access": sorted(self._store.blocked_accounts),
        }

    def reset(self) -> None:
        """Forget every bucket."""
        self._store.reset()

    def _refused(self, request: Request, request_id: str, refusal: OssRefusal) -> Response:
        operation = self.operation(request)
        if not refusal.row.covers(operation):
            _log.error("no row of the table of codes covers %s: %s", operation, refusal.row)
        if refusal.status >= 400 and operation != "Unknown":
            self._world.journal.read(
                "oss",
                operation,
                self._locate(request).bucket or "",
                request_id=request_id,
                access_key_id=claimed_key_id(request),
                refused=refusal.code,
                status=refusal.status,
            )
        return _refused(request, request_id, refusal)

    def _locate(self, request: Request) -> Address:
        own_host = urlsplit(self._world.oss_url).hostname or ""
        return locate(request.host, request.path, own_host)

    def _carry_out(self, request: Request, request_id: str) -> Response:
        address = self._locate(request)
        if address.bucket is not None:
            check_name(address.bucket)
        query = parameters(request.query)
        operation = self._route(request.method, address, query)
        call = OssCall(operation, request, request_id, address, query, self._store)
        refuse_missing(call)
        if operation.admission is not Admission.UNSIGNED:
            call.caller = authenticate(self._world, request, address, query)
            _check_digest(request)
            admit(call)
        response = operation.handler(call)
        if operation.reads:
            self._world.journal.read(
                "oss",
                operation.name,
                address.bucket or "",
                request_id=request_id,
                access_key_id=call.caller.access_key_id,
            )
        return response

    def _route(self, method: str, address: Address, query: Mapping[str, str]) -> Operation:
        level = Level.OBJECT if address.key else Level.BUCKET
        if address.bucket is None:
            level = Level.SERVICE
        selected = subresource(query)
        return ROUTES.get((level, method, selected)) or unknown(level, method, selected)


def _check_digest(request: Request) -> None:
    """Raise Refusal(InvalidDigest) when a Content-MD5 is there and is not that of the body."""
    given = request.headers.get("content-md5")
    if given is None or (not request.body and not given):
        return
    actual = base64.b64encode(hashlib.md5(request.body, usedforsecurity=False).digest()).decode()
    if given != actual:
        refusal = OssRefusal(Oss.DIGEST)
        refusal.details["Content-MD5"] = given
        raise refusal


def _common_headers(request_id: str) -> list[tuple[str, str]]:
    return [("Server", "AliyunOSS"), ("x-oss-request-id", request_id), _SERVER_TIME]


def _refused(request: Request, request_id: str, refusal: OssRefusal) -> Response:
    content: list[Node] = [
        ("Code", refusal.code),
        ("Message", refusal.message),
        ("RequestId", request_id),
        ("HostId", request.host.partition(":")[0]),
        *refusal.details.items(),
    ]
    headers = [*_common_headers(request_id), XML, *refusal.headers]
    if refusal.row is Oss.NO_BUCKET.value:
        headers.remove(_SERVER_TIME)  # recorded: nothing was timed
    if refusal.ec:
        content.append(("EC", refusal.ec))
        content.append(("RecommendDoc", f"https://api.aliyun.com/troubleshoot?q={refusal.ec}"))
        headers.append(("x-oss-ec", refusal.ec))
    body = render("Error", content)
    if request.method == "HEAD":
        headers.append(("x-oss-err", base64.b64encode(body).decode()))
        body = b""
    elif refusal.status == 304:
        body = b""
    return Response(refusal.status, headers, body)
