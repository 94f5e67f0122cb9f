"""Endpoints: a region's host by the fixed pattern, its exceptions, and the configuration's overrides."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.aliyun.oss.endpoints import Endpoints, region_of
from consumer.core.event import REGION
from tests.unit.strategies import hostile_texts

FORMS = [
    ("cn-hangzhou", "oss-cn-hangzhou", "oss-cn-hangzhou-internal"),
    ("ap-southeast-1", "oss-ap-southeast-1", "oss-ap-southeast-1-internal"),
    ("cn-north-2-gov-1", "oss-cn-north-2-gov-1", "oss-cn-north-2-gov-1-internal"),
    ("cn-hangzhou-finance", "oss-cn-hzfinance", "oss-cn-hzfinance-internal"),
    ("cn-shanghai-finance-1", "oss-cn-shanghai-finance-1-pub", "oss-cn-shanghai-finance-1-internal"),
    ("cn-shenzhen-finance-1", "oss-cn-szfinance", "oss-cn-szfinance-internal"),
    ("cn-beijing-finance-1", "oss-cn-beijing-finance-1-pub", "oss-cn-beijing-finance-1-internal"),
    ("rg-china-mainland", "oss-rg-china-mainland", "oss-rg-china-mainland"),
]


@pytest.mark.parametrize(("region", "public", "internal"), FORMS)
def test_every_form_of_region_has_its_hosts(region: str, public: str, internal: str) -> None:
    """Public, government and finance regions, inside and outside Alibaba Cloud's network, over HTTPS."""
    assert Endpoints().url(region) == f"https://{public}.aliyuncs.com"
    assert Endpoints(internal=True).url(region) == f"https://{internal}.aliyuncs.com"


@pytest.mark.parametrize(("region", "public", "internal"), FORMS)
def test_a_host_leads_back_to_its_region(region: str, public: str, internal: str) -> None:
    """The endpoint a reply names is understood in both its forms and in any case."""
    assert region_of(f"{public}.aliyuncs.com") == region
    assert region_of(f" {internal.upper()}.ALIYUNCS.COM\n") == region


@pytest.mark.parametrize(
    "host",
    ["", "evil.example", "cn-hangzhou.aliyuncs.com", "oss-.aliyuncs.com", "oss-a@b.aliyuncs.com", "oss-../x", "oss",
     "oss-" + "a-" * 60, "http://oss-cn-hangzhou.aliyuncs.com", "oss-\u0441n-hangzhou.aliyuncs.com"],
)  # fmt: skip
def test_a_host_of_another_form_has_no_region(host: str) -> None:
    """What does not read as an OSS host names no region."""
    assert region_of(host) == ""


@given(st.text(max_size=30) | hostile_texts)
def test_what_a_host_yields_is_a_region_id_or_nothing(host: str) -> None:
    """A reply cannot smuggle anything but a well-formed region id through."""
    for text in (host, f"oss-{host}", f"oss-{host}.aliyuncs.com"):
        region = region_of(text)
        assert not region or REGION.fullmatch(region)


def test_an_override_counts_before_the_pattern_and_its_own_region_before_any() -> None:
    """The configuration may name a region's endpoint, or one for all the others; internal does not change it."""
    endpoints = Endpoints({"cn-hangzhou": "http://10.0.0.1:1", "*": "http://10.0.0.2:2"}, internal=True)
    assert endpoints.url("cn-hangzhou") == "http://10.0.0.1:1"
    assert endpoints.url("cn-beijing") == "http://10.0.0.2:2"
    assert Endpoints({"cn-hangzhou": "http://10.0.0.1:1"}).url("cn-beijing") == "https://oss-cn-beijing.aliyuncs.com"


@given(hostile_texts | st.text(max_size=30) | st.from_regex(REGION), st.booleans())
def test_no_text_leads_to_another_host(region: str, internal: bool) -> None:
    """Whatever is asked for is refused, or leads to a host below the fixed suffix whose labels fit into DNS."""
    try:
        url = Endpoints(internal=internal).url(region)
    except ValueError:
        assert not REGION.fullmatch(region)
        return
    parts = urlsplit(url)
    assert parts.hostname
    assert url == f"https://{parts.hostname}"
    assert parts.hostname.endswith(".aliyuncs.com")
    assert all(0 < len(label) <= 63 for label in parts.hostname.split("."))


def test_the_last_line_of_defence_holds_even_with_an_override_for_all() -> None:
    """A malformed region is refused although every region has an endpoint."""
    with pytest.raises(ValueError, match="not a region id"):
        Endpoints({"*": "http://10.0.0.2:2"}).url("evil.example/x#")


@pytest.mark.parametrize("internal", [False, True])
@pytest.mark.parametrize("overrides", [{}, {"cn-beijing": "http://10.0.0.1:1"}, {"*": "https://oss.example:8443"}])
@given(region=st.from_regex(REGION, fullmatch=True) | st.sampled_from(["cn-hangzhou-finance", "rg-china-mainland"]))
def test_every_endpoint_is_served_and_nothing_remembered(
    overrides: dict[str, str], internal: bool, region: str
) -> None:
    """A request goes to an endpoint whichever region a message invents, and the set of them does not grow by it."""
    endpoints = Endpoints(overrides, internal)
    assert endpoints.serves(urlsplit(endpoints.url(region)).netloc)


@given(hostile_texts | st.text(max_size=30) | st.from_regex(REGION), st.booleans())
def test_no_other_host_is_served(text: str, internal: bool) -> None:
    """Whatever a host looks like, it is an endpoint's or refused."""
    endpoints = Endpoints({"cn-beijing": "http://10.0.0.1:1"}, internal)
    for host in (text, f"oss-{text}", f"oss-{text}.aliyuncs.com", f"oss-{text}-internal.aliyuncs.com"):
        if endpoints.serves(host):
            label = host.removesuffix(".aliyuncs.com")
            assert host == "10.0.0.1:1" or (f"{label}.aliyuncs.com" == host and label.startswith("oss-"))
            assert set(label) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.:")


@pytest.mark.parametrize(
    "host",
    [
        "",
        "oss-cn-beijing.aliyuncs.com",
        "10.0.0.1",
        "user@10.0.0.1:1",
        "oss-cn-hangzhou.aliyuncs.com:443",
        "oss-cn-hangzhou.aliyuncs.com.evil.example",
        "evil.oss-cn-hangzhou.aliyuncs.com",
        "OSS-cn-hangzhou.aliyuncs.com",
        "oss-cn-hangzhou.evil.example",
    ],
)
def test_what_only_resembles_an_endpoint_is_not_served(host: str) -> None:
    """Nor is the region's own host where the configuration names another."""
    assert not Endpoints({"cn-beijing": "http://10.0.0.1:1"}).serves(host)
