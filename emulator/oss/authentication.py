"""Who sends a request: finds the signature, verifies it, and refuses as the service does.

Knows all three signature versions in the Authorization header and in signed URLs. Does not decide what the
caller may do.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass

from emulator.http import Request
from emulator.identity import AccessKey
from emulator.oss import signature_v1, signature_v2, signature_v4
from emulator.oss.addressing import Address
from emulator.oss.codes import Oss
from emulator.oss.credentials import check_date, check_expiry, check_skew, compare, known_key, v4_time
from emulator.oss.errors import OssRefusal, invalid_argument
from emulator.world import World

_REGION_PROBLEM = {"Authorization header": Oss.SIGNING_REGION, "credential": Oss.SIGNING_REGION_URL}
_LONGEST_V4_URL_SECONDS = 7 * 24 * 3600
_CLAIMED_KEY = re.compile(r"^(?:OSS |OSS2 AccessKeyId:|OSS4-HMAC-SHA256 Credential=)([A-Za-z0-9._-]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and through which region's endpoint if the signature says so."""

    key: AccessKey | None
    """None: anonymous."""
    region: str | None = None
    """The region of a version 4 signature."""

    @property
    def account_id(self) -> str | None:
        """The caller's account, None for an anonymous one."""
        return None if self.key is None else self.key.account_id

    @property
    def access_key_id(self) -> str:
        """The access key's id, empty for an anonymous caller."""
        return "" if self.key is None else self.key.access_key_id


ANONYMOUS = Caller(None)


def claimed_key_id(request: Request) -> str:
    """The access key id that an Authorization header names, whether or not the signature holds; else empty."""
    found = _CLAIMED_KEY.search(request.headers.get("authorization", "")[:1024])
    return found.group(1) if found else ""


def authenticate(world: World, request: Request, address: Address, query: Mapping[str, str]) -> Caller:
    """The caller of a request; raises Refusal when its signature, date or token does not hold."""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("OSS4-HMAC-SHA256"):
        return _header_v4(world, request, address, query, authorization)
    if authorization.startswith("OSS2 "):
        return _header_v2(world, request, address, query, authorization)
    if authorization.startswith("OSS "):
        return _header_v1(world, request, address, query, authorization)
    if authorization:
        raise invalid_argument(Oss.AUTHORIZATION_SCHEME, "Authorization", authorization)
    if query.get("x-oss-signature-version") == signature_v4.ALGORITHM:
        return _url_v4(world, request, address, query)
    if query.get("x-oss-signature-version") == "OSS2":
        return _url_v2(world, request, address, query)
    if "OSSAccessKeyId" in query or "Signature" in query:
        return _url_v1(world, request, address, query)
    return ANONYMOUS


def _header_v1(
    world: World, request: Request, address: Address, query: Mapping[str, str], authorization: str
) -> Caller:
    key_id, colon, provided = authorization[4:].partition(":")
    if not colon or not key_id.strip():
        raise invalid_argument(Oss.AUTHORIZATION_V1, "Authorization", authorization)
    key = known_key(world, key_id, request, query)
    date = request.headers.get("x-oss-date") or request.headers.get("date", "")
    check_date(world, date)
    text = signature_v1.string_to_sign(
        request.method, request.headers, date, signature_v1.resource(address.bucket, address.key, query)
    )
    bare = address.bucket is not None and request.path == f"/{address.bucket}"
    if bare and _signs_bare_path(request, query, key, date, provided):
        return Caller(key)
    compare(key, provided, signature_v1.signature(key.secret, text), text, Oss.SIGNATURE_V1)
    return Caller(key)


def _signs_bare_path(request: Request, query: Mapping[str, str], key: AccessKey, date: str, provided: str) -> bool:
    """Whether a path-style request is signed as it is sent, `/bucket` without a slash, as OpenDAL does."""
    selected = signature_v1.resource(None, "", query).removeprefix("/")
    text = signature_v1.string_to_sign(request.method, request.headers, date, request.path + selected)
    return hmac.compare_digest(provided.strip().encode(), signature_v1.signature(key.secret, text).encode())


def _url_v1(world: World, request: Request, address: Address, query: Mapping[str, str]) -> Caller:
    if not all(query.get(name) for name in ("OSSAccessKeyId", "Expires", "Signature")):
        raise OssRefusal(Oss.URL_V1_INCOMPLETE)
    key = known_key(world, query["OSSAccessKeyId"], request, query)
    check_expiry(world, query["Expires"])
    text = signature_v1.string_to_sign(
        request.method,
        request.headers,
        query["Expires"],
        signature_v1.resource(address.bucket, address.key, query),
    )
    compare(key, query["Signature"], signature_v1.signature(key.secret, text), text, Oss.SIGNATURE_V1)
    return Caller(key)


def _header_v2(
    world: World, request: Request, address: Address, query: Mapping[str, str], authorization: str
) -> Caller:
    fields = _fields(authorization[5:], ":")
    if "AccessKeyId" not in fields or "Signature" not in fields:
        raise invalid_argument(Oss.AUTHORIZATION_V2, "Authorization", authorization)
    key = known_key(world, fields["AccessKeyId"], request, query)
    date = request.headers.get("date", "")
    check_date(world, request.headers.get("x-oss-date") or date)
    _verify_v2(request, address, query, key, date, fields.get("AdditionalHeaders", ""), fields["Signature"])
    return Caller(key)


def _url_v2(world: World, request: Request, address: Address, query: Mapping[str, str]) -> Caller:
    key = known_key(world, query.get("x-oss-access-key-id", ""), request, query)
    expires = query.get("x-oss-expires", "")
    check_expiry(world, expires)
    additional = query.get("x-oss-additional-headers", "")
    _verify_v2(request, address, query, key, expires, additional, query.get("x-oss-signature", ""))
    return Caller(key)


def _verify_v2(
    request: Request,
    address: Address,
    query: Mapping[str, str],
    key: AccessKey,
    date: str,
    additional: str,
    provided: str,
) -> None:
    names = _names(additional)
    canonical = signature_v2.resource(address.bucket, address.key, query)
    text = signature_v2.string_to_sign(request.method, request.headers, date, names, canonical)
    compare(key, provided, signature_v2.signature(key.secret, text), text, Oss.SIGNATURE_V2)


def _header_v4(
    world: World, request: Request, address: Address, query: Mapping[str, str], authorization: str
) -> Caller:
    fields = _fields(authorization.removeprefix(signature_v4.ALGORITHM), "=")
    if "Credential" not in fields or "Signature" not in fields:
        raise invalid_argument(Oss.AUTHORIZATION_V4, "Authorization", authorization)
    signed_at = request.headers.get("x-oss-date") or request.headers.get("date", "")
    where = "Authorization header"
    caller = _scoped(world, request, query, address, fields["Credential"], signed_at, where)
    check_skew(world, v4_time(signed_at), signed_at)
    additional = fields.get("AdditionalHeaders", "")
    _verify_v4(request, address, query, caller, fields["Credential"], signed_at, additional, fields["Signature"])
    return caller


def _url_v4(world: World, request: Request, address: Address, query: Mapping[str, str]) -> Caller:
    for name in ("x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-signature"):
        if not query.get(name):
            raise invalid_argument(Oss.URL_V4_INCOMPLETE, name, "", name)
    credential, signed_at = query["x-oss-credential"], query["x-oss-date"]
    caller = _scoped(world, request, query, address, credential, signed_at, "credential")
    lifetime = query["x-oss-expires"]
    if not lifetime.isdecimal() or not 1 <= int(lifetime) <= _LONGEST_V4_URL_SECONDS:
        raise invalid_argument(Oss.URL_V4_LIFETIME, "x-oss-expires", lifetime)
    check_expiry(world, str(int(v4_time(signed_at)) + int(lifetime)))
    additional = query.get("x-oss-additional-headers", "")
    _verify_v4(request, address, query, caller, credential, signed_at, additional, query["x-oss-signature"])
    return caller


def _scoped(
    world: World,
    request: Request,
    query: Mapping[str, str],
    address: Address,
    credential: str,
    signed_at: str,
    where: str,
) -> Caller:
    """The caller a version 4 credential names, once its scope fits the request."""
    parts = credential.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != signature_v4.TERMINATOR:
        raise invalid_argument(Oss.CREDENTIAL, "Credential", credential, where)
    key_id, date, region, product, _ = parts
    endpoint = address.host.region
    if not region or region.startswith("oss-") or (endpoint is not None and region != endpoint):
        raise invalid_argument(_REGION_PROBLEM[where], "Region", region)
    if product != "oss":
        raise invalid_argument(Oss.SIGNING_PRODUCT, "Product", product, where)
    v4_time(signed_at)
    if signed_at[:8] != date:
        raise invalid_argument(Oss.SIGNING_DATE, "Date", date, where)
    return Caller(known_key(world, key_id, request, query), region)


def _verify_v4(
    request: Request,
    address: Address,
    query: Mapping[str, str],
    caller: Caller,
    credential: str,
    signed_at: str,
    additional: str,
    provided: str,
) -> None:
    assert caller.key is not None
    _, date, region, product, _ = credential.rsplit("/", 4)
    scope = signature_v4.Scope(date, region, product)
    names = _names(additional)
    canonical = signature_v4.canonical_request(
        request.method, address.bucket, address.key, query, request.headers, names
    )
    text = signature_v4.string_to_sign(signed_at, scope, canonical)
    expected = signature_v4.signature(caller.key.secret, scope, text)
    compare(
        caller.key,
        provided,
        expected,
        text.encode(),
        Oss.SIGNATURE_V4,
        CanonicalRequest=canonical.decode("utf-8", "replace"),
    )


def _fields(text: str, separator: str) -> dict[str, str]:
    pairs = (part.strip().partition(separator) for part in text.split(","))
    return {name: value for name, _, value in pairs}


def _names(additional: str) -> frozenset[str]:
    return frozenset(name for name in additional.lower().split(";") if name)
