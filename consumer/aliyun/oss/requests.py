"""The SDK's bucket with the requests of this project: what each setting says of its own, and one look at the bucket.

oss2 takes any well-formed XML for an answer, reads what is missing as unset, and drops elements that it does not know;
so the documents are read and written by `consumer.resources.oss`, and the SDK signs and sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from xml.etree import ElementTree as ET

import oss2
from oss2 import compat, exceptions, http, models, utils

from consumer.resources.oss.bucket import BucketInfo
from consumer.resources.oss.settings.base import Setting, SettingRequest
from consumer.resources.oss.xml_documents import required, rooted

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class FoundBucket:
    """What GetBucketInfo answered."""

    name: str
    about: BucketInfo
    request_id: str


@dataclass(frozen=True, slots=True)
class ListedBucket:
    """What ListObjects answered."""

    name: str
    empty: bool
    request_id: str


@dataclass(frozen=True, slots=True)
class SettingReply(Generic[T]):
    """What a setting reads as."""

    value: T
    request_id: str


@dataclass(slots=True)
class BucketRequest:
    """What oss2 signs and sends: its own `Request`, but for headers in a plain dictionary."""

    method: str
    url: str
    params: Mapping[str, str]
    headers: dict[str, str]
    data: Any
    region: str
    product: str


class RequestingBucket(oss2.Bucket):  # type: ignore[misc] # the SDK carries no types
    """`oss2.Bucket` with the requests that this project sends."""

    def __init__(self, auth: Any, endpoint: str, bucket_name: str, **more: Any) -> None:
        super().__init__(auth, endpoint, bucket_name, **more)
        self._own_url = self._make_url(bucket_name, "")

    def named(self, bucket_name: str) -> RequestingBucket:
        """Another bucket at the same endpoint, with the same credentials.

        Raises:
            oss2.exceptions.ClientError: no bucket can have that name.
        """
        if not utils.is_valid_bucket_name(bucket_name):
            raise exceptions.ClientError("The bucket_name is invalid, please check it.")
        other = object.__new__(RequestingBucket)
        other.__dict__.update(self.__dict__, bucket_name=bucket_name, _own_url=self._make_url(bucket_name, ""))
        return other

    def _do(
        self,
        method: str,
        bucket_name: str,
        key: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        data: Any = None,
    ) -> Any:
        """What every request of the SDK goes through: its steps and its bytes on the wire, at a fraction of its cost.

        The SDK writes texts for a debugger at each step, whether or not there is one, and finds headers in any case.

        Raises:
            oss2.exceptions.OssError: the service refused.
            ValueError: it is not about this bucket as a whole.
        """
        if key or bucket_name != self.bucket_name:
            raise ValueError("requests here are about a bucket, not about an object")
        sent = dict(headers or {})
        sent.setdefault("User-Agent", http.USER_AGENT)
        request = BucketRequest(
            method, self._own_url, params or {}, sent, compat.to_bytes(data), self.region, self.product
        )
        self.auth._sign_request(request, bucket_name, key)  # noqa: SLF001 - which is ours: see `signer`
        answer = self.session.do_request(request, timeout=self.timeout)
        if answer.status // 100 != 2:
            raise exceptions.make_exception(answer)
        return answer

    def info(self) -> FoundBucket:
        """GetBucketInfo; the SDK's own call looks up three times as much.

        Raises:
            ValueError: something that every bucket has is missing.
        """
        answer = self._do("GET", self.bucket_name, "", params={oss2.Bucket.BUCKET_INFO: ""})
        bucket = rooted(answer.read(), "BucketInfo").find("Bucket")
        if bucket is None:
            raise ValueError("the answer is about no bucket")
        about = BucketInfo(
            owner_id=required(bucket, "Owner/ID"),
            region=(bucket.findtext("Location") or "").removeprefix("oss-"),
            incarnation=required(bucket, "CreationDate"),
            acl=required(bucket, "AccessControlList/Grant"),
            redundancy=bucket.findtext("DataRedundancyType") or "",
        )
        return FoundBucket(required(bucket, "Name"), about, answer.request_id)

    def listed(self) -> ListedBucket:
        """ListObjects with room for one: whether anything is in the bucket.

        https://www.alibabacloud.com/help/en/oss/developer-reference/listobjects

        Raises:
            ValueError: something that every listing has is missing.
        """
        answer = self._do("GET", self.bucket_name, "", params={"max-keys": "1"})
        listing = rooted(answer.read(), "ListBucketResult")
        more = required(listing, "IsTruncated") != "false"
        empty = not more and listing.find("Contents") is None and listing.find("CommonPrefixes") is None
        return ListedBucket(required(listing, "Name"), empty, answer.request_id)

    def fetch(self, setting: Setting[T]) -> SettingReply[T]:
        """The request that reads a setting.

        Raises:
            ValueError, TypeError, xml.etree.ElementTree.ParseError: the answer is none.
        """
        answer = self._send(setting.request("get"))
        if setting.parse is None:
            raise NotImplementedError(f"the setting {setting.name} reads no answer")
        return SettingReply(setting.parse(answer.read()), answer.request_id)

    def send(self, request: SettingRequest, body: bytes = b"") -> Any:
        """A request that changes a setting; the result carries the request's id.

        Raises:
            xml.etree.ElementTree.ParseError: a POST was not answered with a document.
        """
        answer = self._send(request, body)
        if request.method == "POST":
            ET.fromstring(answer.read())  # noqa: S314 - from the service alone, and bounded
        return models.RequestResult(answer)

    def _send(self, request: SettingRequest, body: bytes = b"") -> Any:
        more: dict[str, Any] = {"data": body, "headers": {"Content-MD5": utils.content_md5(body)}} if body else {}
        return self._do(request.method, self.bucket_name, "", params=dict(request.query), **more)
