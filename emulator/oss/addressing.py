"""Which bucket, object and region a request is addressed to: path style and virtual-hosted style.

Reads only the Host header, the path and the query; whether the bucket exists is not its question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import unquote_plus

from emulator.oss.codes import Oss
from emulator.oss.errors import OssRefusal

_ENDPOINT = re.compile(r"oss-(?:[a-z]{2}-[a-z0-9-]+|accelerate(?:-overseas)?)")
_IP = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]")

# Regions whose public endpoint is not simply `oss-<region>`.
# https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints
_REGION_OF_ENDPOINT = {
    "cn-hzfinance": "cn-hangzhou-finance",
    "cn-hzjbp": "cn-hangzhou-finance",
    "cn-szfinance": "cn-shenzhen-finance-1",
    "cn-shanghai-finance-1-pub": "cn-shanghai-finance-1",
    "cn-beijing-finance-1-pub": "cn-beijing-finance-1",
    "cn-north-2-gov-1": "cn-north-2-gov-1",
}
_ENDPOINT_OF_REGION = {region: endpoint for endpoint, region in _REGION_OF_ENDPOINT.items()}
_ENDPOINT_OF_REGION["cn-hangzhou-finance"] = "cn-hzfinance"
_REGIONLESS = frozenset({"oss", "oss-accelerate", "oss-accelerate-overseas"})


@dataclass(frozen=True, slots=True)
class Host:
    """What a Host header says by itself."""

    name: str
    """Lower case, without the port."""
    bucket: str | None
    """The bucket of a virtual-hosted request."""
    region: str | None
    """The region whose endpoint was addressed, or None when the name does not tell."""
    official: bool = False
    """Whether the name is one of the service's own endpoints, which know virtual-hosted style only."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a request goes."""

    host: Host
    bucket: str | None
    key: str
    """The object's name, percent-decoded; empty for a bucket or the service itself."""


def location(region: str) -> str:
    """The name of a region's endpoint without its domain, as `<Location>` has it: `oss-cn-hangzhou`."""
    return "oss-" + _ENDPOINT_OF_REGION.get(region, region)


def locate(host_header: str, path: str, own_host: str = "") -> Address:
    """Split a request's host and path; `own_host` is the emulator's own name, under which buckets may live.

    Raises Refusal(SecondLevelDomainForbidden) for a path-style request to an official endpoint.
    """
    host = read_host(host_header, own_host)
    # The service takes a plus sign for a space in paths, too, and older SDKs rely on it.
    decoded = unquote_plus(path[1:])
    if host.bucket is not None:
        return Address(host, host.bucket, decoded)
    if host.official and decoded:
        raise OssRefusal(Oss.SECOND_LEVEL_DOMAIN)
    bucket, _, key = decoded.partition("/")
    return Address(host, bucket or None, key)


def parameters(query: str) -> dict[str, str]:
    """A query's names and values; a plus sign is a space, as clients that encode forms mean it."""
    pairs = (pair.partition("=") for pair in query.split("&") if pair)
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}


@lru_cache(maxsize=4096)
def read_host(header: str, own_host: str) -> Host:
    """What the Host header says; `own_host` without port."""
    name = _without_port(header.lower())
    if _IP.fullmatch(name) or name in (own_host, "localhost"):
        return Host(name, None, None)
    labels = name.split(".")
    for index in range(len(labels) - 2, -1, -1):
        if _ENDPOINT.fullmatch(labels[index]) or labels[index:] == ["oss", "aliyuncs", "com"]:
            return Host(name, ".".join(labels[:index]) or None, _region(labels[index]), official=True)
    for suffix in (own_host, "localhost"):
        if suffix and name.endswith("." + suffix):
            return Host(name, name.removesuffix("." + suffix), None)
    return Host(name, None, None)


def _without_port(header: str) -> str:
    if header.startswith("["):
        return header.partition("]")[0] + "]"
    return header.partition(":")[0]


def _region(label: str) -> str | None:
    if label in _REGIONLESS:
        return None
    region = label.removeprefix("oss-").removesuffix("-internal")
    return _REGION_OF_ENDPOINT.get(region, region)
