"""No request of the worker or of a command goes through a proxy of the environment, whatever service it is for.

The proxy is a real one and every variable names it, in both spellings; it must not see a single request.
"""

from __future__ import annotations

import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from consumer.aliyun import credential_sources
from consumer.aliyun.cloud_config import CloudConfig
from consumer.aliyun.member_role import AssumedRole, MemberRole
from consumer.aliyun.standard_chain import StandardChain
from consumer.core.errors import CredentialsUnavailable, ServiceError
from consumer.core.observers import Hooks
from emulator.client import Emulator
from tests.emulation import eventually
from tests.identity_tokens import PROVIDER, identity_token
from tests.integration.cli.conftest import Cli, cli
from tests.integration.conftest import FixedCredentials, Run
from tests.integration.proxies import Proxy, proxy
from tests.integration.queues import is_empty
from tests.patience import PATIENCE_SECONDS

__all__ = ["cli"]

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """A proxy that every variable of this process names; it may see nothing."""
    with proxy() as started:
        for name, text in started.environment().items():
            monkeypatch.setenv(name, text)
        yield started
        assert started.seen == []


@pytest.fixture
def no_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A chain without any source of this machine."""
    from alibabacloud_credentials.utils import auth_util

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "true")
    monkeypatch.setattr(auth_util, "environment_ecs_metadata_disabled", "false")  # read when it was imported


def test_mns_and_oss(watched: Proxy, run: Run, channel: Emulator) -> None:
    """A worker repairs a bucket."""
    channel.create_buckets(["photos"], acl="public-read")
    with run():
        eventually(lambda: is_empty(channel))
    assert channel.acls() == {"photos": "private"}


@pytest.mark.usefixtures("no_sources")
def test_sts_for_a_pod(watched: Proxy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """AssumeRoleWithOIDC, whose request holds the pod's identity."""
    (tmp_path / "token").write_text(identity_token(), encoding="utf-8")
    monkeypatch.setenv("ALIBABA_CLOUD_ROLE_ARN", f"acs:ram::{emulator.endpoints.account_id}:role/worker")
    monkeypatch.setenv("ALIBABA_CLOUD_OIDC_PROVIDER_ARN", PROVIDER)
    monkeypatch.setenv("ALIBABA_CLOUD_OIDC_TOKEN_FILE", str(tmp_path / "token"))
    assert StandardChain(sts_endpoint=emulator.control.url).get_credentials().token


def test_sts_for_a_member_account(watched: Proxy, emulator: Emulator, credentials: FixedCredentials) -> None:
    """AssumeRole."""
    role = MemberRole("9876543210987654", "config-remediator", sts_endpoint=emulator.control.url)
    assert AssumedRole(role, credentials).get_credentials().token


def test_https_is_not_tunnelled_either(watched: Proxy, credentials: FixedCredentials) -> None:
    """A CONNECT would be seen; there is no TLS at the other end, which is another matter."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE_SECONDS)
        port = listener.getsockname()[1]

        def hang_up() -> None:
            listener.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        role = MemberRole("9876543210987654", "config-remediator", sts_endpoint=f"https://127.0.0.1:{port}")
        with pytest.raises(CredentialsUnavailable, match=rf"127\.0\.0\.1:{port} does not answer"):
            AssumedRole(role, credentials).get_credentials()
        thread.join(PATIENCE_SECONDS)


def test_cloud_config(watched: Proxy, emulator: Emulator, credentials: FixedCredentials) -> None:
    """Its client stands on another of the vendor's transports, which reads the environment in the same way."""
    pytest.importorskip("alibabacloud_config20200907")
    emulator.create_buckets(["photos"])
    emulator.config.add_rule("oss-bucket-public-read-prohibited", rule_id="cr-read")
    gateway = CloudConfig(emulator.control.url, credentials, Hooks())
    gateway.evaluate("photos")
    assert "StartConfigRuleEvaluationByResource" in str(emulator.journal(service="config"))


def test_cloud_config_that_cannot_be_reached_is_unanswered(watched: Proxy, credentials: FixedCredentials) -> None:
    """With the reason, as any other service."""
    pytest.importorskip("alibabacloud_config20200907")
    with pytest.raises(ServiceError) as raised:
        CloudConfig("http://127.0.0.1:9", credentials, Hooks()).evaluate("photos")
    assert raised.value.code == "refused"


@pytest.fixture
def metadata(emulator: Emulator, monkeypatch: pytest.MonkeyPatch, no_sources: None) -> None:
    """The emulator stands at the address of the instance metadata service, which is fixed."""
    vendor = credential_sources._vendor()
    without_threads = vendor.EcsRamRoleCredentialsProvider

    def at_the_emulator(**options: object) -> object:
        made = without_threads(**options)
        made._EcsRamRoleCredentialsProvider__metadata_service_host = emulator.control.url
        return made

    monkeypatch.setattr(vendor, "EcsRamRoleCredentialsProvider", at_the_emulator)
    monkeypatch.setenv("ALIBABA_CLOUD_ECS_METADATA_DISABLED", "false")


@pytest.mark.usefixtures("metadata")
def test_the_instance_metadata_service(watched: Proxy) -> None:
    """Its answers hold the role's keys in clear text."""
    assert StandardChain().get_credentials().token


@pytest.mark.usefixtures("metadata")
@pytest.mark.parametrize("zone", ["CST-8", "Nowhere/At/All", ""])
def test_a_time_zone_has_no_say_in_where_credentials_come_from(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's own scheduler would want zone data, and be a thread that nobody watches."""
    monkeypatch.setenv("TZ", zone)
    before = set(threading.enumerate())
    assert StandardChain().get_credentials().token
    assert set(threading.enumerate()) <= before


@pytest.mark.usefixtures("no_sources")
def test_a_credentials_uri(watched: Proxy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same in plain HTTP, on this machine or in this pod."""
    monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", emulator.credentials_url)
    assert StandardChain().get_credentials().token


@pytest.mark.usefixtures("no_sources")
@pytest.mark.parametrize("provider", ["profile", "cli"])
def test_roles_of_profiles(
    provider: str, watched: Proxy, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A profile's EcsRamRole is the metadata service, too, and starts no thread."""
    vendor = credential_sources._vendor()
    name = "ProfileCredentialsProvider" if provider == "profile" else "CLIProfileCredentialsProvider"
    module = sys.modules[getattr(vendor, name).__module__]
    ecs = module.EcsRamRoleCredentialsProvider

    def at_the_emulator(**options: object) -> object:
        made = ecs(**options)
        made._EcsRamRoleCredentialsProvider__metadata_service_host = emulator.control.url
        return made

    monkeypatch.setattr(module, "EcsRamRoleCredentialsProvider", at_the_emulator)
    if provider == "profile":
        file = tmp_path / "credentials.ini"
        file.write_text("[default]\ntype = ecs_ram_role\nrole_name = worker\n", encoding="utf-8")
        made = vendor.ProfileCredentialsProvider(profile_file=str(file))
    else:
        file = tmp_path / "config.json"
        profile = '{"name": "default", "mode": "EcsRamRole", "ram_role_name": "worker"}'
        file.write_text(f'{{"current": "default", "profiles": [{profile}]}}', encoding="utf-8")
        made = vendor.CLIProfileCredentialsProvider(profile_file=str(file))
    before = set(threading.enumerate())
    assert made.get_credentials().get_security_token()
    assert set(threading.enumerate()) <= before


@pytest.mark.usefixtures("no_sources")
def test_a_redirect_is_not_followed(monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> None:
    """Whoever answers in the place of a source could otherwise have us ask anybody."""

    class Redirecting(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", emulator.credentials_url)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with http.server.HTTPServer(("127.0.0.1", 0), Redirecting) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("ALIBABA_CLOUD_CREDENTIALS_URI", f"http://127.0.0.1:{server.server_port}/")
        with pytest.raises(CredentialsUnavailable, match="redirect"):
            StandardChain().get_credentials()
        server.shutdown()
        thread.join(PATIENCE_SECONDS)


def test_a_command_and_a_worker_as_processes(cli: Cli, channel: Emulator) -> None:
    """`check` reads everything and says what the variables mean; `run` starts, as a process of its own."""
    channel.create_buckets(["photos"], acl="public-read")
    with proxy() as seen:
        result = cli.run("check", "-o", "json", **seen.environment())
        found = [each for each in result.document if each["check"] == "proxies"]
        worker = cli.start("run", **seen.environment())
        eventually(lambda: channel.acls() == {"photos": "private"})
        worker.terminate()
        worker.communicate(timeout=PATIENCE_SECONDS)
        assert seen.seen == []
    assert (result.status, worker.returncode) == (0, 0)
    assert [each["status"] for each in found] == ["ok"]
    assert "HTTPS_PROXY" in found[0]["message"]
    assert "no request" in found[0]["message"]
    assert seen.url not in result.out, "a proxy's URL may hold a password"
