"""Signatures over HTTP: every version the SDK has, and every way to get them wrong."""

from __future__ import annotations

from typing import Any

import oss2
import pytest
import requests

from emulator.identity import AccessKey
from tests.emulator.oss.running import Running
from tests.patience import PATIENCE_SECONDS

VERSIONS = {oss2.Auth: "v1", oss2.AuthV2: "v2", oss2.AuthV4: "v4"}
AUTHS = pytest.mark.parametrize("kind", [oss2.Auth, oss2.AuthV2, oss2.AuthV4])


@AUTHS
def test_right_key(oss: Running, kind: type) -> None:
    """Each signature version is accepted, on bucket, object and account level."""
    bucket = oss.bucket(auth=oss.auth(kind))
    bucket.create_bucket()
    bucket.put_object("a b/中文+.txt", b"x")
    assert bucket.get_object("a b/中文+.txt").read() == b"x"
    assert bucket.list_objects_v2(prefix="a b").object_list[0].key == "a b/中文+.txt"
    service = oss2.Service(oss.auth(kind), oss.url, region="cn-hangzhou")
    assert [found.name for found in service.list_buckets().buckets] == ["bucket-one"]


@AUTHS
def test_wrong_secret(oss: Running, kind: type) -> None:
    """A wrong secret is refused, showing what the service had signed."""
    oss.create()
    with pytest.raises(oss2.exceptions.SignatureDoesNotMatch) as refused:
        oss.bucket(auth=kind(oss.endpoints.access_key_id, "wrong")).get_bucket_acl()
    details = refused.value.details
    assert bytes.fromhex(details["StringToSignBytes"]).decode() == details["StringToSign"]
    assert details["OSSAccessKeyId"] == oss.endpoints.access_key_id
    assert ("CanonicalRequest" in details) is (kind is oss2.AuthV4)


@AUTHS
def test_unknown_key(oss: Running, kind: type) -> None:
    """An unknown access key id is refused as the service refuses it: with another EC when there is a token.

    0902 is what the Swift SDK's integration tests expect, 0002 what the page of that EC shows.
    """
    oss.create()
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        oss.bucket(auth=kind("LTAInobody", "x")).get_bucket_acl()
    assert (refused.value.status, refused.value.code) == (403, "InvalidAccessKeyId")
    assert refused.value.ec == "0002-00000902"
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        oss.bucket(auth=oss2.StsAuth("STS.nobody", "x", "token", auth_version=VERSIONS[kind])).get_bucket_acl()
    assert (refused.value.status, refused.value.code) == (403, "InvalidAccessKeyId")
    assert refused.value.ec == "0002-00000002"


@AUTHS
@pytest.mark.parametrize("seconds", [-1000, 1000])
def test_skewed_clock(oss: Running, kind: type, seconds: float) -> None:
    """A request signed more than a quarter of an hour away from now is refused."""
    oss.create()
    oss.advance(seconds)
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        oss.bucket(auth=oss.auth(kind)).get_bucket_acl()
    assert (refused.value.status, refused.value.code) == (403, "RequestTimeTooSkewed")


@AUTHS
def test_signed_url(oss: Running, kind: type) -> None:
    """A signed URL works until its end, and not when it was changed."""
    bucket = oss.bucket(auth=oss.auth(kind))
    bucket.create_bucket()
    bucket.put_object("k", b"x")
    url = bucket.sign_url("GET", "k", 60)
    assert requests.get(url, timeout=PATIENCE_SECONDS).content == b"x"
    assert requests.get(url.replace("/k?", "/l?"), timeout=PATIENCE_SECONDS).status_code == 403
    oss.advance(61)
    assert "Request has expired." in requests.get(url, timeout=PATIENCE_SECONDS).text


@pytest.mark.parametrize("version", ["v1", "v2", "v4"])
def test_temporary_key(oss: Running, version: str) -> None:
    """A temporary key needs its own token, until it ends.

    The pages of 0002-00000002, 0002-00000006 and 0002-00000007; with 0002-00000007 a refusal is recorded at
    https://developer.aliyun.com/ask/553273 .
    """
    oss.create()
    now = oss.world.clock.now()
    account = oss.endpoints.account_id
    oss.world.identities.add(AccessKey("STS.one", "s", account, security_token="token", expires_at=now + 60))

    own = (oss.endpoints.access_key_id, oss.endpoints.access_key_secret)

    def code(token: str | None, key: tuple[str, str] = ("STS.one", "s")) -> tuple[str, str]:
        auth: Any = oss2.StsAuth(*key, token, auth_version=version)
        try:
            oss.bucket(auth=auth).get_bucket_acl()
        except oss2.exceptions.ServerError as refused:
            return str(refused.code), str(refused.ec)
        return "accepted", ""

    assert code("token") == ("accepted", "")
    assert code("other") == ("InvalidSecurityToken", "0002-00000006")
    assert code(None) == ("InvalidAccessKeyId", "0002-00000902")
    assert code("token", own) == code("other", own) == ("InvalidAccessKeyId", "0002-00000002")
    oss.advance(61)
    assert code("token") == ("SecurityTokenExpired", "0002-00000007")


def test_anonymous(oss: Running) -> None:
    """Without a signature only what the ACL opens is open, and never the configuration."""
    oss.create(acl="private")
    oss.create("public-one", acl="public-read")
    oss.bucket("public-one").put_object("k", b"x")
    assert oss.get("/public-one/k").content == b"x"
    assert oss.get("/public-one/").status_code == 200
    assert oss.get("/public-one/?acl").status_code == 403
    assert oss.get("/bucket-one/").status_code == 403
    assert oss.get("/bucket-one/k").status_code == 403
    assert oss.get("/").status_code == 403
    assert requests.put(f"{oss.url}/public-one/k", b"y", timeout=PATIENCE_SECONDS).status_code == 403


@pytest.mark.parametrize(
    "header", ["Basic eDp5", "OSS nocolon", "OSS :x", "OSS2 Signature:x", "OSS4-HMAC-SHA256 Credential=a/b,Signature=x"]
)
def test_malformed_header(oss: Running, header: str) -> None:
    """An Authorization header of no known form is an invalid argument."""
    oss.create()
    answered = requests.get(f"{oss.url}/bucket-one/?acl", headers={"Authorization": header}, timeout=PATIENCE_SECONDS)
    assert answered.status_code == 400
    assert "<Code>InvalidArgument</Code>" in answered.text


def test_date_missing(oss: Running) -> None:
    """Version 1 does without a date nothing."""
    oss.create()
    key = oss.endpoints.access_key_id
    answered = requests.get(
        f"{oss.url}/bucket-one/?acl", headers={"Authorization": f"OSS {key}:x"}, timeout=PATIENCE_SECONDS
    )
    assert "OSS authentication requires a valid Date." in answered.text
