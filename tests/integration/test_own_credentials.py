"""The standard chain by the vendor's own providers over HTTP: what it finds, when that ends, and that nothing leaks."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import oss2
import pytest

from consumer.aliyun.credentials import Credentials
from consumer.aliyun.standard_chain import StandardChain, explained
from consumer.app import service as app
from consumer.core.errors import CredentialsUnavailable, NotAuthenticated
from emulator.client import Emulator
from tests.emulation import eventually
from tests.identity_tokens import PROVIDER, identity_token
from tests.integration.conftest import Configure, Run
from tests.integration.queues import is_empty
from tests.patience import PATIENCE_SECONDS
from tests.unit.fakes import Clock
from tests.unit.telemetry.scrape import value

ROLE = "config-remediator"
HOUR_SECONDS = 3_600
EXPIRY = "credentials_expiry_timestamp_seconds"

# The vendor's signer takes the time in a way that newer Pythons warn of.
pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture(autouse=True)
def _bare_chain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No source of this machine; the package has read the environment when it was imported."""
    from alibabacloud_credentials.utils import auth_util

    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    monkeypatch.setattr(auth_util, "environment_access_key_id", None)
    monkeypatch.setattr(auth_util, "environment_cli_profile_disabled", "true")
    monkeypatch.setattr(auth_util, "environment_credentials_file", None)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def token_file(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """What the webhook of ACK puts into a pod with RRSA."""
    file = tmp_path / "identity"
    file.write_text(identity_token(), encoding="utf-8")
    monkeypatch.setenv("ALIBABA_CLOUD_ROLE_ARN", f"acs:ram::{emulator.endpoints.account_id}:role/{ROLE}")
    monkeypatch.setenv("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER)
    monkeypatch.setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", str(file))
    return file


@pytest.fixture
def credentials(emulator: Emulator, token_file: Path) -> StandardChain:
    """The chain of a pod with RRSA; a worker under test runs with it."""
    return StandardChain(sts_endpoint=emulator.control.url)


def test_a_pod_s_role_signs_and_its_end_is_known(credentials: StandardChain, emulator: Emulator) -> None:
    """The identity token is exchanged once, for credentials whose end STS names."""
    found = credentials.get_credentials()
    assert credentials.get_credentials() == found
    auth = oss2.StsAuth(found.access_key_id, found.secret, found.token)
    oss2.Bucket(auth, emulator.oss, "mine").create_bucket()
    (entry,) = emulator.journal(service="sts")
    assert entry.operation == "AssumeRoleWithOIDC"
    assert found.expires_at == pytest.approx(entry.time_ms / 1_000 + HOUR_SECONDS, abs=1)


def test_credentials_that_are_about_to_end_are_renewed_with_the_token_of_the_moment(
    credentials: StandardChain, emulator: Emulator, token_file: Path
) -> None:
    """Within a quarter of an hour of their end; the cluster replaces the file meanwhile."""
    emulator.advance(-3_000)  # what STS gives now has ten minutes left
    first = credentials.get_credentials()
    assert first.expires_at is not None
    assert first.expires_at - time.time() < 900
    token_file.write_text(identity_token(subject="renewed"), encoding="utf-8")
    emulator.advance(3_000)
    second = credentials.get_credentials()
    assert second.access_key_id != first.access_key_id
    assert second.expires_at == pytest.approx(first.expires_at + 3_000, abs=30)


def test_why_there_are_no_credentials_is_reported_without_the_token(
    credentials: StandardChain, token_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The code of STS is told; the request that holds the token is not, on no channel."""
    token = identity_token(expires_at=1_000_000_000)
    token_file.write_text(token, encoding="utf-8")
    with pytest.raises(NotAuthenticated, match=r"AuthenticationFail\.OIDCToken\.Expired") as refused:
        credentials.get_credentials()
    assert "ALIBABA_CLOUD_ROLE_ARN" in explained(refused.value).remedy
    written = capfd.readouterr()
    assert token not in f"{refused.value} {refused.value!r} {written.out} {written.err}"


def test_a_pod_s_role_that_is_refused_is_fixed_at_the_role(credentials: StandardChain, token_file: Path) -> None:
    """Who has set RRSA up is not sent looking for an access key."""
    token_file.write_text("no token", encoding="utf-8")
    with pytest.raises(NotAuthenticated) as refused:
        credentials.get_credentials()
    assert not isinstance(refused.value, CredentialsUnavailable)
    found = explained(refused.value)
    assert "AuthenticationFail.OIDCToken.Invalid" in str(found)
    assert "trust policy" in found.remedy
    assert "ACCESS_KEY" not in f"{found} {found.remedy}"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (Path.unlink, "No such file or directory"),
        (lambda file: (file.unlink(), file.mkdir()), "Is a directory"),
        (lambda file: file.write_bytes(b"\xff\xfe"), "it is not text"),
        (lambda file: file.write_text(" \n", encoding="utf-8"), "is empty"),
    ],
)
def test_an_identity_token_that_cannot_be_read_is_named_with_the_reason(
    credentials: StandardChain, emulator: Emulator, token_file: Path, spoil: Callable[[Path], object], reason: str
) -> None:
    """The file and its variable, not STS, which was never asked."""
    spoil(token_file)
    with pytest.raises(NotAuthenticated) as refused:
        credentials.get_credentials()
    found = explained(refused.value)
    text = f"{found}. {found.remedy}"
    assert f"ALIBABA_CLOUD_OIDC_TOKEN_FILE = {token_file}" in text
    assert reason in text
    assert "trust policy" not in text
    assert emulator.journal(service="sts") == []


@pytest.mark.parametrize(
    ("there", "named"),
    [
        ({"ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAI"}, "ALIBABA_CLOUD_ACCESS_KEY_SECRET not set"),
        ({"ALIBABA_CLOUD_ACCESS_KEY_SECRET": "x"}, "ALIBABA_CLOUD_ACCESS_KEY_ID not set"),
        (
            {"ALIBABA_CLOUD_ROLE_ARN": "acs:ram::1:role/r", "ALIBABA_CLOUD_OIDC_TOKEN_FILE": "/token"},
            "ALIBABA_CLOUD_OIDC_PROVIDER_ARN not set",
        ),
        ({}, "none are set up"),
    ],
)
def test_the_variable_that_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, there: dict[str, str], named: str
) -> None:
    """Of those that only count together."""
    for name, text in there.items():
        monkeypatch.setenv(name, text)
    with pytest.raises(NotAuthenticated, match=named):
        StandardChain().get_credentials()


def test_a_profile_that_is_named_and_missing_is_named_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that nobody has named and that does not exist is no news."""
    from alibabacloud_credentials.utils import auth_util

    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", "/no/such/credentials.ini")
    monkeypatch.setattr(auth_util, "environment_credentials_file", "/no/such/credentials.ini")
    with pytest.raises(NotAuthenticated, match=r"/no/such/credentials\.ini: "):
        StandardChain().get_credentials()


def test_an_sts_that_cannot_be_reached_shows_nobody_the_token(
    token_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The vendor's package would write the whole request to standard error."""
    with pytest.raises(CredentialsUnavailable, match=r"RRSA: 127\.0\.0\.1:9 does not answer \(refused\)") as refused:
        StandardChain(sts_endpoint="http://127.0.0.1:9").get_credentials()
    written = capfd.readouterr()
    assert written.err == written.out == ""
    assert token_file.read_text(encoding="utf-8") not in f"{refused.value} {refused.value!r}"


def test_a_credentials_uri_tells_the_end_too(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last source of the chain."""
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", f"{emulator.credentials_url}?lifetime_seconds={HOUR_SECONDS}")
    found = StandardChain().get_credentials()
    assert found.expires_at == pytest.approx(time.time() + HOUR_SECONDS, abs=60)


def test_a_key_without_an_end_has_none(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment comes first, and what it holds does not end."""
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", emulator.credentials_url)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", emulator.endpoints.access_key_id)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", emulator.endpoints.access_key_secret)
    found = StandardChain().get_credentials()
    assert (found.access_key_id, found.expires_at) == (emulator.endpoints.access_key_id, None)


def test_the_first_source_that_has_any_is_kept_to(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, token_file: Path
) -> None:
    """A worker never becomes somebody else because its own source fails for a moment."""
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", emulator.credentials_url)
    chain = StandardChain(sts_endpoint=emulator.control.url)
    emulator.advance(-3_000)  # what STS gives now has to be renewed at once
    own = chain.get_credentials()
    token_file.unlink()
    with pytest.raises(NotAuthenticated, match="No such file"):
        chain.get_credentials()
    token_file.write_text(identity_token(), encoding="utf-8")
    assert chain.get_credentials().access_key_id != own.access_key_id
    assert {entry.operation for entry in emulator.journal(service="sts")} == {"AssumeRoleWithOIDC"}


def test_a_worker_exports_when_its_own_credentials_end(run: Run, channel: Emulator) -> None:
    """Under its own account, from its start on; and it repairs with them."""
    channel.create_buckets(["photos"], acl="public-read")
    with run() as worker:
        eventually(lambda: is_empty(channel))
        ends = value(worker.service.metrics, EXPIRY, account=channel.endpoints.account_id)
    assert ends == pytest.approx(time.time() + HOUR_SECONDS, abs=60)
    assert channel.acls() == {"photos": "private"}


class Hanging:
    """A source that gives the emulator's key for an hour, and hangs whenever it is told to."""

    def __init__(self, emulator: Emulator, clock: Clock) -> None:
        self._known = emulator.endpoints
        self._clock = clock
        self.answering = threading.Event()
        self.answering.set()
        self.asked = 0

    def get_credentials(self) -> Credentials:
        """The key, once the source answers."""
        self.asked += 1
        assert self.answering.wait(PATIENCE_SECONDS)
        known = self._known
        return Credentials(known.access_key_id, known.access_key_secret, "", self._clock() + HOUR_SECONDS)


def test_a_source_that_hangs_stops_no_work_and_ends_no_process(configure: Configure, channel: Emulator) -> None:
    """Work goes on with the keys that are valid; after their end it waits, alive, for new ones."""
    clock = Clock()
    source = Hanging(channel, clock)
    service = app.build(configure(), source)
    service._wiring.credentials._wall = clock
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        eventually(lambda: service.not_ready() == "")
        source.answering.clear()
        clock.advance(HOUR_SECONDS - 600)
        eventually(lambda: source.asked == 2)
        channel.create_buckets(["before-the-end"], acl="public-read")
        eventually(lambda: is_empty(channel))
        clock.advance(600)
        channel.create_buckets(["after-the-end"], acl="public-read")
        eventually(lambda: "no_credentials" in service.not_ready())
        assert service.fault() == ""
        assert channel.acls() == {"before-the-end": "private", "after-the-end": "public-read"}
        assert source.asked == 2, "one question, whoever needs the answer"
        source.answering.set()
        eventually(lambda: service.not_ready() == "")
        channel.advance(120)  # what was received meanwhile comes back
        eventually(lambda: is_empty(channel))
        assert channel.acls()["after-the-end"] == "private"
    finally:
        source.answering.set()
        service.stop()
        thread.join(PATIENCE_SECONDS)
    assert service.fault() == ""


def is_a_folder(path: Path) -> None:
    """In its place."""
    path.mkdir()


def is_a_pipe(path: Path) -> None:
    """That nobody writes to."""
    os.mkfifo(path)


def is_endless(path: Path) -> None:
    """A device that never ends."""
    path.symlink_to("/dev/zero")


def is_huge(path: Path) -> None:
    """Two megabytes of nothing."""
    path.write_bytes(b" " * (2 << 20))


def is_no_text(path: Path) -> None:
    """Bytes."""
    path.write_bytes(b"\xff\xfe\x00")


def is_a_circle(path: Path) -> None:
    """Nobody can tell whether it exists."""
    path.symlink_to(path)


@pytest.mark.parametrize("spoil", [is_a_folder, is_a_pipe, is_endless, is_huge, is_no_text, is_a_circle])
@pytest.mark.parametrize("name", [".aliyun/config.json", ".alibabacloud/credentials.ini", "the variable"])
def test_a_file_with_profiles_that_cannot_be_read_is_named_and_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, spoil: Callable[[Path], None]
) -> None:
    """Without waiting for it; the sources after it are asked all the same."""
    path = tmp_path / ("profiles" if name == "the variable" else name)
    path.parent.mkdir(exist_ok=True)
    spoil(path)
    if name == "the variable":
        monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", str(path))
    with pytest.raises(NotAuthenticated) as refused:
        StandardChain().get_credentials()
    assert f"{path}: cannot be read: " in str(refused.value)
    assert "Set ALIBABA_CLOUD_ACCESS_KEY_ID" in explained(refused.value).remedy
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", "http://127.0.0.1:9/")
    with pytest.raises(CredentialsUnavailable, match=r"cannot be read: .*; ALIBABA_CLOUD_CREDENTIALS_URI: "):
        StandardChain().get_credentials()


@pytest.mark.parametrize("spoil", [is_a_folder, is_a_pipe, is_endless, is_huge, is_a_circle])
def test_an_identity_token_that_cannot_be_read_is_named(
    credentials: StandardChain, token_file: Path, spoil: Callable[[Path], None]
) -> None:
    """Without waiting for it."""
    token_file.unlink()
    spoil(token_file)
    with pytest.raises(NotAuthenticated, match=r"ALIBABA_CLOUD_OIDC_TOKEN_FILE = .* (cannot be read|is empty)"):
        credentials.get_credentials()


@pytest.mark.parametrize("home", ["x" * 5_000, "/dev/null/x"])
def test_a_home_that_cannot_be_looked_into_is_no_fault_of_the_program(
    monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    """As in a container whose user has no right to it."""
    monkeypatch.setenv("HOME", home)
    with pytest.raises(NotAuthenticated, match="no credentials"):
        StandardChain().get_credentials()


def test_a_user_without_a_home_has_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that the container's system has no name for."""
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_000)
    with pytest.raises(NotAuthenticated, match="none are set up"):
        StandardChain().get_credentials()
