"""Creating, describing, listing and deleting buckets with the real SDK; the journal and the listeners."""

from __future__ import annotations

import oss2
import pytest
import requests

from emulator.oss.errors import OssRefusal
from tests.emulator.oss.running import Running
from tests.patience import PATIENCE_SECONDS


def test_life_of_a_bucket(oss: Running) -> None:
    """Created, described, listed, deleted; then it is gone."""
    bucket = oss.bucket()
    created = bucket.create_bucket(oss2.BUCKET_ACL_PUBLIC_READ)
    assert created.headers["Location"] == "/bucket-one"
    info = bucket.get_bucket_info()
    assert (info.name, info.acl.grant, info.owner.id) == ("bucket-one", "public-read", oss.endpoints.account_id)
    assert (info.location, info.extranet_endpoint) == ("oss-cn-hangzhou", "oss-cn-hangzhou.aliyuncs.com")
    assert info.bucket_encryption_rule.sse_algorithm is None
    assert [found.name for found in oss.owner().list_buckets().buckets] == ["bucket-one"]
    assert bucket.delete_bucket().status == 204
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        bucket.get_bucket_info()


def test_creation_settings(oss: Running) -> None:
    """Storage class and redundancy are chosen at creation."""
    config = oss2.models.BucketCreateConfig("IA", "ZRS")
    oss.bucket().create_bucket(input=config)
    info = oss.bucket().get_bucket_info()
    assert (info.storage_class, info.data_redundancy_type) == ("IA", "ZRS")


def test_created_again_by_its_owner(oss: Running) -> None:
    """PutBucket on one's own bucket keeps it, and changes the ACL when it names another."""
    oss.bucket().create_bucket()
    created = oss.service.buckets["bucket-one"].created
    oss.bucket().create_bucket(oss2.BUCKET_ACL_PUBLIC_READ)
    assert oss.service.buckets["bucket-one"].created == created
    assert oss.bucket().get_bucket_acl().acl == "public-read"


def test_acl_creates_a_missing_bucket(oss: Running) -> None:
    """PutBucketAcl on a bucket that is not there creates it for the caller, and the journal says so."""
    oss.bucket("late-event").put_bucket_acl("private")
    (entry,) = oss.journal()
    assert (entry.operation, entry.resource) == ("PutBucketAcl", "late-event")
    assert entry.detail["created"] is True
    assert entry.detail["owner"] == oss.endpoints.account_id
    assert entry.detail["region"] == "cn-hangzhou"


def test_change_is_journaled(oss: Running) -> None:
    """An accepted change is written down with the values before and after, who asked, and the answer's id."""
    oss.create(acl="public-read")
    answered = oss.bucket().put_bucket_acl("private")
    entry = oss.journal()[-1]
    assert (entry.operation, entry.detail) == ("PutBucketAcl", {"before": "public-read", "after": "private"})
    assert entry.request_id == answered.request_id
    assert entry.access_key_id == oss.endpoints.access_key_id


def test_refusals_are_not_journaled(oss: Running) -> None:
    """What was refused left no trace, and reads leave one only on request."""
    oss.create()
    before = len(oss.journal())
    with pytest.raises(oss2.exceptions.InvalidArgument):
        oss.bucket().put_bucket_acl("public")
    oss.bucket().get_bucket_acl()
    assert len(oss.journal()) == before
    oss.world.journal.reads = True
    oss.bucket().get_bucket_acl()
    assert (oss.journal()[-1].operation, oss.journal()[-1].changed) == ("GetBucketAcl", False)


def test_listeners(oss: Running) -> None:
    """Listeners hear the bucket's name after creation, change and deletion, however they came about."""
    heard: list[str] = []
    oss.service.on_change(heard.append)
    oss.bucket("by-request").create_bucket()
    oss.bucket("by-request").put_bucket_acl("public-read")
    oss.bucket("by-request").put_object("k", b"x")
    oss.bucket("by-request").delete_object("k")
    oss.bucket("by-request").delete_bucket()
    oss.create("by-hand")
    oss.inside(oss.service.delete_bucket, "by-hand")
    assert heard == ["by-request"] * 3 + ["by-hand"] * 2


def test_buckets_without_requests(oss: Running) -> None:
    """create_bucket and delete_bucket check names and existence too."""
    with pytest.raises(OssRefusal, match="InvalidBucketName"):
        oss.create("Not_A_Name")
    oss.create("one-bucket", region="cn-beijing", acl="public-read", tagging={"a": "b"})
    with pytest.raises(OssRefusal, match="BucketAlreadyExists"):
        oss.create("one-bucket")
    state = oss.service.state()["buckets"]["one-bucket"]
    assert (state["region"], state["tagging"], state["objects"]) == ("cn-beijing", {"a": "b"}, {})
    with pytest.raises(OssRefusal, match="NoSuchBucket"):
        oss.service.delete_bucket("no-bucket")


@pytest.mark.parametrize("name", ["ab", "-abc", "abc-", "Abc", "a_b_c", "a" * 64, "a..b"])
def test_impossible_names(oss: Running, name: str) -> None:
    """A name that no bucket can have is refused before anything else."""
    answered = oss.get(f"/{name}/?acl")
    assert answered.status_code == 400
    assert "<Code>InvalidBucketName</Code>" in answered.text
    assert answered.headers["x-oss-ec"] == "0015-00000001"


def test_not_empty(oss: Running) -> None:
    """A bucket with an object in it stays."""
    oss.create()
    oss.bucket().put_object("k", b"")
    with pytest.raises(oss2.exceptions.BucketNotEmpty):
        oss.bucket().delete_bucket()


def test_listing_pages(oss: Running) -> None:
    """Buckets are listed by name, by prefix and page by page."""
    for name in ("aa-1", "aa-2", "aa-3", "bb-1"):
        oss.create(name)
    page = oss.owner().list_buckets(prefix="aa-", max_keys=2)
    assert ([found.name for found in page.buckets], page.is_truncated) == (["aa-1", "aa-2"], True)
    rest = oss.owner().list_buckets(prefix="aa-", marker=page.next_marker)
    assert ([found.name for found in rest.buckets], rest.is_truncated) == (["aa-3"], False)


def test_limit_is_off_unless_switched_on(oss: Running) -> None:
    """More than a hundred buckets are fine, until the service's limit is asked for."""
    for number in range(100):
        oss.create(f"bucket-{number}")
    oss.bucket("one-more").create_bucket()
    oss.world.options["oss_limit_buckets"] = True
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        oss.bucket("too-many").create_bucket()
    assert refused.value.code == "TooManyBuckets"


def test_blocked_by_default_on_request(oss: Running) -> None:
    """With the option, new buckets have Block Public Access on, and a public ACL cannot be reached for at once."""
    oss.world.options["oss_block_public_access_by_default"] = True
    oss.bucket().create_bucket()
    assert oss.bucket().get_bucket_public_access_block().block_public_access is True
    with pytest.raises(oss2.exceptions.AccessDenied):
        oss.bucket("bucket-two").create_bucket(oss2.BUCKET_ACL_PUBLIC_READ)


def test_error_looks_recorded(oss: Running) -> None:
    """An error's body and headers are those recorded from the service."""
    oss.create()
    url = oss.bucket().sign_url("GET", "k", 60)
    answered = requests.get(f"{url}x", headers={"Host": "bucket-one.localhost"}, timeout=PATIENCE_SECONDS)
    request_id = answered.headers["x-oss-request-id"]
    assert len(request_id) == 24
    assert answered.headers["Server"] == "AliyunOSS"
    assert answered.headers["x-oss-ec"] == "0002-00000201"
    missing = oss.bucket("no-such-bucket")
    with pytest.raises(oss2.exceptions.NoSuchBucket) as refused:
        missing.get_bucket_acl()
    assert refused.value.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n<Error>\n  <Code>NoSuchBucket</Code>\n'
        "  <Message>The specified bucket does not exist.</Message>\n"
        f"  <RequestId>{refused.value.request_id}</RequestId>\n  <HostId>127.0.0.1</HostId>\n"
        "  <BucketName>no-such-bucket</BucketName>\n  <EC>0015-00000101</EC>\n"
        "  <RecommendDoc>https://api.aliyun.com/troubleshoot?q=0015-00000101</RecommendDoc>\n</Error>\n"
    )


def test_head_errors_are_in_a_header(oss: Running) -> None:
    """HEAD has no body, so the error comes in a header, and the SDK reads it there."""
    oss.create()
    with pytest.raises(oss2.exceptions.NoSuchKey) as refused:
        oss.bucket().head_object("k")
    assert refused.value.ec == "0026-00000001"


def test_wrong_digest(oss: Running) -> None:
    """A Content-MD5 that is not the body's is refused, and nothing changes."""
    oss.create()
    with pytest.raises(oss2.exceptions.InvalidDigest):
        oss.bucket().put_object("k", b"x", headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="})
    assert not oss.service.buckets["bucket-one"].objects


def test_unknown_combinations(oss: Running) -> None:
    """A method that a resource has not, and a sub-resource that is not emulated, are told apart, to the owner only.

    Who asks is found out before: the service has these operations, and refuses strangers as everywhere.
    """
    oss.create(acl="public-read-write")
    for method, subresource, status, code in (
        ("POST", "acl", 405, "MethodNotAllowed"),
        ("GET", "metaQuery", 501, "NotImplemented"),
    ):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            oss.bucket()._do(method, "bucket-one", "", params={subresource: ""})
        assert (refused.value.status, refused.value.code) == (status, code)
        for authorization in ("", "OSS LTAInobody:x"):
            headers = {"Authorization": authorization} if authorization else {}
            answered = requests.request(
                method, f"{oss.url}/bucket-one/?{subresource}", headers=headers, timeout=PATIENCE_SECONDS
            )
            assert answered.status_code == 403
