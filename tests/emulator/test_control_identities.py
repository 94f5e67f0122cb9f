"""Access keys made and forgotten at run time, and the credential sources that vendors' providers can be pointed at."""

from __future__ import annotations

import oss2
import pytest
from alibabacloud_credentials.provider import URLCredentialsProvider
from oss2.credentials import EcsRamRoleCredentialsProvider

from emulator.client import Emulator, Identity


def _bucket(emulator: Emulator, key: Identity, name: str = "mine") -> oss2.Bucket:
    auth = oss2.StsAuth(key.access_key_id, key.access_key_secret, key.security_token or "")
    return oss2.Bucket(auth, emulator.oss, name)


def test_a_new_identity_may_sign_until_it_is_removed(emulator: Emulator) -> None:
    """A key works from the moment it is known to the moment it is forgotten."""
    key = emulator.add_identity()
    bucket = oss2.Bucket(oss2.Auth(key.access_key_id, key.access_key_secret), emulator.oss, "mine")
    bucket.create_bucket()
    emulator.remove_identity(key.access_key_id)
    with pytest.raises(oss2.exceptions.ServerError) as refusal:
        bucket.get_bucket_acl()
    assert refusal.value.code == "InvalidAccessKeyId"


def test_a_temporary_identity_ends_with_its_emulated_time(emulator: Emulator) -> None:
    """An hour of lifetime is over when the clock is moved by an hour."""
    key = emulator.add_identity(temporary=True, lifetime_seconds=600)
    bucket = _bucket(emulator, key)
    bucket.create_bucket()
    emulator.advance(601)
    with pytest.raises(oss2.exceptions.ServerError) as refusal:
        bucket.get_bucket_acl()
    assert refusal.value.status == 403
    assert refusal.value.code in {"SecurityTokenExpired", "InvalidSecurityToken", "RequestTimeTooSkewed"}


def test_a_temporary_identity_needs_its_token(emulator: Emulator) -> None:
    """The key alone does not sign."""
    key = emulator.add_identity(temporary=True, lifetime_seconds=600)
    bare = oss2.Bucket(oss2.Auth(key.access_key_id, key.access_key_secret), emulator.oss, "mine")
    with pytest.raises(oss2.exceptions.ServerError) as refusal:
        bare.create_bucket()
    assert refusal.value.status == 403


def test_the_vendor_s_provider_reads_the_credentials_uri(emulator: Emulator) -> None:
    """Expiring credentials can be tested end to end with the real provider."""
    found = URLCredentialsProvider(uri=f"{emulator.credentials_url}?lifetime_seconds=3600").get_credentials()
    key = Identity(found.get_access_key_id(), found.get_access_key_secret(), "", found.get_security_token(), None)
    _bucket(emulator, key).create_bucket()
    assert emulator.acls() == {"mine": "private"}


def test_oss2_reads_the_metadata_service(emulator: Emulator) -> None:
    """The role's credentials come in the form of the ECS metadata service."""
    host = f"{emulator.control.url}/latest/meta-data/ram/security-credentials/emulator-role"
    provider = EcsRamRoleCredentialsProvider(host)
    oss2.Bucket(oss2.ProviderAuth(provider), emulator.oss, "mine").create_bucket()
    assert emulator.acls() == {"mine": "private"}
