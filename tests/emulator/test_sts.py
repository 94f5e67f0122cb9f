"""AssumeRole at the control port, asked by the vendor's own provider."""

from __future__ import annotations

from dataclasses import replace

import oss2
import pytest
from alibabacloud_credentials.provider import RamRoleArnCredentialsProvider, StaticAKCredentialsProvider

from consumer.credentials import Credentials
from emulator.client import Emulator

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
    with pytest.raises(Exception, match="InvalidSecurityToken"):
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
