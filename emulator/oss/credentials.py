"""Keys, tokens, moments and the comparison itself: the checks that all signature versions share."""

from __future__ import annotations

import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from emulator.http import Request
from emulator.identity import AccessKey
from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal
from emulator.world import World

MAX_SKEW_SECONDS = 900.0


def known_key(world: World, key_id: str, request: Request, query: Mapping[str, str]) -> AccessKey:
    """The access key of that id, once its temporary token (if it has one) is checked.

    A token makes it a request with a temporary key, so one that comes along with a permanent key makes that key
    unknown (page of EC 0002-00000002).
    """
    key = world.identities.get(key_id)
    headers = request.headers
    token = (
        headers.get("x-oss-security-token")
        or headers.get("security-token")
        or query.get("security-token")
        or query.get("x-oss-security-token")
    )
    if key is None or (key.security_token is None) != (token is None):
        raise OssRefusal(Oss.UNKNOWN_KEY if token is None else Oss.UNKNOWN_TEMPORARY_KEY, OSSAccessKeyId=key_id)
    if token != key.security_token:
        raise OssRefusal(Oss.WRONG_TOKEN, SecurityToken=token or "")
    if key.expires_at is not None and world.clock.now() >= key.expires_at:
        raise OssRefusal(Oss.TOKEN_EXPIRED, SecurityToken=token or "")
    return key


def compare(key: AccessKey, provided: str, expected: str, text: bytes, refused: Oss, **also_shown: str) -> None:
    """Raise Refusal(SignatureDoesNotMatch), showing what the service signed, unless both are equal."""
    if hmac.compare_digest(provided.strip().encode(), expected.encode()):
        return
    refusal = OssRefusal(
        refused,
        OSSAccessKeyId=key.access_key_id,
        SignatureProvided=provided,
        StringToSign=text.decode("utf-8", "replace"),
        StringToSignBytes=text.hex(" ").upper(),
    )
    refusal.details.update(also_shown)
    raise refusal


def check_date(world: World, date: str) -> None:
    """Raise Refusal unless an HTTP date is one and is near enough to now."""
    try:
        signed_at = parsedate_to_datetime(date).timestamp()
    except (ValueError, TypeError, IndexError) as error:
        raise OssRefusal(Oss.NO_DATE) from error
    check_skew(world, signed_at, date)


def check_skew(world: World, signed_at: float, date: str) -> None:
    """Raise Refusal(RequestTimeTooSkewed) when `signed_at`, shown as `date`, is too far from now."""
    if abs(signed_at - world.clock.now()) <= MAX_SKEW_SECONDS:
        return
    now = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(world.clock.now()))
    raise OssRefusal(
        Oss.SKEWED,
        MaxAllowedSkewMilliseconds=str(int(MAX_SKEW_SECONDS * 1000)),
        RequestTime=date,
        ServerTime=now,
    )


def check_expiry(world: World, expires: str) -> None:
    """Raise Refusal when a signed URL's end, in seconds since the epoch, is over."""
    if not expires.isdecimal():
        raise OssRefusal(Oss.EXPIRY_NO_NUMBER, Expires=expires)
    now = world.clock.now()
    if int(expires) < now:
        end, server = (time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at)) for at in (int(expires), now))
        raise OssRefusal(Oss.URL_EXPIRED, Expires=end, ServerTime=server)


def v4_time(signed_at: str) -> float:
    """The moment that an ISO basic date names (`20260131T235959Z`), in seconds since the epoch."""
    try:
        if len(signed_at) != 16 or signed_at[8] != "T" or signed_at[15] != "Z":
            raise ValueError(signed_at)
        day, clock = signed_at[:8], signed_at[9:15]
        return datetime(
            int(day[:4]), int(day[4:6]), int(day[6:]), int(clock[:2]), int(clock[2:4]), int(clock[4:]), tzinfo=UTC
        ).timestamp()
    except ValueError as error:
        raise OssRefusal(Oss.NO_DATE) from error
