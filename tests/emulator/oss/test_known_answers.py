"""Answers that others recorded, documented, or expect in their suites; each test says who.

"Python", "Go", "Swift" are the integration tests of the vendor's version 2 SDKs (alibabacloud-oss-…-sdk-v2), "Elixir"
the answers in the documentation of the client aliyun_oss, "ali-oss" the suite of the JavaScript SDK, "Java" the
integration tests of aliyun-oss-java-sdk. A page of an EC is
https://www.alibabacloud.com/help/en/oss/user-guide/ followed by the EC.
"""

from __future__ import annotations

from typing import Any

import alibabacloud_oss_v2 as v2
import oss2
import pytest
from oss2 import models

from emulator.xml import parse
from tests.emulator.oss.running import Running


@pytest.fixture
def bucket(oss: Running) -> Any:
    """A new private bucket."""
    oss.create()
    return oss.bucket()


def _second(oss: Running, key_id: str = "") -> v2.Client:
    """The second SDK's client, the owner's or that of a key which nobody knows."""
    known = (oss.endpoints.access_key_id, oss.endpoints.access_key_secret)
    provider = v2.credentials.StaticCredentialsProvider(*((key_id, "x") if key_id else known))
    return v2.Client(v2.Config(region="cn-hangzhou", endpoint=oss.url, credentials_provider=provider))


def _refused(call: Any, request: Any) -> v2.exceptions.ServiceError:
    with pytest.raises(v2.exceptions.OperationError) as caught:
        call(request)
    error = caught.value.unwrap()
    assert isinstance(error, v2.exceptions.ServiceError)
    return error


def test_an_acl_is_located(oss: Running) -> None:
    """PutBucketAcl answers with the bucket's location, also when it creates the bucket (Elixir; ali-oss asserts it)."""
    for acl in ("private", "public-read"):
        answered = oss.bucket().put_bucket_acl(acl)
        assert (answered.status, answered.headers["Location"]) == (200, "/bucket-one")


MISSING = "no-such-bucket"
ASKED_OF_NOTHING: dict[str, Any] = {
    "get_bucket_acl": v2.GetBucketAclRequest(bucket=MISSING),
    "get_bucket_info": v2.GetBucketInfoRequest(bucket=MISSING),
    "get_bucket_location": v2.GetBucketLocationRequest(bucket=MISSING),
    "get_bucket_stat": v2.GetBucketStatRequest(bucket=MISSING),
    "get_bucket_versioning": v2.GetBucketVersioningRequest(bucket=MISSING),
    "list_object_versions": v2.ListObjectVersionsRequest(bucket=MISSING),
    "list_objects_v2": v2.ListObjectsV2Request(bucket=MISSING),
    "get_object_meta": v2.GetObjectMetaRequest(bucket=MISSING, key="k"),
    "put_bucket_versioning": v2.PutBucketVersioningRequest(
        bucket=MISSING, versioning_configuration=v2.VersioningConfiguration(status="Enabled")
    ),
}


@pytest.mark.parametrize("call", ASKED_OF_NOTHING)
def test_existence_before_keys(oss: Running, call: str) -> None:
    """Under an unknown key a bucket that is not there is missing (Python, `…_fail` of each call; Go; Swift: the EC).

    Recorded answers of a missing bucket have no `x-oss-server-time` (Elixir).
    """
    error = _refused(getattr(_second(oss, "LTAInobody"), call), ASKED_OF_NOTHING[call])
    assert (error.status_code, error.code, error.ec) == (404, "NoSuchBucket", "0015-00000101")
    assert "x-oss-server-time" not in error.headers
    assert len(error.request_id) == 24


def test_keys_before_creation(oss: Running) -> None:
    """What would create the bucket looks at the key first (Python: test_put_bucket_fail, test_put_bucket_acl_fail)."""
    stranger = _second(oss, "LTAInobody")
    for call, request in (
        (stranger.put_bucket, v2.PutBucketRequest(bucket=MISSING)),
        (stranger.put_bucket_acl, v2.PutBucketAclRequest(bucket=MISSING, acl="private")),
    ):
        error = _refused(call, request)
        assert (error.status_code, error.code) == (403, "InvalidAccessKeyId")
        assert error.headers["x-oss-server-time"]


def test_is_bucket_exist(oss: Running) -> None:
    """The second SDK's question depends on that order: it asks for the ACL and looks for NoSuchBucket."""
    assert _second(oss).is_bucket_exist(MISSING) is False
    assert _second(oss, "LTAInobody").is_bucket_exist(MISSING) is False
    oss.create()
    assert _second(oss).is_bucket_exist("bucket-one") is True


@pytest.mark.parametrize(
    ("params", "headers", "value"),
    [
        ({"acl": ""}, {"x-oss-acl": "invalid-permission"}, "invalid-permission"),
        ({"acl": ""}, {}, None),
        ({}, {"x-oss-acl": "invalid-permission"}, "invalid-permission"),
    ],
)
def test_an_acl_that_does_not_exist(
    bucket: Any, params: dict[str, str], headers: dict[str, str], value: str | None
) -> None:
    """Swift: testPutBucketAclFail; Elixir: `Bucket.ACL.put`, `Bucket.put_bucket`. A missing header is no ACL either."""
    with pytest.raises(oss2.exceptions.InvalidArgument) as refused:
        bucket._do("PUT", "bucket-one", "", params=params, headers=headers)
    error = refused.value
    assert (error.status, error.ec, error.message) == (400, "0015-00000204", "no such bucket access control exists")
    assert (error.details["ArgumentName"], error.details["ArgumentValue"]) == ("x-oss-acl", value)


def test_a_storage_class_that_does_not_exist(oss: Running) -> None:
    """Swift: testPutBucketFail."""
    configuration = v2.CreateBucketConfiguration(storage_class="storageClass")
    request = v2.PutBucketRequest(bucket="bucket-one", create_bucket_configuration=configuration)
    error = _refused(_second(oss).put_bucket, request)
    assert (error.status_code, error.code, error.ec) == (400, "InvalidArgument", "0013-00000101")
    assert error.message == "No such bucket storage class exists."


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        (
            "<StorageClass>IA</StorageClass>",
            409,
            "BucketAlreadyExists",
            "Cannot modify existing bucket's storage class.",
        ),
        (
            "<DataRedundancyType>ZRS</DataRedundancyType>",
            409,
            "BucketAlreadyExists",
            "Bucket already exists can't modify data redundancy type.",
        ),
        (
            "<LocationConstraint>oss-ap-southeast-1</LocationConstraint>",
            400,
            "InvalidLocationConstraint",
            "The specified location-constraint is not valid",
        ),
    ],
)
def test_a_bucket_stays_what_it_was_created_as(
    oss: Running, bucket: Any, body: str, status: int, code: str, message: str
) -> None:
    """Class and redundancy: https://www.alibabacloud.com/help/en/oss/user-guide/http-status-code-409 .

    The location: Java, CreateBucketTest, testPutWithInconsistentLocation and testModifyExistingBucketLocation.
    """

    def put(name: str, content: str) -> None:
        data = f"<CreateBucketConfiguration>{content}</CreateBucketConfiguration>"
        bucket._do("PUT", name, "", data=data)

    with pytest.raises(oss2.exceptions.ServerError) as refused:
        put("bucket-one", body)
    assert (refused.value.status, refused.value.code, refused.value.message) == (status, code, message)
    put("bucket-one", "<StorageClass>Standard</StorageClass><DataRedundancyType>LRS</DataRedundancyType>")
    put("bucket-one", "<LocationConstraint>oss-cn-hangzhou</LocationConstraint>")
    assert (oss.service.buckets["bucket-one"].storage_class, oss.service.buckets["bucket-one"].redundancy) == (
        "Standard",
        "LRS",
    )


def test_what_was_requested_at_creation_stays_without_a_word(oss: Running) -> None:
    """Creating a bucket again without a body asks for nothing (Java: createBucket twice in CreateBucketTest)."""
    oss.create(storage_class="IA", redundancy="ZRS")
    oss.bucket().create_bucket()
    assert oss.service.buckets["bucket-one"].storage_class == "IA"


def test_the_acl_of_somebody_else_s_bucket(oss: Running) -> None:
    """PutBucketAcl creates buckets, so the name is taken (Java: BucketAclTest.testUnormalSetBucketAcl)."""
    oss.create()
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        oss.stranger().put_bucket_acl("private")
    assert (refused.value.status, refused.value.code) == (409, "BucketAlreadyExists")
    with pytest.raises(oss2.exceptions.AccessDenied):
        oss.stranger().get_bucket_acl()


def test_a_policy_is_kept_as_it_was_written(bucket: Any) -> None:
    """With lists that are written as text (Java: BucketPolicyTest.testNormalPolicy)."""
    statement = (
        r'{"Action":["oss:GetObject","oss:PutObject"],"Effect":"Deny","Principal":"[123456790]",'
        r'"Resource":"[\"acs:oss:*:1234567890:*\/*\"]"}'
    )
    policy = f'{{"Version":"1","Statement":[{statement}]}}'
    bucket.put_bucket_policy(policy)
    assert bucket.get_bucket_policy().policy == policy


def test_buckets_by_tag(oss: Running) -> None:
    """`GET /?tagging="k":"v"&prefix=…` filters (ali-oss: listBuckets with `subres.tagging`)."""
    oss.create("bucket-aa", tagging={"a": "1", "b": "2"})
    oss.create("bucket-bb", tagging={"a": "1"})
    oss.create("bucket-cc", tagging={"a": "2"})

    def names(tagging: str, **params: str) -> list[str]:
        found = oss.owner()._do("GET", "", "", params={"tagging": tagging, **params})
        listed = oss2.models.ListBucketsResult(found)
        oss2.xml_utils.parse_list_buckets(listed, found.read())
        return [item.name for item in listed.buckets]

    assert names('"a":"1"') == ["bucket-aa", "bucket-bb"]
    assert names('"a":"1","b":"2"') == ["bucket-aa"]
    assert names('"a"') == ["bucket-aa", "bucket-bb", "bucket-cc"]
    assert names('"a":"1"', prefix="bucket-b") == ["bucket-bb"]
    assert names('"a":"3"') == []


def test_a_list_by_tag_shows_the_tags(oss: Running) -> None:
    """Each bucket's own, and only in such a list (ali-oss: "should list buckets by subres" compares them)."""
    oss.create("bucket-aa", tagging={"a": "1", "b": "2"})
    for params, shown in (({"tagging": '"a":"1"'}, True), ({"prefix": "bucket"}, False)):
        listed = parse(oss.owner()._do("GET", "", "", params=params).read())
        tag_set = listed.find("Buckets", "Bucket", "Tagging", "TagSet")
        assert (tag_set is not None) is shown
        tags = [tag.texts() for tag in tag_set.all("Tag")] if tag_set is not None else []
        assert tags == ([{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}] if shown else [])


def test_an_object_says_where_to_append(bucket: Any) -> None:
    """GET and HEAD of an appendable object do, those of another do not (ali-oss: "should apend object with …")."""
    bucket.append_object("log", 0, b"foo")
    bucket.append_object("log", 3, b"bar")
    bucket.put_object("whole", b"foo")
    for read in (bucket.get_object, bucket.head_object):
        assert read("log").headers["x-oss-next-append-position"] == "6"
        assert "x-oss-next-append-position" not in read("whole").headers


def test_the_statistics_of_an_empty_bucket(oss: Running, bucket: Any) -> None:
    """Python: test_get_bucket_stat, figure by figure; MultipartPartCount from the page of GetBucketStat."""
    stat = _second(oss).get_bucket_stat(v2.GetBucketStatRequest(bucket="bucket-one"))
    assert (stat.last_modified_time, stat.delete_marker_count, stat.storage) == (0, 0, 0)
    assert _multipart_parts(bucket) == "0"
    bucket.put_object("k", b"x")
    assert bucket.get_bucket_stat().last_modified_time > 0
    upload = bucket.init_multipart_upload("m").upload_id
    bucket.upload_part("m", upload, 1, b"x")
    assert _multipart_parts(bucket) == "1"


def _multipart_parts(bucket: Any) -> str:
    """A figure that neither SDK reads."""
    text = bucket._do("GET", "bucket-one", "", params={"stat": ""}).read().decode()
    return str(text.partition("<MultipartPartCount>")[2].partition("<")[0])


def test_a_list_of_buckets_leaves_out_what_was_not_requested(oss: Running, bucket: Any) -> None:
    """GetService's page: Prefix, Marker, MaxKeys, IsTruncated and NextMarker are there when not all are listed."""
    oss.create("bucket-two")
    for params, present in (({}, False), ({"prefix": "bucket"}, True), ({"max-keys": "1"}, True)):
        text = oss.owner()._do("GET", "", "", params=params).read().decode()
        assert ("<IsTruncated>" in text) is present
        for name, tag in (("prefix", "Prefix"), ("marker", "Marker"), ("max-keys", "MaxKeys")):
            assert (f"<{tag}>" in text) is (name in params)
        assert ("<NextMarker>bucket-one</NextMarker>" in text) is ("max-keys" in params)


def test_cors_headers_are_lowered(bucket: Any) -> None:
    """Allowed headers come back in lower case, exposed ones as they were (Python: test_bucket_cors)."""
    rule = models.CorsRule(["Jsd>>S5swN"], ["GET", "HEAD"], ["WqFg#jPAj("], ["|K+k~ wJIC"], 33012)
    bucket.put_bucket_cors(models.BucketCors([rule]))
    found = bucket.get_bucket_cors().rules[0]
    assert (found.allowed_headers, found.expose_headers) == (["wqfg#jpaj("], ["|K+k~ wJIC"])


@pytest.mark.parametrize(
    ("origin", "method", "headers", "allowed"),
    [
        ("Jsd>>S5swN", "HEAD", "WqFg#jPAj(", True),
        ("https://a.example", "PUT", "", True),
        ("https://a.example.org", "PUT", "", False),
        ("Jsd>>S5swN", "PUT", "WqFg#jPAj(", False),
        ("Jsd>>S5swN", "HEAD", "other", False),
        ("", "", "", False),
    ],
)
def test_preflight(oss: Running, bucket: Any, origin: str, method: str, headers: str, allowed: bool) -> None:
    """By the first rule that fits, whoever asks; AccessForbidden without one (Python: test_bucket_cors, …_fail)."""
    rules = [
        models.CorsRule(["Jsd>>S5swN"], ["GET", "HEAD"], ["WqFg#jPAj("], ["|K+k~ wJIC"], 33012),
        models.CorsRule(["https://*.example"], ["PUT"]),
    ]
    bucket.put_bucket_cors(models.BucketCors(rules))
    request = v2.OptionObjectRequest(
        bucket="bucket-one",
        key="k",
        origin=origin or "-",
        access_control_request_method=method or "-",
        access_control_request_headers=headers or None,
    )
    stranger = _second(oss, "LTAInobody")
    if not allowed:
        error = _refused(stranger.option_object, request)
        assert (error.status_code, error.code) == (403, "AccessForbidden")
        return
    found = stranger.option_object(request)
    assert (found.status_code, found.access_control_allow_origin) == (200, origin)
    assert found.access_control_allow_methods == ("PUT" if method == "PUT" else "GET, HEAD")
    assert found.access_control_allow_headers == (headers or None)


@pytest.mark.parametrize(
    ("condition", "value"), [("If-Match", '"no"'), ("If-Unmodified-Since", "Sat, 01 Jan 2000 00:00:00 GMT")]
)
def test_a_condition_that_does_not_hold_is_named(bucket: Any, condition: str, value: str) -> None:
    """The message says which one."""
    bucket.put_object("k", b"x")
    with pytest.raises(oss2.exceptions.PreconditionFailed) as refused:
        bucket.get_object("k", headers={condition: value})
    assert refused.value.message.endswith(f"(condition={condition})")


def test_a_bucket_stays_where_it_is(oss: Running, bucket: Any) -> None:
    """Creating it through another region's endpoint (the page of status 409)."""
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        oss.bucket(region="cn-beijing").create_bucket()
    error = refused.value
    assert (error.status, error.message) == (409, "Bucket already exists can't modify location.")


def test_a_log_target_that_is_not_there(bucket: Any) -> None:
    """Is told to be somebody else's (Java: BucketLoggingTest.testUnormalSetBucketLogging); EC by its page."""
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.put_bucket_logging(models.BucketLogging("nonexistent-target-bucket", "logs/"))
    error = refused.value
    assert (error.status, error.code, error.ec) == (400, "InvalidTargetBucketForLogging", "0032-00000008")
    assert error.message == "put bucket log requester is not target bucket owner."
