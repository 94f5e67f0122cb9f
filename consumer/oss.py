"""The OSS gateway: buckets through oss2, with the bounds and the error types this project needs.

Nothing here decides; it asks, retries what is transient within the delivery's budget, and translates every failure
into `consumer.errors`. Shared by all workers: a bucket object is made per delivery, connections are kept per thread.

Operations and error codes: https://www.alibabacloud.com/help/en/oss/developer-reference
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit
from xml.etree.ElementTree import ParseError

import oss2
from oss2.exceptions import OssError

from consumer.bucket import Bucket, BucketInfo, Resource
from consumer.credentials import CredentialsProvider
from consumer.endpoints import Endpoints, region_of
from consumer.errors import (
    AccountSuspended,
    BucketGone,
    DamagedReply,
    NotAuthenticated,
    PermanentError,
    PermissionMissing,
    PublicAccessBlocked,
    ServiceError,
    Throttled,
    Unanswered,
    Unavailable,
    WrongEndpoint,
)
from consumer.hooks import ApiCall, Hooks
from consumer.oss_session import Session
from consumer.retry import Retrier

_ERRORS: Mapping[str, type[ServiceError]] = {
    "NoSuchBucket": BucketGone,
    "AccessDenied": PermissionMissing,
    "InvalidAccessKeyId": NotAuthenticated,
    "SignatureDoesNotMatch": NotAuthenticated,
    "InvalidSecurityToken": NotAuthenticated,
    "SecurityTokenExpired": NotAuthenticated,
    "SecurityTokenNotSupported": NotAuthenticated,
    "AccessKeyIdAndSecurityTokenNotMatch": NotAuthenticated,
    "RequestTimeTooSkewed": NotAuthenticated,
    "UserDisable": AccountSuspended,
    "BucketDisable": AccountSuspended,
    "AbnormalBucketOwnerStatus": AccountSuspended,
    "InvalidBucketOwnerStatus": AccountSuspended,
    "MetaOperationQpsLimitExceeded": Throttled,
    "TotalQpsLimitExceeded": Throttled,
    "UploadTrafficRateLimitExceeded": Throttled,
    "DownloadTrafficRateLimitExceeded": Throttled,
    "ActiveRequestLimitExceeded": Throttled,
    "CpuLimitExceeded": Throttled,
    "QpsLimitExceeded": Throttled,
    "ServiceUnavailable": Unavailable,
    "InternalError": Unavailable,
    "OperationAborted": Unavailable,
    "RequestTimeout": Unanswered,
}
"""By code; a code of 5xx that is not named here is `Unavailable`, another one permanent."""

_ADDRESSED_WRONGLY = "must be addressed using the specified endpoint"
_PUBLIC_REFUSED = ("Put public bucket acl is not allowed", "Put public bucket policy is not allowed")

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class OssSettings:
    """How OSS is reached."""

    endpoints: Endpoints
    connect_timeout_seconds: float = 5.0
    call_timeout_seconds: float = 10.0


class Oss:
    """Opens buckets; one for the process."""

    def __init__(
        self,
        settings: OssSettings,
        credentials: CredentialsProvider,
        hooks: Hooks,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._auth = oss2.ProviderAuthV4(credentials)
        self._hooks = hooks
        self._monotonic = monotonic
        self._hosts: set[str] = set()
        self._session = Session(allowed=self._allows, connect_timeout_seconds=settings.connect_timeout_seconds)

    def open(self, resource: Resource, retrier: Retrier, until: float) -> Bucket:
        """A bucket for one delivery, whose requests are tried until the monotonic moment `until` at most."""
        return OssBucket(self, resource, retrier, until)

    def connect(self, name: str, region: str) -> Any:
        """The SDK's bucket object at a region's endpoint. For `OssBucket`."""
        endpoint = self._settings.endpoints.url(region)
        self._hosts.add(urlsplit(endpoint).netloc)
        return oss2.Bucket(
            self._auth,
            endpoint,
            name,
            session=self._session,
            connect_timeout=self._settings.call_timeout_seconds,
            region=region,
        )

    def call(self, operation: str, request: Callable[[], _T]) -> _T:
        """One request, counted, and its failure translated. For `OssBucket`."""
        started = self._monotonic()
        code, asked = "ok", ""
        try:
            result = request()
            asked = str(getattr(result, "request_id", ""))
        except ServiceError as error:
            code = error.code
            error.operation = operation  # the session below knows only the HTTP method
            raise
        except Exception as raised:  # noqa: BLE001 - oss2 lets parser, type and value errors through
            translated = _translated(operation, raised)
            code, asked = translated.code, translated.request_id
            raise translated from None
        finally:
            self._hooks.api_call(ApiCall("oss", operation, code, self._monotonic() - started, asked))
        return result

    def _allows(self, url: SplitResult) -> bool:
        """Whether a URL leads to an endpoint in use or to a bucket's name directly below one."""
        host = url.netloc
        return host in self._hosts or host.partition(".")[2] in self._hosts


class OssBucket:
    """One bucket for one delivery; implements `consumer.bucket.Bucket`."""

    def __init__(self, oss: Oss, resource: Resource, retrier: Retrier, until: float) -> None:
        self.name = resource.name
        self._oss = oss
        self._region = resource.region
        self._retrier = retrier
        self._until = until
        self._sdk = oss.connect(resource.name, resource.region)

    def info(self) -> BucketInfo:
        """GetBucketInfo, at the bucket's own region even if the event named another.

        The service's refusal names an endpoint; only a region id is taken from it, and the answer there has to
        confirm it.
        """
        try:
            return self._info()
        except WrongEndpoint as error:
            region = region_of(error.endpoint)
            if not region or region == self._region:
                raise
            self._region = region
            self._sdk = self._oss.connect(self.name, region)
            return self._info()

    def put_acl(self, acl: str) -> None:
        """PutBucketAcl."""
        self._call("PutBucketAcl", lambda: self._sdk.put_bucket_acl(acl))

    def delete(self) -> None:
        """DeleteBucket, which the service refuses unless the bucket is empty."""
        self._call("DeleteBucket", lambda: self._sdk.delete_bucket())

    def _info(self) -> BucketInfo:
        found = self._call("GetBucketInfo", lambda: self._sdk.get_bucket_info())
        if found.name != self.name:
            raise DamagedReply("oss", "GetBucketInfo", "wrong_bucket", "the answer is about another bucket")
        return BucketInfo(
            owner_id=str(found.owner.id),
            region=str(found.location or "").removeprefix("oss-"),
            created=str(found.creation_date),
            acl=str(found.acl.grant),
        )

    def _call(self, operation: str, request: Callable[[], _T]) -> _T:
        return self._retrier.call(lambda: self._oss.call(operation, request), until=self._until)


def _translated(operation: str, raised: Exception) -> ServiceError:
    if not isinstance(raised, OssError):
        kind = "unreadable XML" if isinstance(raised, ParseError) else type(raised).__name__
        return DamagedReply("oss", operation, "damaged_reply", f"the answer could not be read: {kind}")
    code, status = str(raised.code), int(raised.status)
    message, asked = str(raised.message), str(raised.request_id)
    if status < 0:
        return PermanentError("oss", operation, "invalid_request", "the SDK refused the request before sending it")
    if not code:
        text = f"HTTP {status} without an error code"
        kind_of = Unavailable if status >= 500 else DamagedReply
        return kind_of("oss", operation, "no_error_code", text, status=status, request_id=asked)
    if code == "PermanentRedirect" or _ADDRESSED_WRONGLY in message:
        endpoint = str(raised.details.get("Endpoint", ""))
        return WrongEndpoint(operation, message, endpoint=endpoint, status=status, request_id=asked)
    if code == "AccessDenied" and message.startswith(_PUBLIC_REFUSED):
        return PublicAccessBlocked("oss", operation, code, message, status=status, request_id=asked)
    error = _ERRORS.get(code) or (Unavailable if status >= 500 else PermanentError)
    return error("oss", operation, code, message, status=status, request_id=asked)
