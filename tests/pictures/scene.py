"""An installation with two replicas and a quarter of an hour of everything that can happen to it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen

from emulator.client import Emulator
from emulator.provisioning import setup_channel
from tests import worker_toml
from tests.deploy.live import started
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

_CONFIG_RULES = {**worker_toml.RULE_IDS, "oss-bucket-logging-enabled": "cr-logging"}
_TEAMS, _KINDS = ("billing", "media", "search", "web"), ("raw", "archive", "exports")
_BUCKETS = [f"{team}-{kind}-{number:03}" for team in _TEAMS for kind in _KINDS for number in range(30)]
_GOOD = {
    "acl": "private",
    "encryption": {"algorithm": "AES256"},
    "versioning": "Enabled",
    "logging": {"target_bucket": "logs-central", "target_prefix": "oss/"},
}

_WORKER = (
    worker_toml.QUEUE
    + """\
wait_seconds = 5
call_timeout_seconds = 10

[oss.endpoints]
"*" = "{oss}"

[engine]
shutdown_grace_seconds = 20

[retry]
backoff_base_seconds = 5
hold_seconds = 90

[http]
port = {port}

[metrics]
queue_sample_seconds = 5

[reevaluate]
endpoint = "{config}"

[catch_up]
expected_within_seconds = 3600

[contest]
max_fixes = 5
"""
    + worker_toml.STATIC_SITE
    + "expires = 2027-03-31\n"
    + worker_toml.PUBLIC_READ
    + """\
limits = {{max_changes = 2000, window_seconds = 3600}}

[[rules]]
name = "logging"
remediation = "oss.logging"
mode = "enforce"
config_rule_ids = ["cr-logging"]
limits = {{max_changes = 20, window_seconds = 3600}}
options = {{target_bucket = "logs-central", target_prefix = "oss/"}}
"""
    + worker_toml.OTHER_RULES
)


@dataclass(frozen=True, slots=True)
class Replica:
    """One worker."""

    port: int
    process: Popen[bytes]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is there to be broken and looked at."""

    emulator: Emulator
    folder: Path

    @contextmanager
    def replica(self, port: int) -> Iterator[Replica]:
        """A worker whose health port is this one."""
        with started(*_REMEDIATOR, "run", "--config", str(self._configured(port)), **self._keys()) as process:
            yield Replica(port, process)

    def catch_up(self) -> None:
        """One run of catch-up, as a schedule would start it."""
        command = (*_REMEDIATOR, "catch-up", "--apply", "--config", str(self._configured(free_port())))
        with started(*command, **self._keys()) as job:
            job.wait(PATIENCE_SECONDS)

    def second(self, number: int) -> None:
        """What happens in one second of the run."""
        bucket = _BUCKETS[number * 97 % len(_BUCKETS)]
        self.emulator.change_bucket(bucket, acl="public-read")
        if number % 4 == 0:
            self.emulator.change_bucket(bucket, encryption=None)
        if number % 20 == 5:
            self.emulator.change_bucket(bucket, logging=None)
        if number % 45 == 10:
            self.emulator.change_bucket("search-raw-001", versioning="Suspended")
            self.emulator.change_bucket("static-pages", acl="private")
            self.emulator.change_bucket("static-pages", acl="public-read")
        if number % 60 == 15:
            self.emulator.change_bucket("web-uploads", acl="private")
            self.emulator.change_bucket("web-uploads", acl="public-read")
        self._trouble(number)

    def _trouble(self, number: int) -> None:
        faults, config = self.emulator.faults, self.emulator.config
        if number % 150 == 40:
            faults.add("error", "GetBucketInfo", service="oss", status=503, code="ServiceUnavailable", count=4)
        if number % 210 == 70:
            faults.add("error", "PutBucketEncryption", service="oss", status=403, code="AccessDenied", count=3)
        if number % 240 == 90:
            faults.add("error", "BatchDeleteMessage", service="mns", status=500, code="InternalError", count=2)
        if number % 120 == 100:
            faults.add("latency", "PutBucketAcl", service="oss", seconds=0.7, count=12)
        if number in (120, 121, 480):
            config.publish_raw("not base64 at all!")
        if number in (200, 420):
            config.publish(bucket="elsewhere", rule="cr-read", owner_id="9999888877776666")

    def _configured(self, port: int) -> Path:
        known = self.emulator.endpoints
        where = {"mns": known.mns, "oss": known.oss, "config": self.emulator.control.url}
        path = self.folder / f"config-{port}.toml"
        text = _WORKER.format(account=known.account_id, region=known.region, port=port, **where)
        path.write_text(text, encoding="utf-8")
        return path

    def _keys(self) -> dict[str, str]:
        known = self.emulator.endpoints
        return {
            "ALIBABA_CLOUD_ACCESS_KEY_ID": known.access_key_id,
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": known.access_key_secret,
        }


_REMEDIATOR = (sys.executable, "-m", "consumer")


def prepared(emulator: Emulator, folder: Path) -> Scene:
    """The rules, the queues and the buckets, nothing wrong with any of them."""
    for rule in emulator.control.call("GET", "/config/rules")["rules"]:
        emulator.config.remove_rule(rule["rule_id"])
    for identifier, rule_id in _CONFIG_RULES.items():
        emulator.config.add_rule(identifier, rule_id=rule_id)
    setup_channel(emulator, queue="config-events", dead_letter_queue="config-events-dead")
    emulator.create_buckets(["logs-central", "static-pages", "web-uploads", *_BUCKETS], **_GOOD)
    return Scene(emulator, folder)
