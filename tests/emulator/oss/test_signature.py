"""The three signature versions, against what the official SDK computes for the same requests."""

from __future__ import annotations

from typing import Any

import oss2
import oss2.http
import pytest

from emulator.oss import signature_v1, signature_v2, signature_v4

_QUERY = {"acl": "", "x-oss-process": "a b/c", "max-keys": "7"}


def _signed(kind: type, key: str) -> Any:
    request = oss2.http.Request(
        "PUT",
        "http://127.0.0.1/",
        params=dict(_QUERY),
        headers={"Content-Type": "text/plain", "x-oss-meta-b": " padded", "x-oss-meta-a": "1"},
        region="cn-hangzhou",
        product="oss",
    )
    kind("id", "secret")._sign_request(request, "bucket-one", key)
    headers = {name.lower(): value for name, value in request.headers.items() if value is not None}
    return headers, request.headers["authorization"]


@pytest.mark.parametrize("key", ["", "a/b c", "中文+~.txt"])
def test_version_1(key: str) -> None:
    """Version 1 signs only the sub-resources of a query, unescaped."""
    headers, authorization = _signed(oss2.Auth, key)
    headers["x-oss-meta-b"] = " padded"
    resource = signature_v1.resource("bucket-one", key, _QUERY)
    assert resource == f"/bucket-one/{key}?acl&x-oss-process=a b/c"
    text = signature_v1.string_to_sign("PUT", headers, headers["date"], resource)
    padded = text.replace(b"x-oss-meta-b:padded", b"x-oss-meta-b: padded")
    assert authorization == f"OSS id:{signature_v1.signature('secret', padded)}"


@pytest.mark.parametrize("key", ["", "a/b c", "中文+~.txt"])
def test_version_2(key: str) -> None:
    """Version 2 signs the whole query, everything escaped."""
    headers, authorization = _signed(oss2.AuthV2, key)
    resource = signature_v2.resource("bucket-one", key, _QUERY)
    text = signature_v2.string_to_sign("PUT", headers, headers["date"], frozenset(), resource)
    padded = text.replace(b"x-oss-meta-b:padded", b"x-oss-meta-b: padded")
    assert authorization == f"OSS2 AccessKeyId:id,Signature:{signature_v2.signature('secret', padded)}"


@pytest.mark.parametrize("key", ["", "a/b c", "中文+~.txt"])
def test_version_4(key: str) -> None:
    """Version 4 signs a canonical request within a scope of day, region and product."""
    headers, authorization = _signed(oss2.AuthV4, key)
    request = signature_v4.canonical_request("PUT", "bucket-one", key, _QUERY, headers, frozenset())
    request = request.replace(b"x-oss-meta-b:padded", b"x-oss-meta-b: padded")
    scope = signature_v4.Scope(headers["x-oss-date"][:8], "cn-hangzhou", "oss")
    text = signature_v4.string_to_sign(headers["x-oss-date"], scope, request)
    assert authorization.endswith(f"Signature={signature_v4.signature('secret', scope, text)}")


def test_service_level() -> None:
    """Without a bucket the resource is the root alone."""
    assert signature_v1.resource(None, "", {"prefix": "x"}) == "/"
    assert signature_v2.resource(None, "", {}) == "%2F"
