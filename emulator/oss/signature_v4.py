"""Signature version 4 (`OSS4-HMAC-SHA256`): bound to a day, a region and the product.

https://www.alibabacloud.com/help/en/oss/developer-reference/recommend-to-use-signature-version-4 . Pure; the
derived signing keys are remembered because they change once a day only.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from emulator.oss.signature_v1 import sorted_headers

ALGORITHM = "OSS4-HMAC-SHA256"
TERMINATOR = "aliyun_v4_request"
_ALWAYS_SIGNED = frozenset({"content-type", "content-md5"})


@dataclass(frozen=True, slots=True)
class Scope:
    """The credential's scope: for which day, region and product the signature holds."""

    date: str
    """`YYYYMMDD`, UTC."""
    region: str
    product: str

    def __str__(self) -> str:
        return f"{self.date}/{self.region}/{self.product}/{TERMINATOR}"


def canonical_request(
    method: str,
    bucket: str | None,
    key: str,
    query: Mapping[str, str],
    headers: Mapping[str, str],
    additional: frozenset[str],
) -> bytes:
    """The request in its canonical form; bucket and key stand in it whatever style the address had."""
    path = quote(f"/{bucket}/{key}", safe="/", errors="surrogateescape") if bucket else "/"
    parameters = sorted(
        (quote(name, safe=""), quote(value, safe="")) for name, value in query.items() if name != "x-oss-signature"
    )
    lines = [
        method,
        path,
        "&".join(f"{name}={value}" if value else name for name, value in parameters),
        *sorted_headers(headers, _ALWAYS_SIGNED | additional),
        "",
        ";".join(sorted(additional - _ALWAYS_SIGNED)),
        headers.get("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
    ]
    return "\n".join(lines).encode("latin-1", "replace")


def string_to_sign(signed_at: str, scope: Scope, request: bytes) -> str:
    """What is signed; `signed_at` is the request's `x-oss-date`."""
    return f"{ALGORITHM}\n{signed_at}\n{scope}\n{hashlib.sha256(request).hexdigest()}"


def signature(secret: str, scope: Scope, text: str) -> str:
    """The hexadecimal signature of the string to sign."""
    return hmac.digest(_signing_key(secret, scope), text.encode(), "sha256").hex()


@lru_cache(maxsize=256)
def _signing_key(secret: str, scope: Scope) -> bytes:
    key = hmac.digest(b"aliyun_v4" + secret.encode(), scope.date.encode(), "sha256")
    for part in (scope.region, scope.product, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
