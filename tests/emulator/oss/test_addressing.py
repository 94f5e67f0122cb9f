"""Which bucket, key and region a host and a path mean."""

from __future__ import annotations

import pytest

from emulator.oss.addressing import locate, location, parameters
from emulator.oss.errors import OssRefusal


@pytest.mark.parametrize(
    ("host", "path", "bucket", "key", "region"),
    [
        ("127.0.0.1:9", "/", None, "", None),
        ("127.0.0.1:9", "/b-1/", "b-1", "", None),
        ("127.0.0.1:9", "/b-1/a/b%20c", "b-1", "a/b c", None),
        ("[::1]:9", "/b-1", "b-1", "", None),
        ("localhost:9", "/b-1/k", "b-1", "k", None),
        ("emulator:9", "/b-1/k", "b-1", "k", None),
        ("oss-emulator:9", "/b-1/k", "b-1", "k", None),
        ("oss-emulator.default.svc.cluster.local", "/b-1/k", "b-1", "k", None),
        ("b-1.localhost:9", "/k", "b-1", "k", None),
        ("b-1.own.example:9", "/k", "b-1", "k", None),
        ("oss-cn-hangzhou.aliyuncs.com", "/", None, "", "cn-hangzhou"),
        ("b-1.oss-cn-hangzhou.aliyuncs.com", "/k", "b-1", "k", "cn-hangzhou"),
        ("b-1.oss-cn-hangzhou-internal.aliyuncs.com", "/", "b-1", "", "cn-hangzhou"),
        ("B-1.OSS-CN-HANGZHOU.LOCALHOST:9", "/", "b-1", "", "cn-hangzhou"),
        ("oss-cn-logs.oss-cn-hangzhou.localhost", "/", "oss-cn-logs", "", "cn-hangzhou"),
        ("b-1.oss-cn-hzfinance.aliyuncs.com", "/", "b-1", "", "cn-hangzhou-finance"),
        ("b-1.oss-accelerate.aliyuncs.com", "/", "b-1", "", None),
        ("b-1.oss.aliyuncs.com", "/", "b-1", "", None),
    ],
)
def test_address(host: str, path: str, bucket: str | None, key: str, region: str | None) -> None:
    """Path style for addresses and plain names, virtual-hosted style where a bucket stands before a known host."""
    address = locate(host, path, "own.example")
    assert (address.bucket, address.key, address.host.region) == (bucket, key, region)


def test_path_style_on_an_endpoint() -> None:
    """The service's own endpoints refuse path style."""
    with pytest.raises(OssRefusal, match="SecondLevelDomainForbidden"):
        locate("oss-cn-hangzhou.aliyuncs.com", "/b-1/k")


@pytest.mark.parametrize(
    ("region", "expected"), [("cn-shanghai", "oss-cn-shanghai"), ("cn-shenzhen-finance-1", "oss-cn-szfinance")]
)
def test_location(region: str, expected: str) -> None:
    """A region's endpoint follows the pattern, except where the service's does not."""
    assert location(region) == expected


def test_parameters() -> None:
    """Names and values are decoded once; a plus sign is a space and an escaped one is a plus sign."""
    assert parameters("acl&prefix=a+b%2Bc&x=1=2&&empty=") == {"acl": "", "prefix": "a b+c", "x": "1=2", "empty": ""}
