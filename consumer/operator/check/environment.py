"""Variables of the environment that people expect to count and that do not: those of proxies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from consumer.operator.check.findings import CheckResult, ok

PROXIES = "proxies"

_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


def look(environment: Mapping[str, str]) -> Iterator[CheckResult]:
    """Say which proxy variables are set and what that means; their values may hold a password and are not shown."""
    there = [name for name in sorted(environment) if name.upper() in _VARIABLES and environment[name]]
    if there:
        text = (
            f"{', '.join(there)} set, and ignored: no request of this program goes through a proxy, least of all one"
            " for credentials. Its hosts have to be reachable directly; inside a VPC, by their internal endpoints"
        )
        yield ok(PROXIES, text)
