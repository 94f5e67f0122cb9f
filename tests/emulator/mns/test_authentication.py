"""Who is let in and who is refused, with which of the service's errors."""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64encode
from datetime import UTC, datetime
from email.utils import formatdate

import pytest

from emulator.http import Request
from emulator.identity import AccessKey
from emulator.mns.signature import canonical_request, sign_v2, sign_v4
from tests.emulator.mns.alone import Alone

LIST = ("GET", "/queues")


def answered(alone: Alone, request: Request) -> tuple[int, str]:
    """The status and the error code of the answer; no code when it is not an error."""
    response = asyncio.run(alone.service.handle(request))
    code = re.search(rb"<Code>(.*)</Code>", response.body)
    return response.status, code[1].decode() if code else ""


def v2(request: Request, key_id: str, secret: str) -> Request:
    date = request.headers.get("x-mns-date") or request.headers["date"]
    mns = "".join(f"{name}:{value}\n" for name, value in sorted(request.headers.items()) if name.startswith("x-mns-"))
    text = f"{request.method}\n\n\n{date}\n{mns}{request.target}"
    request.headers["authorization"] = f"MNS {key_id}:{sign_v2(secret, text)}"
    return request


def v4(alone: Alone, request: Request, region: str, secret: str, key_id: str) -> Request:
    moment = datetime.fromtimestamp(int(alone.world.clock.now()), UTC)
    request.headers["date"] = formatdate(moment.timestamp(), usegmt=True)
    canonical = canonical_request(request.method, request.path, request.query, request.headers)
    signature = sign_v4(secret, moment, region, canonical)
    scope = f"{moment:%Y%m%d}/{region}/mns/aliyun_v4_request"
    request.headers["authorization"] = f"MNS4-HMAC-SHA256 Credential={key_id}/{scope},Signature={signature}"
    return request


def test_a_correct_v2_signature_is_accepted(alone: Alone) -> None:
    """V2 signs path and query as they were sent."""
    assert answered(alone, alone.signed("GET", "/queues?x=1+2==&Y")) == (200, "")


def test_a_correct_v4_signature_is_accepted(alone: Alone) -> None:
    """V4 signs the canonical form, handles with equals signs in the query included."""
    settings = alone.settings
    request = alone.request("DELETE", "/queues/q/messages?ReceiptHandle=1-ODU4OTkzNDU5My0xNDM1MTk3NjAwLTItNg==")
    signed = v4(alone, request, settings.region, settings.access_key_secret, settings.access_key_id)
    assert answered(alone, signed) == (404, "QueueNotExist")


def test_x_mns_date_replaces_date(alone: Alone) -> None:
    """With `x-mns-date` the Date header does not count, neither for the signature nor for the skew."""
    now = formatdate(alone.world.clock.now(), usegmt=True)
    request = alone.request(*LIST, date="Thu, 01 Jan 1970 00:00:00 GMT", x_mns_date=now)
    settings = alone.settings
    assert answered(alone, v2(request, settings.access_key_id, settings.access_key_secret)) == (200, "")


def test_missing_and_unreadable_authorization(alone: Alone) -> None:
    """No header and a header of another scheme are different errors."""
    assert answered(alone, alone.request(*LIST)) == (400, "MissingAuthorizationHeader")
    for text in ("Basic YTpi", "MNS nocolon", "MNS4-HMAC-SHA256 Credential=a/b,Signature=00"):
        assert answered(alone, alone.request(*LIST, authorization=text)) == (400, "InvalidAuthorizationHeader")


def test_missing_unreadable_and_skewed_dates(alone: Alone) -> None:
    """A date has to be there, to be readable, and within 15 minutes of the server's clock."""
    missing = alone.signed(*LIST)
    del missing.headers["date"]
    assert answered(alone, missing) == (400, "MissingDateHeader")
    assert answered(alone, alone.signed(*LIST, date="yesterday")) == (400, "InvalidDateHeader")
    for seconds, expected in ((-901, (408, "TimeExpired")), (901, (408, "TimeExpired")), (-890, (200, ""))):
        date = formatdate(alone.world.clock.now() + seconds, usegmt=True)
        assert answered(alone, alone.signed(*LIST, date=date)) == expected


def test_unknown_key_and_wrong_secret(alone: Alone) -> None:
    """An unknown key is told apart from a wrong secret, for both versions."""
    settings = alone.settings
    assert answered(alone, v2(alone.request(*LIST), "nobody", "x")) == (403, "InvalidAccessKeyId")
    assert answered(alone, v2(alone.request(*LIST), settings.access_key_id, "x")) == (403, "SignatureDoesNotMatch")
    wrong = v4(alone, alone.request(*LIST), settings.region, "x", settings.access_key_id)
    assert answered(alone, wrong) == (403, "SignatureDoesNotMatch")
    elsewhere = v4(alone, alone.request(*LIST), "mars-1", settings.access_key_secret, settings.access_key_id)
    assert answered(alone, elsewhere) == (403, "SignatureDoesNotMatch")


def test_a_signature_covers_the_query(alone: Alone) -> None:
    """A request whose query was changed on the way is refused."""
    request = alone.signed("GET", "/queues/q/messages?peekonly=true")
    request.query = "waitseconds=1"
    assert answered(alone, request) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("token", "expected"),
    [("right", (200, "")), ("wrong", (403, "InvalidSecurityToken")), ("", (403, "InvalidSecurityToken"))],
)
def test_temporary_credentials_need_their_token(alone: Alone, token: str, expected: tuple[int, str]) -> None:
    """An STS key is good only together with its own token."""
    alone.world.identities.add(AccessKey("sts", "s", alone.settings.account_id, "right", expires_at=None))
    headers = {"security_token": token} if token else {}
    assert answered(alone, v2(alone.request(*LIST, **headers), "sts", "s")) == expected


def test_temporary_credentials_end(alone: Alone) -> None:
    """After its end a token is refused as expired."""
    end = alone.world.clock.now() + 60
    alone.world.identities.add(AccessKey("sts", "s", alone.settings.account_id, "right", expires_at=end))
    assert answered(alone, v2(alone.request(*LIST, security_token="right"), "sts", "s"))[0] == 200
    alone.world.clock.advance(61)
    expected = (403, "SecurityTokenExpired")
    assert answered(alone, v2(alone.request(*LIST, security_token="right"), "sts", "s")) == expected


def test_a_token_nobody_issued_is_refused(alone: Alone) -> None:
    """A permanent key sent with a token is refused."""
    assert answered(alone, alone.signed(*LIST, security_token="x")) == (403, "InvalidSecurityToken")


def test_account_in_the_host_has_to_be_the_keys_own(alone: Alone) -> None:
    """`<account>.mns.<region>…` names an account; an address names none."""
    own = f"{alone.settings.account_id}.mns.cn-hangzhou.aliyuncs.com"
    assert answered(alone, alone.signed(*LIST, host=own)) == (200, "")
    other = "9999999999999999.mns.cn-hangzhou.aliyuncs.com"
    assert answered(alone, alone.signed(*LIST, host=other)) == (403, "AccessDenied")


def test_a_key_of_another_account_is_denied(alone: Alone) -> None:
    """A key that is known but belongs to somebody else gets AccessDenied."""
    alone.world.identities.add(AccessKey("other", "s", "9999999999999999"))
    assert answered(alone, v2(alone.request(*LIST), "other", "s")) == (403, "AccessDenied")


def test_content_md5_in_both_forms(alone: Alone) -> None:
    """The bytes or the hexadecimal digits of the digest, in base64; anything else is refused."""
    body = '<Queue xmlns="http://mns.aliyuncs.com/doc/v1/"/>'
    digest = hashlib.md5(body.encode(), usedforsecurity=False)
    rfc1864, hexadecimal = b64encode(digest.digest()).decode(), b64encode(digest.hexdigest().encode()).decode()
    assert answered(alone, alone.signed("PUT", "/queues/a", body, content_md5=rfc1864)) == (201, "")
    assert answered(alone, alone.signed("PUT", "/queues/b", body, content_md5=hexadecimal)) == (201, "")
    assert answered(alone, alone.signed("PUT", "/queues/c", body, content_md5="AAAA")) == (400, "InvalidDegist")
    assert set(alone.service.state()["queues"]) == {"a", "b"}


def test_a_signature_that_is_not_ascii_is_only_wrong(alone: Alone) -> None:
    """Odd bytes in a header lead to a refusal, not to a failure of the server."""
    odd = alone.request(*LIST, authorization=f"MNS {alone.settings.access_key_id}:\xff\xfe")
    assert answered(alone, odd) == (403, "SignatureDoesNotMatch")


def test_an_operation_that_does_not_exist_is_an_invalid_url(alone: Alone) -> None:
    """Unknown paths and methods are refused after the signature was checked."""
    for method, target in (("GET", "/nothing"), ("POST", "/queues"), ("PATCH", "/queues/q"), ("GET", "/queues/q/x/y")):
        assert answered(alone, alone.signed(method, target)) == (400, "InvalidRequestURL")
        assert alone.service.operation(alone.request(method, target)) == "Unknown"
