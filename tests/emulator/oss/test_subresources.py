"""Every configurable part of a bucket with the real SDK: unset, set, read back, dropped, refused."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import oss2
import pytest
from oss2 import models

from tests.emulator.oss.running import STRANGER, Running

PUBLIC_POLICY = json.dumps(
    {
        "Version": "1",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": ["*"],
                "Action": ["oss:GetObject"],
                "Resource": ["acs:oss:*:*:bucket-one/*"],
            }
        ],
    }
)


@pytest.fixture
def bucket(oss: Running) -> Any:
    """A new private bucket."""
    oss.create()
    return oss.bucket()


def test_encryption(bucket: Any) -> None:
    """Encryption is absent, then as it was put, then absent."""
    with pytest.raises(oss2.exceptions.NoSuchServerSideEncryptionRule):
        bucket.get_bucket_encryption()
    bucket.put_bucket_encryption(models.ServerSideEncryptionRule("KMS", "key-1", "SM4"))
    rule = bucket.get_bucket_encryption()
    assert (rule.sse_algorithm, rule.kms_master_keyid, rule.kms_data_encryption) == ("KMS", "key-1", "SM4")
    assert bucket.get_bucket_info().bucket_encryption_rule.sse_algorithm == "KMS"
    bucket.delete_bucket_encryption()
    with pytest.raises(oss2.exceptions.NoSuchServerSideEncryptionRule):
        bucket.get_bucket_encryption()


def test_encryption_refusals(bucket: Any) -> None:
    """Unknown algorithms and a key without KMS are refused."""
    with pytest.raises(oss2.exceptions.InvalidEncryptionAlgorithmError):
        bucket.put_bucket_encryption(models.ServerSideEncryptionRule("DES"))
    with pytest.raises(oss2.exceptions.InvalidArgument):
        bucket.put_bucket_encryption(models.ServerSideEncryptionRule("AES256", "key-1"))


def test_versioning(bucket: Any) -> None:
    """Versioning is unset until it was set; other values are refused."""
    assert bucket.get_bucket_versioning().status is None
    for status in ("Enabled", "Suspended"):
        bucket.put_bucket_versioning(models.BucketVersioningConfig(status))
        assert bucket.get_bucket_versioning().status == status
    with pytest.raises(oss2.exceptions.MalformedXml):
        bucket.put_bucket_versioning(models.BucketVersioningConfig("Disabled"))


def test_logging(oss: Running, bucket: Any) -> None:
    """Logging is off until a target is named, and off again after deletion, which may be repeated."""
    assert bucket.get_bucket_logging().target_bucket == ""
    oss.create("log-target")
    bucket.put_bucket_logging(models.BucketLogging("log-target", "日志/"))
    logging = bucket.get_bucket_logging()
    assert (logging.target_bucket, logging.target_prefix) == ("log-target", "日志/")
    bucket.delete_bucket_logging()
    bucket.delete_bucket_logging()
    assert bucket.get_bucket_logging().target_bucket == ""


@pytest.mark.parametrize(
    ("fields", "ec"),
    [
        (None, "0032-00000008"),
        ({"owner_id": STRANGER.account_id}, "0032-00000009"),
        ({"region": "cn-beijing"}, "0032-00000010"),
    ],
)
def test_logging_target(oss: Running, bucket: Any, fields: dict[str, str] | None, ec: str) -> None:
    """A target has to exist, belong to the same account and be in the same region."""
    if fields is not None:
        oss.create("log-target", **fields)
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.put_bucket_logging(models.BucketLogging("log-target", ""))
    assert (refused.value.code, refused.value.ec) == ("InvalidTargetBucketForLogging", ec)


def test_referer(bucket: Any) -> None:
    """A new bucket allows every referer; what is put comes back whole."""
    assert bucket.get_bucket_referer().allow_empty_referer is True
    bucket.put_bucket_referer(models.BucketReferer(False, ["http://a.example"], False, ["http://b.example"]))
    referer = bucket.get_bucket_referer()
    assert (referer.allow_empty_referer, referer.allow_truncate_query_string) == (False, False)
    assert (referer.referers, referer.black_referers) == (["http://a.example"], ["http://b.example"])


def test_policy(bucket: Any) -> None:
    """A policy is absent, then the very text that was put, then absent."""
    with pytest.raises(oss2.exceptions.NoSuchBucketPolicy):
        bucket.get_bucket_policy()
    bucket.put_bucket_policy(PUBLIC_POLICY)
    assert bucket.get_bucket_policy().policy == PUBLIC_POLICY
    bucket.delete_bucket_policy()
    bucket.delete_bucket_policy()
    with pytest.raises(oss2.exceptions.NoSuchBucketPolicy):
        bucket.get_bucket_policy()


def test_https_config(bucket: Any) -> None:
    """TLS versions are off by default; repeated ones are given back once; unknown ones are refused."""
    assert bucket.get_bucket_https_config().tls_enabled is False
    bucket.put_bucket_https_config(SimpleNamespace(tls_enabled=True, tls_version=["TLSv1.2", "TLSv1.3", "TLSv1.2"]))
    config = bucket.get_bucket_https_config()
    assert (config.tls_enabled, config.tls_version) == (True, ["TLSv1.2", "TLSv1.3"])
    for versions in ([], ["SSLv3"]):
        with pytest.raises(oss2.exceptions.MalformedXml):
            bucket.put_bucket_https_config(SimpleNamespace(tls_enabled=True, tls_version=versions))


def test_public_access_block(oss: Running, bucket: Any) -> None:
    """Block Public Access is off, on, off; on, it refuses public grants and leaves the existing ones standing."""
    bucket.put_bucket_acl("public-read")
    assert bucket.get_bucket_public_access_block().block_public_access is False
    bucket.put_bucket_public_access_block(True)
    assert bucket.get_bucket_public_access_block().block_public_access is True
    assert bucket.get_bucket_acl().acl == "public-read"
    assert oss.get("/bucket-one/").status_code == 403
    with pytest.raises(oss2.exceptions.AccessDenied, match="Put public bucket acl is not allowed"):
        bucket.put_bucket_acl("public-read-write")
    with pytest.raises(oss2.exceptions.AccessDenied, match="Put public bucket policy is not allowed"):
        bucket.put_bucket_policy(PUBLIC_POLICY)
    bucket.put_bucket_acl("private")
    bucket.delete_bucket_public_access_block()
    assert bucket.get_bucket_public_access_block().block_public_access is False


def test_account_public_access_block(oss: Running, bucket: Any) -> None:
    """The account's setting holds for all its buckets without changing theirs."""
    heard: list[str] = []
    oss.service.on_change(heard.append)
    oss.owner().put_public_access_block(True)
    assert oss.owner().get_public_access_block().block_public_access is True
    assert heard == ["bucket-one"]
    assert bucket.get_bucket_public_access_block().block_public_access is False
    with pytest.raises(oss2.exceptions.AccessDenied):
        bucket.put_bucket_acl("public-read")
    oss.owner().delete_public_access_block()
    bucket.put_bucket_acl("public-read")


def test_tagging(bucket: Any) -> None:
    """Tags are none, then as put, then without the one that was dropped, then none."""
    assert bucket.get_bucket_tagging().tag_set.tagging_rule == {}
    tagging = models.Tagging()
    tagging.tag_set.tagging_rule.update({"%@abc": "++123%", "team": "中文"})
    bucket.put_bucket_tagging(tagging)
    assert bucket.get_bucket_tagging().tag_set.tagging_rule == {"%@abc": "++123%", "team": "中文"}
    bucket.delete_bucket_tagging(params={"tagging": "team"})
    assert bucket.get_bucket_tagging().tag_set.tagging_rule == {"%@abc": "++123%"}
    bucket.delete_bucket_tagging()
    assert bucket.get_bucket_tagging().tag_set.tagging_rule == {}


def test_lifecycle(bucket: Any) -> None:
    """Lifecycle rules come back; deletion without rules is fine."""
    rule = models.LifecycleRule("r", "logs/", expiration=models.LifecycleExpiration(days=3))
    bucket.put_bucket_lifecycle(models.BucketLifecycle([rule]))
    found = bucket.get_bucket_lifecycle().rules[0]
    assert (found.id, found.prefix, found.expiration.days) == ("r", "logs/", 3)
    bucket.delete_bucket_lifecycle()
    bucket.delete_bucket_lifecycle()
    with pytest.raises(oss2.exceptions.NoSuchLifecycle):
        bucket.get_bucket_lifecycle()


def test_lifecycle_refusals(bucket: Any) -> None:
    """Rules that contradict themselves or each other are refused."""

    def rule(prefix: str, days: int, transition: int | None = None) -> Any:
        made = models.LifecycleRule(prefix, prefix, expiration=models.LifecycleExpiration(days=days))
        if transition is not None:
            made.storage_transitions = [models.StorageTransition(days=transition, storage_class="IA")]
        return made

    for rules in ([rule("a", 3, 4)], [rule("a", 3), rule("a/b", 3)]):
        with pytest.raises(oss2.exceptions.InvalidArgument):
            bucket.put_bucket_lifecycle(models.BucketLifecycle(rules))


def test_cors(bucket: Any) -> None:
    """CORS rules come back; a negative age is named as the culprit."""
    rule = models.CorsRule(["*"], ["GET"], max_age_seconds=5)
    bucket.put_bucket_cors(models.BucketCors([rule]))
    assert bucket.get_bucket_cors().rules[0].max_age_seconds == 5
    bucket.delete_bucket_cors()
    with pytest.raises(oss2.exceptions.NoSuchCors):
        bucket.get_bucket_cors()
    with pytest.raises(oss2.exceptions.InvalidArgument) as refused:
        bucket.put_bucket_cors(models.BucketCors([models.CorsRule(["*"], ["GET"], max_age_seconds=-1)]))
    assert (refused.value.name, refused.value.value) == ("MaxAgeSeconds", "-1")


def test_website(bucket: Any) -> None:
    """A website is absent, as put, absent."""
    with pytest.raises(oss2.exceptions.NoSuchWebsite):
        bucket.get_bucket_website()
    bucket.put_bucket_website(models.BucketWebsite("index.html", "error.html"))
    assert bucket.get_bucket_website().index_file == "index.html"
    bucket.delete_bucket_website()
    with pytest.raises(oss2.exceptions.NoSuchWebsite):
        bucket.get_bucket_website()


def test_resource_group(bucket: Any) -> None:
    """The resource group can be changed and is then listed."""
    bucket.put_bucket_resource_group("rg-one")
    assert bucket.get_bucket_resource_group().resource_group_id == "rg-one"
    assert bucket.get_bucket_info().resource_group_id == "rg-one"


def test_stat(bucket: Any) -> None:
    """The statistics count objects and bytes."""
    bucket.put_object("k", b"12345")
    stat = bucket.get_bucket_stat()
    assert (stat.object_count, stat.storage_size_in_bytes) == (1, 5)


def test_redundancy(oss: Running, bucket: Any) -> None:
    """The move to zone redundancy takes emulated time, shows its progress, and has no way back."""
    task_id = bucket.create_bucket_data_redundancy_transition("ZRS").task_id
    assert bucket.get_bucket_data_redundancy_transition(task_id).transition_status == "Queueing"
    with pytest.raises(oss2.exceptions.ServerError, match="409"):
        bucket.create_bucket_data_redundancy_transition("ZRS")
    service = oss.service.buckets["bucket-one"]
    service.transitions[task_id].created -= 1800
    service.transitions[task_id].finishes -= 1800
    assert bucket.get_bucket_data_redundancy_transition(task_id).process_percentage == 50
    assert bucket.get_bucket_info().data_redundancy_type == "LRS"
    service.transitions[task_id].finishes -= 1800
    assert bucket.get_bucket_data_redundancy_transition(task_id).transition_status == "Finished"
    assert oss.owner().list_user_data_redundancy_transition().data_redundancy_transitions[0].bucket == "bucket-one"
    assert bucket.get_bucket_info().data_redundancy_type == "ZRS"
    assert oss.journal()[-1].operation == "BucketDataRedundancyTransitionFinished"
    bucket.delete_bucket_data_redundancy_transition(task_id)
    with pytest.raises(oss2.exceptions.ServerError, match="409"):
        bucket.create_bucket_data_redundancy_transition("ZRS")


def test_redundancy_tasks_by_page(oss: Running) -> None:
    """The account's tasks are listed newest first and page by page."""
    for name in ("bucket-aa", "bucket-bb", "bucket-cc"):
        oss.create(name)
        oss.bucket(name).create_bucket_data_redundancy_transition("ZRS")
    seen, token = [], ""
    for _ in range(2):
        page = oss.owner().list_user_data_redundancy_transition(continuation_token=token, max_keys=2)
        seen += [task.bucket for task in page.data_redundancy_transitions]
        token = page.next_continuation_token
    assert seen == ["bucket-cc", "bucket-bb", "bucket-aa"]
    assert not page.is_truncated


def test_redundancy_finishes_by_itself(oss: Running, bucket: Any) -> None:
    """Nobody has to ask for a move to be over once its time has come."""
    bucket.create_bucket_data_redundancy_transition("ZRS")
    heard: list[str] = []
    oss.service.on_change(heard.append)
    oss.advance(3601)
    for _ in range(10):
        oss.inside(lambda: None)
    assert oss.service.buckets["bucket-one"].redundancy == "ZRS"
    assert heard == ["bucket-one"]


@pytest.mark.parametrize(
    "read",
    ["get_bucket_encryption", "get_bucket_logging", "get_bucket_policy", "get_bucket_info", "get_bucket_https_config"],
)
def test_missing_bucket(oss: Running, read: str) -> None:
    """Nothing of a bucket that is not there can be read."""
    with pytest.raises(oss2.exceptions.NoSuchBucket):
        getattr(oss.bucket("no-such-bucket"), read)()
