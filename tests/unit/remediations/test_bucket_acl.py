"""Which ACL a public bucket is given."""

from __future__ import annotations

import pytest

from consumer.remediations.base import Change, Compliant
from tests.unit.remediations.findings import remediation


@pytest.mark.parametrize("acl", ["public-read", "public-read-write"])
def test_every_public_acl_becomes_private(acl: str) -> None:
    """By default nothing public is left."""
    assert remediation("oss.bucket-acl").plan(acl) == Change(acl, "private")


@pytest.mark.parametrize(
    ("acl", "finding"),
    [
        ("public-read-write", Change("public-read-write", "public-read")),
        ("public-read", Compliant("public-read")),
        ("private", Compliant("private")),
    ],
)
def test_dropping_only_write_leaves_reading(acl: str, finding: Change | Compliant) -> None:
    """`drop = "write"` never makes a bucket more public than it is."""
    assert remediation("oss.bucket-acl", drop="write").plan(acl) == finding


def test_a_private_bucket_is_compliant() -> None:
    """Nothing is planned where nothing is wrong."""
    assert remediation("oss.bucket-acl").plan("private") == Compliant("private")
