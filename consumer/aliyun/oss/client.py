"""The OSS gateway: buckets through oss2, with the bounds and the error types this project needs.

Nothing here decides; it sends requests, retries what is transient within the delivery's budget, and translates every
failure into `consumer.core.errors`. Shared by all workers: a bucket object is made per delivery, connections are kept
per thread. What a setting sends and reads stands in `consumer.resources.oss.settings`, what failures mean in
`consumer.aliyun.oss.errors`.

Operations and error codes: https://www.alibabacloud.com/help/en/oss/developer-reference
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from consumer.aliyun.credentials import CredentialsProvider
from consumer.aliyun.oss.endpoints import Endpoints, region_of
from consumer.aliyun.oss.errors import translated
from consumer.aliyun.oss.requests import FoundBucket, ListedBucket, RequestingBucket, SettingReply
from consumer.aliyun.oss.session import OssSession
from consumer.aliyun.oss.signer import Signer
from consumer.aliyun.retry import Retrier
from consumer.aliyun.writes import written_by
from consumer.core.errors import DamagedReply, PermanentError, ResourceGone, ServiceError, WrongEndpoint
from consumer.core.observers import ApiCall, Hooks
from consumer.resources.base import Resource, Written
from consumer.resources.oss.bucket import Bucket, BucketInfo
from consumer.resources.oss.named_settings import NamedSettings
from consumer.resources.oss.settings.base import Setting

_T = TypeVar("_T")

_MOST_ENDPOINTS = 16
"""That are remembered; the one unused longest makes room."""


@dataclass(frozen=True, slots=True)
class OssSettings:
    """How OSS is reached."""

    endpoints: Endpoints
    connect_timeout_seconds: float = 5.0
    call_timeout_seconds: float = 10.0


class Oss:
    """Opens buckets; one for the process. Implements `consumer.resources.base.Opener`."""

    def __init__(
        self,
        settings: OssSettings,
        credentials: CredentialsProvider,
        hooks: Hooks,
        retrier: Retrier,
        *,
        members: Mapping[str, CredentialsProvider] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._auth = Signer(credentials)
        self._members = {account: Signer(member) for account, member in (members or {}).items()}
        self._hooks = hooks
        self._retrier = retrier
        self._monotonic = monotonic
        self._session = OssSession(
            endpoints=settings.endpoints, connect_timeout_seconds=settings.connect_timeout_seconds
        )

        self._at = lru_cache(maxsize=_MOST_ENDPOINTS)(self._new_endpoint)

    def open(self, resource: Resource, until: Callable[[], float]) -> Bucket:
        """A bucket for one delivery, whose requests are tried again until the monotonic moment `until()` at most."""
        return OssBucket(self, resource, self._retrier, until)

    def close(self) -> None:
        """Close the calling thread's connections."""
        self._session.close()

    def sent_twice(self) -> bool:
        """Whether the calling thread's last request was sent a second time, unanswered. For `OssBucket`."""
        return self._session.sent_twice()

    def connect(self, name: str, region: str, account_id: str) -> Any:
        """The SDK's bucket object at a region's endpoint, with the owner's credentials. For `OssBucket`."""
        return self._at(self._members.get(account_id, self._auth), region).named(name)

    def call(self, operation: str, request: Callable[[], _T], request_ids: list[str]) -> _T:
        """One request, counted, its id added, and its failure translated. For `OssBucket`."""
        started = self._monotonic()
        code, request_id = "ok", ""
        try:
            result = request()
            request_id = str(getattr(result, "request_id", ""))
        except ServiceError as error:
            code = error.code
            error.operation = operation  # the session below knows only the HTTP method
            raise
        except Exception as raised:  # noqa: BLE001 - oss2 lets parser, type and value errors through
            failure = translated(operation, raised)
            code, request_id = failure.code, failure.request_id
            raise failure from None
        finally:
            if request_id:
                request_ids.append(request_id)
            self._hooks.api_call(ApiCall("oss", operation, code, self._monotonic() - started, request_id))
        return result

    def _new_endpoint(self, auth: Signer, region: str) -> RequestingBucket:
        """Any bucket there: what the SDK makes of an address and its settings is the same for every bucket."""
        return RequestingBucket(
            auth,
            self._settings.endpoints.url(region),
            "any-bucket",
            session=self._session,
            connect_timeout=self._settings.call_timeout_seconds,
            region=region,
        )


class OssBucket(NamedSettings):
    """One bucket for one delivery; implements `consumer.resources.oss.bucket.Bucket`."""

    def __init__(self, oss: Oss, resource: Resource, retrier: Retrier, until: Callable[[], float]) -> None:
        self.name = resource.resource_id
        self.request_ids: list[str] = []
        self.granted: set[str] = set()
        self.written = Written.NO
        self._oss = oss
        self._region = resource.region
        self._retrier = retrier
        self._until = until
        self._account_id = resource.account_id
        self._sdk = oss.connect(resource.resource_id, resource.region, resource.account_id)

    def identity(self) -> BucketInfo:
        """GetBucketInfo."""
        return self.info()

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
            self._sdk = self._oss.connect(self.name, region, self._account_id)
            return self._info()

    def read(self, setting: Setting[_T]) -> _T:
        """The record of a setting; an unset one, which the service may call an error, is what holds without it."""
        try:
            found: SettingReply[_T] = self._call(setting.request("get").operation, lambda: self._sdk.fetch(setting))
        except ResourceGone:
            raise
        except PermanentError as error:
            if setting.says_unset(error.code):
                return setting.unset
            raise
        return found.value

    def write(self, setting: Setting[_T], value: _T) -> None:
        """Replace the whole setting.

        Raises:
            PermanentError: also for a value that cannot be written, before anything is sent.
        """
        request = setting.request("put")
        try:
            body = setting.render(value) if setting.render else b""
        except ValueError as error:
            raise PermanentError("oss", request.operation, "invalid_request", str(error)) from None
        try:
            self._change(request.operation, lambda: self._sdk.send(request, body))
        except PermanentError as error:
            if error.code != setting.done_code:
                raise

    def clear(self, setting: Setting[Any]) -> None:
        """Take the setting away."""
        request = setting.request("delete")
        self._change(request.operation, lambda: self._sdk.send(request))

    def put_acl(self, acl: str) -> None:
        """PutBucketAcl."""
        self._change("PutBucketAcl", lambda: self._sdk.put_bucket_acl(acl))

    def delete(self) -> None:
        """DeleteBucket, which the service refuses unless the bucket is empty."""
        self._call("DeleteBucket", lambda: self._sdk.delete_bucket())

    def is_empty(self) -> bool:
        """ListObjects: whether no object is in it. For the command that looks at a canary; a repair never does."""
        found: ListedBucket = self._call("ListObjects", lambda: self._sdk.listed())
        if found.name != self.name:
            raise DamagedReply("oss", "ListObjects", "wrong_bucket", "the answer is about another bucket")
        return found.empty

    def _info(self) -> BucketInfo:
        found: FoundBucket = self._call("GetBucketInfo", lambda: self._sdk.info())
        if found.name != self.name:
            raise DamagedReply("oss", "GetBucketInfo", "wrong_bucket", "the answer is about another bucket")
        return found.about

    def _call(self, operation: str, request: Callable[[], _T]) -> _T:
        return self._retried(operation, lambda: self._oss.call(operation, request, self.request_ids))

    def _change(self, operation: str, request: Callable[[], Any]) -> None:
        def one_try() -> Any:
            return self._oss.call(operation, request, self.request_ids)

        self._retried(operation, lambda: written_by(self, one_try, self._oss.sent_twice))

    def _retried(self, operation: str, one_try: Callable[[], _T]) -> _T:
        result = self._retrier.call(one_try, until=self._until)
        self.granted.add(f"oss:{operation}")
        return result
