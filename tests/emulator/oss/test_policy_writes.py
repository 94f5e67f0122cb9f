"""Writing bucket policies over HTTP: what is taken, what the policy status then says, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import alibabacloud_oss_v2 as v2
import oss2
import pytest

from tests.emulator.oss.running import Running

SOURCE_IP = {"IpAddress": {"acs:SourceIp": ["10.10.10.10"]}}
OUTSIDE_VPCS = SOURCE_IP | {"StringNotLike": {"acs:SourceVpc": "vpc-*"}}


def _policy(**fields: Any) -> str:
    usual = {"Effect": "Allow", "Principal": ["*"], "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:1:b/*"]}
    return json.dumps({"Version": "1", "Statement": [usual | fields]})


@pytest.fixture
def bucket(oss: Running) -> Any:
    """A new private bucket."""
    oss.create()
    return oss.bucket()


def _is_public(oss: Running) -> Any:
    key = v2.credentials.StaticCredentialsProvider(oss.endpoints.access_key_id, oss.endpoints.access_key_secret)
    client = v2.Client(v2.Config(region="cn-hangzhou", endpoint=oss.url, credentials_provider=key))
    found = client.get_bucket_policy_status(v2.GetBucketPolicyStatusRequest(bucket="bucket-one"))
    assert found.policy_status is not None
    return found.policy_status.is_public


def test_an_empty_principal_is_taken_and_public(oss: Running, bucket: Any) -> None:
    """ "Policy syntax and elements": an empty list of principals is the same as `["*"]`."""
    bucket.put_bucket_policy(_policy(Principal=[]))
    assert _is_public(oss) is True
    with pytest.raises(oss2.exceptions.ServerError, match="InvalidPolicyDocument"):
        bucket.put_bucket_policy(_policy(Action=[]))


@pytest.mark.parametrize(
    ("fields", "public"),
    [
        ({}, True),
        ({"Principal": ["1234567890123456"]}, False),
        ({"Condition": {"StringEquals": {"acs:SourceVpc": ["vpc-1"]}}}, False),
        ({"Condition": {"StringLike": {"acs:SourceVpc": ["vpc-*"]}}}, True),
        ({"Condition": SOURCE_IP}, False),
        ({"Condition": {"IpAddress": {"acs:SourceIp": ["0.0.0.0/1"]}}}, True),
        ({"Effect": "Deny"}, False),
    ],
)
def test_status_and_block_public_access_agree(oss: Running, bucket: Any, fields: dict[str, Any], public: bool) -> None:
    """What the status calls public is what Block Public Access refuses to write, and nothing else is."""
    policy = _policy(**fields)
    bucket.put_bucket_policy(policy)
    assert _is_public(oss) is public
    bucket.delete_bucket_policy()
    assert _is_public(oss) is False
    bucket.put_bucket_public_access_block(True)
    if not public:
        bucket.put_bucket_policy(policy)
        return
    with pytest.raises(oss2.exceptions.AccessDenied) as refused:
        bucket.put_bucket_policy(policy)
    assert refused.value.message == "Put public bucket policy is not allowed"


def test_addresses_without_a_vpc_are_taken_by_default(bucket: Any) -> None:
    """The service may refuse them; it does not everywhere."""
    policy = _policy(Condition=SOURCE_IP)
    bucket.put_bucket_policy(policy)
    assert bucket.get_bucket_policy().policy == policy


@pytest.mark.parametrize(("status", "code"), [(400, "InvalidPolicyDocument"), (403, "AccessDenied")])
def test_addresses_without_a_vpc_may_be_refused(oss: Running, bucket: Any, status: int, code: str) -> None:
    """https://help.aliyun.com/zh/oss/user-guide/0030-00000008 , also for a policy that stands already."""
    policy = _policy(Condition=SOURCE_IP)
    bucket.put_bucket_policy(policy)
    oss.world.options["oss_source_ip_refusal"] = status
    for written in (policy, _policy(Effect="Deny", Condition=SOURCE_IP)):
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            bucket.put_bucket_policy(written)
        assert (refused.value.status, refused.value.code, refused.value.ec) == (status, code, "0030-00000008")
    assert bucket.get_bucket_policy().policy == policy


@pytest.mark.parametrize("condition", [OUTSIDE_VPCS, SOURCE_IP | {"StringEquals": {"acs:SourceVpc": "vpc-1"}}, {}])
def test_addresses_with_a_vpc_are_taken(oss: Running, bucket: Any, condition: dict[str, Any]) -> None:
    """Both forms that the page proposes instead are taken."""
    oss.world.options["oss_source_ip_refusal"] = 400
    policy = _policy(Condition=condition)
    bucket.put_bucket_policy(policy)
    assert bucket.get_bucket_policy().policy == policy
