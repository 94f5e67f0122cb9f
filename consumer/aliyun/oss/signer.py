"""Signs requests to OSS in version 4, as oss2 does, at a quarter of its cost.

oss2 encodes every character of a path in a loop and derives the day's key anew for every request, which is more than
a quarter of what a request costs here. It takes any object that signs; a test compares this one with oss2's own.

Signature version 4: https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote

import oss2

from consumer.aliyun.credentials import CredentialsProvider

_ALGORITHM = "OSS4-HMAC-SHA256"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_SIGNED_HEADERS = ("content-type", "content-md5")
"""Besides every `x-oss-` header."""


class Signer(oss2.ProviderAuthV4):  # type: ignore[misc] # the SDK carries no types
    """Signs for one account; shared by all workers."""

    def __init__(self, credentials: CredentialsProvider, *, wall: Callable[[], float] = time.time) -> None:
        super().__init__(credentials)
        self._wall = wall

    def _sign_request(self, req: Any, bucket_name: str, key: str, in_additional_headers: object = None) -> None:
        """Add date, token and authorization to a request of oss2's.

        Raises:
            NotAuthenticated: there are no credentials at the moment.
            ValueError: more headers are to be signed than this project ever sends.
        """
        if in_additional_headers:
            raise ValueError("additional headers are not signed here")
        credentials = self.credentials_provider.get_credentials()
        headers, region, product = req.headers, req.region, req.product
        if token := credentials.get_security_token():
            headers["x-oss-security-token"] = token
        moment = _moment(int(self._wall()))
        headers["x-oss-date"] = moment
        headers["x-oss-content-sha256"] = _UNSIGNED
        scope = f"{moment[:8]}/{region}/{product}/aliyun_v4_request"
        path = encoded(f"/{bucket_name}/{key}" if bucket_name else "/", "/")
        request = f"{req.method}\n{path}\n{_query(req.params)}\n{_headers(headers.items())}\n\n{_UNSIGNED}"
        digest = sha256(request.encode("utf-8")).hexdigest()
        signing_key = _signing_key(credentials.get_access_key_secret(), moment[:8], region, product)
        signature = hmac.digest(signing_key, f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}".encode(), "sha256").hex()
        credential = f"{credentials.get_access_key_id()}/{scope}"
        headers["authorization"] = f"{_ALGORITHM} Credential={credential}, Signature={signature}"


@lru_cache(maxsize=1024)
def encoded(text: str, safe: str = "") -> str:
    """Percent-encoded as the service wants it; the few texts of one repair come again and again."""
    return quote(text, safe=safe)


@lru_cache(maxsize=4)
def _moment(seconds: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(seconds))


def _query(parameters: dict[str, str]) -> str:
    pairs = sorted([(encoded(name), encoded(value)) for name, value in parameters.items()])
    return "&".join([f"{name}={value}" if value else name for name, value in pairs])


def _headers(headers: Iterable[tuple[str, str]]) -> str:
    signed = sorted([(signed, value) for name, value in headers if (signed := _signed_name(name))])
    return "".join([f"{name}:{value}\n" for name, value in signed])


@lru_cache(maxsize=64)
def _signed_name(header: str) -> str:
    """A header's name as it is signed, or nothing if it is not."""
    name = header.lower()
    return name if name.startswith("x-oss-") or name in _SIGNED_HEADERS else ""


@lru_cache(maxsize=16)
def _signing_key(secret: str, day: str, region: str, product: str) -> bytes:
    """The key of one day, region and product; a few secrets are in use at a time, and a day is long."""
    key = f"aliyun_v4{secret}".encode()
    for part in (day, region, product, "aliyun_v4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
