"""The names under which packages of somebody else's read and write settings: each is its setting and nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from consumer.resources.oss.settings import Encryption, HttpsConfig, Logging, Referer
from tests.unit.fakes import FakeBucket, FakeBuckets


@pytest.fixture
def bucket() -> FakeBucket:
    """A bucket on which nothing is configured."""
    return FakeBucket(FakeBuckets(), "photos")


def test_what_is_not_configured_reads_as_what_holds_without_it(bucket: FakeBucket) -> None:
    """Never as an error."""
    assert [bucket.policy(), bucket.encryption(), bucket.logging()] == [None] * 3
    assert bucket.public_access_block() is False
    assert bucket.versioning() == ""
    assert bucket.referer() == Referer(allow_empty=True)
    assert bucket.https_config() == HttpsConfig(enabled=False)
    assert (bucket.transitions(), dict(bucket.tags())) == ((), {})


@pytest.mark.parametrize(
    ("write", "read", "value"),
    [
        (FakeBucket.put_policy, FakeBucket.policy, "{}"),
        (FakeBucket.put_public_access_block, FakeBucket.public_access_block, True),
        (FakeBucket.put_encryption, FakeBucket.encryption, Encryption("AES256")),
        (FakeBucket.put_versioning, FakeBucket.versioning, "Enabled"),
        (FakeBucket.put_logging, FakeBucket.logging, Logging("logs")),
        (FakeBucket.put_referer, FakeBucket.referer, Referer(False, ("a",))),
        (FakeBucket.put_https_config, FakeBucket.https_config, HttpsConfig(True, ("TLSv1.3",))),
        (FakeBucket.put_tags, FakeBucket.tags, {"a": "1"}),
    ],
)
def test_a_name_reads_what_its_pair_writes(
    bucket: FakeBucket,
    write: Callable[[FakeBucket, object], None],
    read: Callable[[FakeBucket], object],
    value: object,
) -> None:
    """And no other setting."""
    write(bucket, value)
    assert read(bucket) == value
    assert len(bucket._buckets.settings) == 1


@pytest.mark.parametrize(
    ("clear", "name"),
    [
        (FakeBucket.delete_policy, "policy"),
        (FakeBucket.delete_encryption, "encryption"),
        (FakeBucket.delete_logging, "logging"),
        (FakeBucket.delete_tags, "tags"),
    ],
)
def test_a_name_takes_its_setting_away(bucket: FakeBucket, clear: Callable[[FakeBucket], None], name: str) -> None:
    """That one alone."""
    bucket._buckets.settings.update({("photos", name): "x", ("photos", "other"): "y"})
    clear(bucket)
    assert bucket._buckets.settings == {("photos", "other"): "y"}


def test_a_move_to_zone_redundancy_is_a_write(bucket: FakeBucket) -> None:
    """To the one redundancy that there is a way to."""
    bucket.start_zone_redundancy()
    assert bucket._buckets.settings == {("photos", "redundancy"): "ZRS"}
