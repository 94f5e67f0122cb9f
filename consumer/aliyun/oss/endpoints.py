"""Which host serves OSS in a region: a fixed pattern, its known exceptions, and what the configuration overrides.

A region comes from a message, so this is where a message could try to choose a host; it cannot, because only a region
id that has passed its pattern is put into a host name, and overrides come from the configuration alone. Pure.

Regions: https://www.alibabacloud.com/help/en/oss/user-guide/regions-and-endpoints
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from consumer.core.event import REGION

_EXCEPTIONS = {
    "cn-hangzhou-finance": "oss-cn-hzfinance",
    "cn-shanghai-finance-1": "oss-cn-shanghai-finance-1-pub",
    "cn-shenzhen-finance-1": "oss-cn-szfinance",
    "cn-beijing-finance-1": "oss-cn-beijing-finance-1-pub",
    "rg-china-mainland": "oss-rg-china-mainland",
}
_WITHOUT_INTERNAL = frozenset({"rg-china-mainland"})


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The OSS endpoint of every region."""

    overrides: Mapping[str, str] = field(default_factory=dict)
    """Full URLs by region id, or by `*` for every region without one of its own."""
    internal: bool = False
    """Whether to use the endpoints inside Alibaba Cloud's network."""
    _overridden: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_overridden", frozenset(urlsplit(url).netloc for url in self.overrides.values()))

    def url(self, region: str) -> str:
        """The endpoint of a region, with its scheme and without a path.

        Raises:
            ValueError: the text is not a region id; callers check that first, this is the last line of defence.
        """
        if not REGION.fullmatch(region):
            raise ValueError("not a region id")
        override = self.overrides.get(region) or self.overrides.get("*")
        if override:
            return override
        host = _EXCEPTIONS.get(region, f"oss-{region}")
        if self.internal and region not in _WITHOUT_INTERNAL:
            host = f"{host.removesuffix('-pub')}-internal"
        return f"https://{host}.aliyuncs.com"

    def serves(self, host: str) -> bool:
        """Whether one of these endpoints is at that host, which has its port with it if there is one.

        Answered from the configuration and the pattern alone: to remember the regions of messages would be to let
        whoever publishes them fill the memory.
        """
        if host in self._overridden:
            return True
        written = host.removeprefix("oss-").removesuffix(".aliyuncs.com")
        regions = (region for region in (written, region_of(host)) if REGION.fullmatch(region))
        return any(self.url(region) == f"https://{host}" for region in regions)

    def is_above(self, host: str) -> bool:
        """Whether a host, as above, is a bucket's: its name is that of an endpoint with one label before it."""
        return self.serves(host.partition(".")[2])


def region_of(host: str) -> str:
    """The region a service host such as `oss-cn-beijing-internal.aliyuncs.com` belongs to, or nothing.

    For hosts that a reply names: the result has the form of a region id, and no more is believed.
    """
    label = host.strip().lower().split(".", 1)[0]
    for region, exception in _EXCEPTIONS.items():
        if label in (exception, f"{exception}-internal"):
            return region
    region = label.removeprefix("oss-").removesuffix("-internal")
    return region if label.startswith("oss-") and REGION.fullmatch(region) else ""
