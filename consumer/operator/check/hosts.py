"""Whether the services' hosts answer, as themselves and over TLS, and whether our clock agrees with theirs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from consumer.aliyun.oss.endpoints import Endpoints
from consumer.app.prerequisites import queue_key, way_there
from consumer.config import Config, RuleConfig
from consumer.operator.check.findings import CheckResult, failed, ok, warning
from consumer.operator.check.probe import NoAnswer, ProbeResult, probe
from consumer.remediations.catalogue import catalogue
from consumer.resources.oss.kind import BUCKETS

MNS, OSS, CLOCK, REGIONS = "mns endpoint", "oss endpoint", "clock", "regions"

_REFUSED_SKEW_SECONDS = 900
"""Beyond this both services refuse every signature."""
_NOTICED_SKEW_SECONDS = 60


def look(config: Config) -> Iterator[CheckResult]:
    """One request to MNS, and to each host of OSS that rules about buckets lead to."""
    queue, oss = config.queue, config.oss
    skews: list[float] = []
    yield _answer(
        MNS, config.mns_endpoint, queue_key(config), (queue.connect_timeout_seconds, queue.call_timeout_seconds), skews
    )
    endpoints = Endpoints(oss.endpoints, oss.internal)
    about_buckets = [rule for rule in config.rules if catalogue()[rule.remediation].kind is BUCKETS]
    for url, regions in sorted(_urls(config, about_buckets, endpoints).items()):
        key = f"oss.endpoints or the region ({', '.join(sorted(regions))})"
        yield _answer(OSS, url, key, (oss.connect_timeout_seconds, oss.call_timeout_seconds), skews)
    if skews:
        yield _clock(max(skews, key=abs))
    yield from _regions(config, about_buckets)


def _urls(config: Config, about_buckets: Sequence[RuleConfig], endpoints: Endpoints) -> dict[str, set[str]]:
    """The endpoints of every region that these rules name, with the regions they serve."""
    if not about_buckets:
        return {}
    regions = {config.oss_default_region, *(region for rule in about_buckets for region in rule.regions)}
    found: dict[str, set[str]] = {}
    for region in regions:
        found.setdefault(endpoints.url(region), set()).add(region)
    return found


def _answer(check: str, url: str, key: str, seconds: tuple[float, float], skews: list[float]) -> CheckResult:
    try:
        seen = probe(url, *seconds)
    except NoAnswer as error:
        return failed(check, f"{url} cannot be reached ({error.code}): {error}", way_there(error.code, key))
    if not seen.from_service:
        text = f"what answers at {url} is not the service: a proxy, a captive portal or another server"
        return failed(check, text, f"check what stands between, and {key}")
    _remember(seen, skews)
    return ok(check, url)


def _remember(seen: ProbeResult, skews: list[float]) -> None:
    if seen.skew_seconds is not None:
        skews.append(seen.skew_seconds)


def _clock(skew: float) -> CheckResult:
    text = f"this machine's clock is {abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the services'"
    remedy = "let NTP set the clock of this machine (in Kubernetes: of the node)"
    if abs(skew) > _REFUSED_SKEW_SECONDS:
        return failed(CLOCK, f"{text}, and they refuse every signature beyond {_REFUSED_SKEW_SECONDS} s", remedy)
    if abs(skew) > _NOTICED_SKEW_SECONDS:
        return warning(CLOCK, text, remedy)
    return ok(CLOCK, "agrees with the services' clocks")


def _regions(config: Config, about_buckets: Sequence[RuleConfig]) -> Iterator[CheckResult]:
    others = sorted({region for rule in config.rules for region in rule.regions} - {config.queue.region})
    of_buckets = {region for rule in about_buckets for region in rule.regions} - {config.queue.region}
    unreachable = sorted(region for region in of_buckets if region not in config.oss.endpoints)
    if config.oss.internal and unreachable and "*" not in config.oss.endpoints:
        text = f"oss.internal reaches buckets in {config.queue.region} only, and rules name {', '.join(unreachable)}"
        yield failed(REGIONS, text, "set oss.internal = false, or give those regions in oss.endpoints")
    else:
        yield ok(REGIONS, ", ".join([config.queue.region, *others]))
