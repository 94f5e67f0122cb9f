"""Which TLS versions are left."""

from __future__ import annotations

import pytest

from consumer.resources.oss.settings import CipherSuite, HttpsConfig
from tests.unit.remediations.findings import planned, remediation

SUITE = CipherSuite(enabled=True, strong=False, custom=("A",), tls13_custom=("B",))


@pytest.mark.parametrize(
    ("config", "versions"),
    [
        (HttpsConfig(False), ["TLSv1.2", "TLSv1.3"]),
        (HttpsConfig(False, ("TLSv1.0",)), ["TLSv1.2", "TLSv1.3"]),
        (HttpsConfig(False, ("TLSv1.2",)), ["TLSv1.2", "TLSv1.3"]),
        (HttpsConfig(True, ("TLSv1.0", "TLSv1.1")), ["TLSv1.2", "TLSv1.3"]),
        (HttpsConfig(True, ("TLSv1.1", "TLSv1.3")), ["TLSv1.3"]),
    ],
    ids=["unset", "switched-off", "wanted-but-off", "only-old", "mixed"],
)
def test_only_wanted_versions_are_left(config: HttpsConfig, versions: list[str]) -> None:
    """What the owner has already ruled out is not let in again."""
    after = planned(remediation("oss.tls-version"), config)
    assert (after["enabled"], after["versions"]) == (True, versions)


@pytest.mark.parametrize("versions", [("TLSv1.2",), ("TLSv1.3",), ("TLSv1.3", "TLSv1.2")])
def test_a_subset_of_the_wanted_versions_is_compliant(versions: tuple[str, ...]) -> None:
    """Whatever the order."""
    assert planned(remediation("oss.tls-version"), HttpsConfig(True, versions)) is None


def test_cipher_suites_stay() -> None:
    """They are in the same document, and a PUT would lose them."""
    after = planned(remediation("oss.tls-version"), HttpsConfig(False, (), SUITE))

    assert after["cipher_suite"] == {"enabled": True, "strong": False, "custom": ["A"], "tls13_custom": ["B"]}
