"""Signature version 2: HMAC-SHA256 over a percent-encoded resource with every query parameter.

Named `OSS2` on the wire; superseded by version 4 but still sent by older clients. Pure.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from urllib.parse import quote

from emulator.oss.signature_v1 import sorted_headers


def resource(bucket: str | None, key: str, query: Mapping[str, str]) -> str:
    """The canonicalized resource: even slashes are escaped; the signature itself is left out."""
    path = quote(f"/{bucket}/{key}" if bucket else "/", safe="")
    signed = sorted(
        (quote(name, safe=""), quote(value, safe="")) for name, value in query.items() if name != "x-oss-signature"
    )
    if not signed:
        return path
    return path + "?" + "&".join(f"{name}={value}" if value else name for name, value in signed)


def string_to_sign(
    method: str, headers: Mapping[str, str], date: str, additional: frozenset[str], canonical_resource: str
) -> bytes:
    """What is signed; `additional` are the lower-case names of further signed headers."""
    lines = [method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    lines += sorted_headers(headers, additional)
    lines.append(";".join(sorted(additional)))
    return "\n".join([*lines, canonical_resource]).encode("latin-1", "replace")


def signature(secret: str, text: bytes) -> str:
    """The Base64 signature of the string to sign."""
    return base64.b64encode(hmac.digest(secret.encode(), text, "sha256")).decode()
