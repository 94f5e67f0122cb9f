"""AssumeRole and AssumeRoleWithOIDC at the control port, asked by the vendor's own providers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import urlopen

import oss2
import pytest
import requests
from alibabacloud_credentials.provider import (
    OIDCRoleArnCredentialsProvider,
    RamRoleArnCredentialsProvider,
    StaticAKCredentialsProvider,
)

from consumer.aliyun.credentials import Credentials
from emulator.client import ControlError, Emulator
from tests.identity_tokens import PROVIDER, identity_token
from tests.patience import PATIENCE_SECONDS

MEMBER = "9876543210987654"
ROLE = f"acs:ram::{MEMBER}:role/config-remediator"

# The vendor's signer takes the time in a way that newer Pythons warn of.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


def _assumed(emulator: Emulator, *, role: str = ROLE, secret: str | None = None, session: str = "a-session") -> object:
    known = emulator.endpoints
    own = StaticAKCredentialsProvider(
        access_key_id=known.access_key_id, access_key_secret=secret or known.access_key_secret
    )
    provider = RamRoleArnCredentialsProvider(
        credentials_provider=own, role_arn=role, role_session_name=session, sts_endpoint=emulator.control.url
    )
    return provider.get_credentials()


def test_the_assumed_credentials_are_the_other_account_s(emulator: Emulator) -> None:
    """They create and own buckets there, and the journal says which role was assumed by whom."""
    key = _assumed(emulator)
    auth = oss2.StsAuth(key.get_access_key_id(), key.get_access_key_secret(), key.get_security_token())
    oss2.Bucket(auth, emulator.oss, "theirs").create_bucket()
    assert emulator.control.call("GET", "/buckets/theirs")["owner_id"] == MEMBER
    (entry,) = emulator.journal(service="sts")
    assert (entry.operation, entry.resource, entry.detail["session"]) == ("AssumeRole", ROLE, "a-session")
    assert entry.access_key_id == emulator.endpoints.access_key_id


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"role": "acs:ram::x:role/y"}, "InvalidParameter.RoleArn"),
        ({"session": "white space"}, "InvalidParameter.RoleSessionName|SignatureDoesNotMatch"),
    ],
)
def test_what_is_wrong_is_refused_with_the_service_s_code(
    emulator: Emulator, changed: dict[str, str], code: str
) -> None:
    """Signature and parameters are checked for real, and nothing is handed out."""
    with pytest.raises(Exception, match=code):
        _assumed(emulator, **changed)  # type: ignore[arg-type]
    assert emulator.journal(service="sts") == []


def test_a_key_that_is_not_known_assumes_nothing(emulator: Emulator) -> None:
    """Neither a forgotten key nor one whose token is missing."""
    key = emulator.add_identity(temporary=True, lifetime_seconds=600)
    bare = replace(key, security_token=None)
    with pytest.raises(Exception, match="MissingSecurityToken"):
        RamRoleArnCredentialsProvider(
            credentials_provider=_Fixed(Credentials(bare.access_key_id, bare.access_key_secret, "")),
            role_arn=ROLE,
            sts_endpoint=emulator.control.url,
        ).get_credentials()
    emulator.remove_identity(emulator.endpoints.access_key_id)
    with pytest.raises(Exception, match="InvalidAccessKeyId"):
        _assumed(emulator)


class _Fixed:
    """One key for ever."""

    def __init__(self, key: Credentials) -> None:
        self._key = key

    def get_credentials(self) -> Credentials:
        return self._key


def _by_token(emulator: Emulator, folder: Path, token: str, *, provider: str = PROVIDER) -> object:
    file = folder / "token"
    file.write_text(token, encoding="utf-8")
    return OIDCRoleArnCredentialsProvider(
        role_arn=ROLE,
        oidc_provider_arn=provider,
        oidc_token_file_path=str(file),
        role_session_name="a-pod",
        duration_seconds=1_800,
        sts_endpoint=emulator.control.url,
    ).get_credentials()


def test_an_identity_token_is_enough(emulator: Emulator, tmp_path: Path) -> None:
    """Nothing is signed, and the credentials are the role's, for as long as was asked."""
    token = identity_token()
    key = _by_token(emulator, tmp_path, token)
    auth = oss2.StsAuth(key.get_access_key_id(), key.get_access_key_secret(), key.get_security_token())
    oss2.Bucket(auth, emulator.oss, "theirs").create_bucket()
    assert emulator.control.call("GET", "/buckets/theirs")["owner_id"] == MEMBER
    (entry,) = emulator.journal(service="sts")
    assert (entry.operation, entry.resource, entry.access_key_id) == ("AssumeRoleWithOIDC", ROLE, "")
    assert entry.time_ms / 1000 + 1_800 == pytest.approx(key.get_expiration(), abs=1)
    assert token not in str(entry)


@pytest.mark.parametrize(
    ("token", "provider", "code"),
    [
        (identity_token(expires_at=1_000_000_000), PROVIDER, "AuthenticationFail.OIDCToken.Expired"),
        ("not a token", PROVIDER, "AuthenticationFail.OIDCToken.Invalid"),
        ("a.b.c", PROVIDER, "AuthenticationFail.OIDCToken.Invalid"),
        (identity_token(expires_at=10**20), PROVIDER, "AuthenticationFail.OIDCToken.Invalid"),
        (identity_token(), "acs:ram::x:oidc-provider/y", "InvalidParameter.OIDCProviderArn"),
    ],
    ids=["expired", "no token", "no claims", "no date", "no provider"],
)
def test_a_token_that_is_not_good_gets_nothing(
    emulator: Emulator, tmp_path: Path, token: str, provider: str, code: str
) -> None:
    """With the service's code, where it is known."""
    with pytest.raises(Exception, match=code):
        _by_token(emulator, tmp_path, token, provider=provider)
    assert emulator.journal(service="sts") == []


def test_an_action_that_sts_does_not_have_is_refused(emulator: Emulator) -> None:
    """Neither another action nor another version."""
    for action, version in (("GetFederationToken", "2015-04-01"), ("AssumeRole", "2020-01-01")):
        with pytest.raises(ControlError) as refusal:
            emulator.control.call("GET", "/", Action=action, Version=version)
        assert refusal.value.status == 404


def test_parameters_may_stand_in_a_form(emulator: Emulator) -> None:
    """Other SDKs put a long token into the body."""
    form = {
        "RoleArn": ROLE,
        "OIDCProviderArn": PROVIDER,
        "OIDCToken": identity_token(subject="system:serviceaccount:a:b"),
        "RoleSessionName": "a-pod",
    }
    address = f"{emulator.control.url}/?Action=AssumeRoleWithOIDC&Version=2015-04-01"
    with urlopen(address, urlencode(form).encode()) as answer:
        said = json.load(answer)
    assert said["OIDCTokenInfo"]["Subject"] == "system:serviceaccount:a:b"
    assert said["Credentials"]["AccessKeyId"].startswith("STS.")


def test_a_signature_of_other_letters_is_only_a_wrong_one(emulator: Emulator) -> None:
    """Comparing it in constant time does not take text beyond ASCII."""
    query = {
        "Action": "AssumeRole",
        "Version": "2015-04-01",
        "AccessKeyId": emulator.endpoints.access_key_id,
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Signature": "é",
    }
    answered = requests.get(emulator.control.url, params=query, timeout=PATIENCE_SECONDS)
    assert (answered.status_code, answered.json()["Code"]) == (400, "SignatureDoesNotMatch")
