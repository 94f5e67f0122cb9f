"""The compose project: nothing to edit, nothing that listens beyond this machine, and parts that fit each other."""

from __future__ import annotations

import random
import re
import socket
from typing import Any

import pytest
import yaml

from consumer.config import load
from deploy.compose import generate, provision, ready
from emulator.client import Emulator
from emulator.settings import Settings
from tests.deploy.needed import DEPLOY, ROOT

_CONFIG = DEPLOY / "compose" / "config.toml"


def _compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    return loaded


def test_ports_are_on_loopback() -> None:
    """Nothing of it asks for a password."""
    ports = [port for service in _compose()["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_workers_can_be_scaled() -> None:
    """Neither a name nor a port of the host belongs to one replica."""
    worker = _compose()["services"]["worker"]
    assert not {"ports", "container_name", "hostname"} & set(worker)


@pytest.mark.parametrize("service", sorted(_compose()["services"]))
def test_every_container_is_hardened(service: str) -> None:
    """Read-only, without capabilities, without a way to new ones."""
    found = _compose()["services"][service]
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in found["security_opt"]


def test_each_waits_for_what_it_needs() -> None:
    """The worker for its queue, the generator for somebody who repairs."""
    services = _compose()["services"]
    assert services["provision"]["depends_on"] == {"emulator": {"condition": "service_healthy"}}
    assert services["worker"]["depends_on"] == {"provision": {"condition": "service_completed_successfully"}}
    assert services["generator"]["depends_on"] == {"worker": {"condition": "service_healthy"}}


def test_a_stop_has_the_time_it_needs() -> None:
    """compose kills later than the worker gives up by itself."""
    grace = int(re.fullmatch(r"(\d+)s", _compose()["services"]["worker"]["stop_grace_period"])[1])  # type: ignore[index]
    assert grace > load(_CONFIG, {}).engine.shutdown_grace_seconds


def test_the_worker_is_told_of_what_is_provisioned() -> None:
    """Queues, account, region, key and rule ids are the same on both sides."""
    config, known = load(_CONFIG, _environment("worker")), Settings()
    assert (config.queue.name, config.queue.dead_letter_queue) == (provision.QUEUE, provision.DEAD_LETTERS)
    assert (config.account_id, config.queue.region) == (known.account_id, known.region)
    ids = {rule_id for rule in config.rules for rule_id in rule.config_rule_ids}
    assert ids == set(provision.RULES.values())
    environ = _compose()["services"]["worker"]["environment"]
    assert environ["ALIBABA_CLOUD_ACCESS_KEY_ID"] == known.access_key_id
    assert environ["ALIBABA_CLOUD_ACCESS_KEY_SECRET"] == known.access_key_secret
    assert environ["REMEDIATOR__OSS__ENDPOINTS__ANY"].endswith(":8002")


def _environment(service: str) -> dict[str, str]:
    environ = _compose()["services"][service]["environment"]
    filled = {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in environ.items()}
    return {name: value for name, value in filled.items() if name.startswith("REMEDIATOR__")}


def test_provisioning_twice_changes_nothing(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that is started again must not fail, and the rules have the ids that the worker knows."""
    monkeypatch.setattr(provision, "emulated", lambda: emulator)
    assert provision.main() == 0
    before = emulator.state()
    assert provision.main() == 0
    assert emulator.state()["mns"]["queues"].keys() == before["mns"]["queues"].keys()
    rules = emulator.control.call("GET", "/config/rules")["rules"]
    assert {rule["identifier"]: rule["rule_id"] for rule in rules} == provision.RULES


@pytest.mark.parametrize("step", [step for step, _ in generate.STEPS], ids=lambda step: step.__name__)
def test_every_step_of_the_generator_works(
    step: generate.Step, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each leaves a message, a broken bucket or a fault behind."""
    monkeypatch.setattr(provision, "emulated", lambda: emulator)
    provision.main()
    generate.prepare(emulator)
    generate.prepare(emulator)
    before = len(emulator.journal())
    for seed in range(20):
        step(emulator, random.Random(seed))  # noqa: S311 - nothing secret is drawn
    faults = emulator.control.call("GET", "/faults")["struck"]
    emulator.faults.clear()
    assert faults or len(emulator.journal()) > before


def test_the_generator_does_everything_now_and_then(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is so rare that nobody ever sees it."""
    monkeypatch.setattr(provision, "emulated", lambda: emulator)
    provision.main()
    generate.prepare(emulator)
    dice = random.Random(7)  # noqa: S311 - nothing secret is drawn
    done = {generate.step(emulator, dice) for _ in range(300)}
    emulator.faults.clear()
    assert done == {step.__name__ for step, _ in generate.STEPS}


def test_grafana_finds_its_data_and_its_dashboards() -> None:
    """What provisioning names is what compose mounts and runs."""
    folder = DEPLOY / "grafana" / "provisioning"
    source = yaml.safe_load((folder / "datasources" / "prometheus.yml").read_text(encoding="utf-8"))["datasources"][0]
    provider = yaml.safe_load((folder / "dashboards" / "dashboards.yml").read_text(encoding="utf-8"))["providers"][0]
    mounts = dict(volume.split(":")[:2] for volume in _compose()["services"]["grafana"]["volumes"])
    scraping = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
    assert source["url"] == "http://prometheus:9090"
    assert source["jsonData"]["timeInterval"] == scraping["global"]["scrape_interval"]
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"


def test_the_emulator_is_ready_when_it_answers(emulator: Emulator) -> None:
    """The health check of its container tells an emulator from nobody."""
    port = int(emulator.control.url.rsplit(":", 1)[1])
    assert ready.ready("127.0.0.1", port) == ""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert "does not answer" in ready.ready("127.0.0.1", nobody.getsockname()[1])
