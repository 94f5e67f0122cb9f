"""The second generation of the official SDK (`alibabacloud-oss-v2`) against the same service."""

from __future__ import annotations

from typing import Any

import alibabacloud_oss_v2 as v2
import pytest

from tests.emulator.oss.running import Running
from tests.patience import PATIENCE_SECONDS


@pytest.fixture(params=["v1", "v4"])
def client(oss: Running, request: pytest.FixtureRequest) -> Any:
    """A client with either signature version."""
    config = v2.config.load_default()
    config.credentials_provider = v2.credentials.StaticCredentialsProvider(
        oss.endpoints.access_key_id, oss.endpoints.access_key_secret
    )
    config.region, config.endpoint, config.signature_version = "cn-hangzhou", oss.url, request.param
    return v2.Client(config)


def _code(error: pytest.ExceptionInfo[Any]) -> str:
    return str(error.value.unwrap().code)


def test_bucket(client: Any) -> None:
    """Created, changed, described, listed, deleted."""
    client.put_bucket(v2.PutBucketRequest(bucket="bucket-one", acl="public-read"))
    client.put_bucket_acl(v2.PutBucketAclRequest(bucket="bucket-one", acl="private"))
    assert client.get_bucket_acl(v2.GetBucketAclRequest(bucket="bucket-one")).acl == "private"
    info = client.get_bucket_info(v2.GetBucketInfoRequest(bucket="bucket-one")).bucket_info
    assert (info.name, info.block_public_access, info.acl) == ("bucket-one", False, "private")
    assert [found.name for found in client.list_buckets(v2.ListBucketsRequest()).buckets] == ["bucket-one"]
    assert client.is_bucket_exist("bucket-one")
    client.delete_bucket(v2.DeleteBucketRequest(bucket="bucket-one"))
    assert not client.is_bucket_exist("bucket-one")


def test_policy_status(client: Any) -> None:
    """GetBucketPolicyStatus says whether the policy is public."""
    client.put_bucket(v2.PutBucketRequest(bucket="bucket-one"))
    policy = (
        '{"Version":"1","Statement":[{"Effect":"Allow","Principal":["*"],'
        '"Action":["oss:GetObject"],"Resource":["acs:oss:*:*:bucket-one/*"]}]}'
    )
    client.put_bucket_policy(v2.PutBucketPolicyRequest(bucket="bucket-one", body=policy))
    status = client.get_bucket_policy_status(v2.GetBucketPolicyStatusRequest(bucket="bucket-one"))
    assert status.policy_status.is_public is True


def test_public_access_block(client: Any) -> None:
    """Lower-case flags go in and come out."""
    client.put_bucket(v2.PutBucketRequest(bucket="bucket-one"))
    client.put_bucket_public_access_block(
        v2.PutBucketPublicAccessBlockRequest(
            bucket="bucket-one",
            public_access_block_configuration=v2.PublicAccessBlockConfiguration(block_public_access=True),
        )
    )
    found = client.get_bucket_public_access_block(v2.GetBucketPublicAccessBlockRequest(bucket="bucket-one"))
    assert found.public_access_block_configuration.block_public_access is True
    with pytest.raises(v2.exceptions.OperationError) as refused:
        client.put_bucket_acl(v2.PutBucketAclRequest(bucket="bucket-one", acl="public-read"))
    assert _code(refused) == "AccessDenied"


def test_presigned(client: Any) -> None:
    """A presigned request of this SDK is accepted too."""
    import requests

    client.put_bucket(v2.PutBucketRequest(bucket="bucket-one"))
    client.put_object(v2.PutObjectRequest(bucket="bucket-one", key="a b", body=b"x"))
    signed = client.presign(v2.GetObjectRequest(bucket="bucket-one", key="a b"))
    assert requests.get(signed.url, timeout=PATIENCE_SECONDS).content == b"x"


def test_unset(client: Any) -> None:
    """What was never set is answered so that this SDK understands it."""
    client.put_bucket(v2.PutBucketRequest(bucket="bucket-one"))
    versioning = client.get_bucket_versioning(v2.GetBucketVersioningRequest(bucket="bucket-one"))
    assert versioning.version_status is None
    https = client.get_bucket_https_config(v2.GetBucketHttpsConfigRequest(bucket="bucket-one"))
    assert https.https_configuration.tls.enable is False
    with pytest.raises(v2.exceptions.OperationError) as refused:
        client.get_bucket_encryption(v2.GetBucketEncryptionRequest(bucket="bucket-one"))
    assert _code(refused) == "NoSuchServerSideEncryptionRule"
