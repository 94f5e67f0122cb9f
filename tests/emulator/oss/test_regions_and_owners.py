"""Buckets elsewhere and buckets of others."""

from __future__ import annotations

import oss2
import oss2.http
import pytest
import requests

from tests.emulator.oss.running import STRANGER, Running
from tests.patience import PATIENCE_SECONDS

OTHER_REGION = "cn-beijing"
POLICY = (
    '{"Version":"1","Statement":[{"Effect":"Deny","Principal":["*"],"Action":["oss:PutObject"],'
    '"Resource":["acs:oss:*:*:bucket-one/*"]}]}'
)


def _through(oss: Running, host: str, *, region: str | None = None, bucket: str = "bucket-one") -> requests.Response:
    """GetBucketAcl through an endpoint: version 4 when a region is given, version 1 when not."""
    request = oss2.http.Request("GET", oss.url, params={"acl": ""}, region=region, product="oss")
    auth = oss.auth(oss2.AuthV4 if region else oss2.Auth)
    auth._sign_request(request, bucket, "")
    headers = {name: value for name, value in request.headers.items() if value is not None}
    return requests.get(f"{oss.url}/?acl=", headers=headers | {"Host": host}, timeout=PATIENCE_SECONDS)


def test_right_endpoint(oss: Running) -> None:
    """The bucket's own endpoints answer, public and internal."""
    oss.create(region=OTHER_REGION)
    for suffix in ("", "-internal"):
        host = f"bucket-one.oss-{OTHER_REGION}{suffix}.aliyuncs.com"
        assert _through(oss, host).status_code == 200
        assert _through(oss, host, region=OTHER_REGION).status_code == 200


def test_wrong_endpoint(oss: Running) -> None:
    """Another region's endpoint refuses and names the right one."""
    oss.create(region=OTHER_REGION)
    answered = _through(oss, "bucket-one.oss-cn-hangzhou.aliyuncs.com")
    assert answered.status_code == 403
    assert answered.headers["x-oss-ec"] == "0003-00001403"
    assert "<Code>AccessDenied</Code>" in answered.text
    assert "must be addressed using the specified endpoint" in answered.text
    assert "<Bucket>bucket-one</Bucket>\n  <Endpoint>oss-cn-beijing.aliyuncs.com</Endpoint>" in answered.text


def test_region_from_the_signature(oss: Running) -> None:
    """Where the host does not tell, the region of a version 4 signature does; version 1 has none."""
    oss.create(region=OTHER_REGION)
    with pytest.raises(oss2.exceptions.AccessDenied) as refused:
        oss.bucket(region="cn-hangzhou").get_bucket_acl()
    assert refused.value.ec == "0003-00001403"
    assert oss.bucket(region=OTHER_REGION).get_bucket_acl().acl == "private"
    assert oss.bucket(auth=oss.auth(oss2.Auth)).get_bucket_acl().acl == "private"


def test_signature_for_another_region(oss: Running) -> None:
    """A signature scoped to another region than the endpoint's is an invalid argument."""
    oss.create()
    answered = _through(oss, "bucket-one.oss-cn-hangzhou.aliyuncs.com", region=OTHER_REGION)
    assert answered.status_code == 400
    assert answered.headers["x-oss-ec"] == "0002-00000226"
    assert "Invalid signing region in Authorization header." in answered.text


def test_location_is_reported_everywhere(oss: Running) -> None:
    """GetBucketLocation answers through any region, so that a client can find the right one."""
    oss.create(region=OTHER_REGION)
    assert oss.bucket(region="cn-hangzhou").get_bucket_location().location == "oss-cn-beijing"


def test_created_where_addressed(oss: Running) -> None:
    """A bucket comes to be in the region whose endpoint was asked."""
    oss.bucket(region=OTHER_REGION).create_bucket()
    assert oss.service.buckets["bucket-one"].region == OTHER_REGION


def test_bucket_of_another_account(oss: Running) -> None:
    """Configuration of another account's bucket can be neither read nor changed."""
    oss.create(acl="public-read-write")
    for attempt in (
        oss.stranger().get_bucket_acl,
        oss.stranger().get_bucket_info,
        lambda: oss.stranger().put_bucket_policy(POLICY),
        oss.stranger().delete_bucket,
    ):
        with pytest.raises(oss2.exceptions.AccessDenied):
            attempt()
    assert oss.service.buckets["bucket-one"].acl == "public-read-write"


def test_name_taken(oss: Running) -> None:
    """A name belongs to whoever came first; the owner may come again, to the same region."""
    oss.create(owner_id=STRANGER.account_id)
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        oss.bucket().create_bucket()
    assert (refused.value.status, refused.value.code) == (409, "BucketAlreadyExists")
    oss.stranger().create_bucket()


def test_objects_of_a_public_bucket(oss: Running) -> None:
    """Others may read and write objects as far as the ACL goes and Block Public Access does not stop it."""
    bucket = oss.create(acl="public-read-write")
    oss.stranger().put_object("k", b"x")
    assert oss.stranger().get_object("k").read() == b"x"
    bucket.public_access_block = True
    with pytest.raises(oss2.exceptions.AccessDenied):
        oss.stranger().get_object("k")


def test_objects_opened_by_policy(oss: Running) -> None:
    """A policy may let one account in, or everybody."""
    oss.create()
    oss.bucket().put_object("k", b"x")
    policy = (
        '{"Version":"1","Statement":[{"Effect":"Allow","Principal":["%s"],'
        '"Action":["oss:GetObject"],"Resource":["acs:oss:*:*:bucket-one/*"]}]}'
    )
    oss.bucket().put_bucket_policy(policy % STRANGER.account_id)
    assert oss.stranger().get_object("k").read() == b"x"
    assert oss.get("/bucket-one/k").status_code == 403
    oss.bucket().put_bucket_policy(policy % "*")
    assert oss.get("/bucket-one/k").status_code == 200
