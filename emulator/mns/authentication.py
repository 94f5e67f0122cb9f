"""Decides who sent a request, or why it is refused before anything else is looked at.

Source: https://www.alibabacloud.com/help/en/mns/developer-reference/request-protocol-description.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from emulator.http import Request
from emulator.identity import AccessKey
from emulator.mns.errors import Code, MnsRefusal
from emulator.mns.signature import (
    V4_PREFIX,
    V4_SCOPE_END,
    V4_SERVICE,
    canonical_request,
    sign_v2,
    sign_v4,
    v2_strings_to_sign,
)
from emulator.world import World

MAX_SKEW_SECONDS = 900
_V2_PREFIX = "MNS "
_V4 = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/([^/,\s]+)\s*,\s*Signature=([0-9a-f]+)\Z")


def authenticate(request: Request, world: World) -> AccessKey:
    """The key that signed the request.

    Raises Refusal for a missing or unreadable header, a date more than 15 minutes off, an unknown key, a wrong
    signature, a wrong or expired security token, another account's endpoint, or a wrong Content-MD5.
    """
    authorization = request.headers.get("authorization", "").strip()
    if not authorization:
        raise MnsRefusal(Code.MISSING_AUTHORIZATION_HEADER)
    if authorization.startswith(V4_PREFIX):
        key = _v4(authorization, request, world)
    elif authorization.startswith(_V2_PREFIX):
        key = _v2(authorization, request, world)
    else:
        raise MnsRefusal(Code.INVALID_AUTHORIZATION_HEADER)
    _check_token(key, request, world.clock.now())
    _check_account(key, request, world)
    _check_digest(request)
    return key


def _v2(authorization: str, request: Request, world: World) -> AccessKey:
    access_key_id, colon, signature = authorization.removeprefix(_V2_PREFIX).partition(":")
    if not colon or not access_key_id or not signature:
        raise MnsRefusal(Code.INVALID_AUTHORIZATION_HEADER)
    _moment(request, world.clock.now())
    key = _known(access_key_id, world)
    _check_signature(signature, (sign_v2(key.secret, text) for text in v2_strings_to_sign(request)))
    return key


def _v4(authorization: str, request: Request, world: World) -> AccessKey:
    parts = _V4.match(authorization.removeprefix(V4_PREFIX).strip())
    if parts is None:
        raise MnsRefusal(Code.INVALID_AUTHORIZATION_HEADER)
    access_key_id, date, region, service, end, signature = parts.groups()
    if (service, end) != (V4_SERVICE, V4_SCOPE_END):
        raise MnsRefusal(Code.INVALID_AUTHORIZATION_HEADER)
    moment = _moment(request, world.clock.now())
    key = _known(access_key_id, world)
    if region != world.region or date != moment.strftime("%Y%m%d"):
        raise MnsRefusal(Code.SIGNATURE_DOES_NOT_MATCH)
    canonical = canonical_request(request.method, request.path, request.query, request.headers)
    _check_signature(signature, [sign_v4(key.secret, moment, region, canonical)])
    return key


def _check_signature(sent: str, valid: Iterable[str]) -> None:
    # Any header byte arrives as latin-1, which compare_digest accepts only as bytes.
    if not any(hmac.compare_digest(sent.encode(), expected.encode()) for expected in valid):
        raise MnsRefusal(Code.SIGNATURE_DOES_NOT_MATCH)


def _known(access_key_id: str, world: World) -> AccessKey:
    key = world.identities.get(access_key_id)
    if key is None:
        raise MnsRefusal(Code.INVALID_ACCESS_KEY_ID)
    return key


def _moment(request: Request, now: float) -> datetime:
    text = request.headers.get("x-mns-date") or request.headers.get("date")
    if not text:
        raise MnsRefusal(Code.MISSING_DATE_HEADER)
    try:
        moment = _parsed(text)
    except (ValueError, TypeError, OverflowError):
        raise MnsRefusal(Code.INVALID_DATE_HEADER) from None
    if abs(moment.timestamp() - now) > MAX_SKEW_SECONDS:
        raise MnsRefusal(Code.TIME_EXPIRED)
    return moment


@lru_cache(maxsize=64)
def _parsed(text: str) -> datetime:
    if re.fullmatch(r"\d{8}T\d{6}Z", text):
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    moment = parsedate_to_datetime(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _check_token(key: AccessKey, request: Request, now: float) -> None:
    sent = request.headers.get("security-token", "")
    if not hmac.compare_digest(sent.encode(), (key.security_token or "").encode()):
        raise MnsRefusal(Code.INVALID_SECURITY_TOKEN)
    if key.expires_at is not None and now >= key.expires_at:
        raise MnsRefusal(Code.SECURITY_TOKEN_EXPIRED)


def _check_account(key: AccessKey, request: Request, world: World) -> None:
    named, dot, _ = request.host.partition(".mns.")
    if key.account_id != world.account_id or (dot and named != key.account_id):
        raise MnsRefusal(Code.ACCESS_DENIED)


def _check_digest(request: Request) -> None:
    sent = request.headers.get("content-md5")
    if not sent:
        return
    digest = hashlib.md5(request.body, usedforsecurity=False)
    # The official SDKs send the hexadecimal digits in base64, others the bytes as RFC 1864 has it.
    if sent not in (b64encode(digest.hexdigest().encode()).decode(), b64encode(digest.digest()).decode()):
        raise MnsRefusal(Code.INVALID_DIGEST)
