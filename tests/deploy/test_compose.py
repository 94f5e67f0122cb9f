"""The compose project: nothing to edit, nothing that listens beyond this machine, and parts that fit each other."""

from __future__ import annotations

import json
import random
import re
import socket
import threading
from http.server import ThreadingHTTPServer
from typing import Any

import pytest
import yaml
from mns.topic import TopicMessage

from consumer.cli.main import cli
from consumer.config import load
from deploy.compose import announcements, emulated, generate, provision, ready
from emulator.client import Emulator
from emulator.provisioning import account
from emulator.settings import Endpoints, Settings
from tests.deploy.needed import DEPLOY, ROOT
from tests.emulation import eventually
from tests.ports import free_port

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


def test_the_worker_is_configured_for_what_is_provisioned() -> None:
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


def test_what_the_worker_does_is_announced_to_a_container() -> None:
    """Its topic is the one that is provisioned, and pushes to a service that is there, on the port it listens on."""
    assert load(_CONFIG, _environment("worker")).announce.topic == provision.ANNOUNCEMENTS
    assert provision.RECEIVER.startswith(f"http://announcements:{announcements.PORT}/")
    assert "announcements" in _compose()["services"]
    assert _compose()["services"]["emulator"]["environment"]["EMULATOR_PUSH_TO_PRIVATE_ADDRESSES"] == "true"


def test_an_announcement_goes_from_the_topic_to_the_receiver(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """Published by the SDK, pushed by the topic over HTTP, printed in one line; what is none is refused."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), announcements.Receiver)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        provision.announce(emulator, f"http://127.0.0.1:{server.server_address[1]}/announcements")
        resource = {"owner": "web-team\x1b[31m"}
        told = {"data": {"kind": "fixed", "summary": "photos: public-read -> private", "resource": resource}}
        with account(emulator) as owner:
            for body in ("no announcement", json.dumps(told)):
                owner.get_topic(provision.ANNOUNCEMENTS).publish_message(TopicMessage(body, "fixed"))
        eventually(lambda: len(emulator.journal(operation="PushToEndpoint")) == 2)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    pushed = emulator.journal(operation="PushToEndpoint")
    assert sorted(str(entry.detail.get("status") or entry.detail["failure"]) for entry in pushed) == [
        "204",
        "answered 400",
    ]
    printed = capsys.readouterr().out
    assert printed == "fixed: photos: public-read -> private (owner: web-team\ufffd[31m)\n"


def test_catch_up_runs_by_itself_on_the_workers_queue() -> None:
    """With the worker's configuration and key, against the emulated Cloud Config, often enough for its own alert."""
    services = _compose()["services"]
    found, worker = services["catch-up"], services["worker"]
    name, *arguments = found["command"]
    asked = cli.commands[name].make_context(name, list(arguments)).params
    assert asked["apply"] is True
    assert load(_CONFIG, {}).catch_up.expected_within_seconds == 2 * asked["every"]
    assert (found["image"], found["volumes"]) == (worker["image"], worker["volumes"])
    shared = ("REMEDIATOR__QUEUE__ENDPOINT", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
    assert [found["environment"][each] for each in shared] == [worker["environment"][each] for each in shared]
    assert found["environment"]["REMEDIATOR__REEVALUATE__ENDPOINT"].endswith(":8003")
    assert worker["build"]["args"] == {"LOCK": "reevaluate"}


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


_ACTS = [act for act, _ in (*generate.STEPS, *generate.OCCASIONS)]


class _Time:
    """Seconds that pass only when a test says so."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def _generator(emulator: Emulator, time: _Time, seed: int = 7) -> generate.Generator:
    made = generate.Generator(emulator, random.Random(seed), time)  # noqa: S311 - nothing secret is drawn
    made.begin()
    return made


@pytest.mark.parametrize("act", _ACTS, ids=lambda act: act.__name__)
def test_everything_the_generator_does_works(act: generate.Step, emulator: Emulator) -> None:
    """Each leaves a message, a broken bucket or a fault behind."""
    _generator(emulator, _Time()).begin()
    before = len(emulator.journal())
    for seed in range(20):
        act(emulator, random.Random(seed))  # noqa: S311 - nothing secret is drawn
    faults = emulator.control.call("GET", "/faults")["struck"]
    emulator.faults.clear()
    assert faults or len(emulator.journal()) > before


def test_the_generator_does_everything_now_and_then(emulator: Emulator) -> None:
    """Nothing is so rare that nobody ever sees it: at the usual two seconds, half an hour shows it all."""
    time = _Time()
    generator, done = _generator(emulator, time), set()
    for _ in range(900):
        done.update(generator.step())
        time.seconds += 2
    assert done == {act.__name__ for act in _ACTS}


@pytest.mark.parametrize("seconds", [generate.FASTEST_SECONDS, 2.0, generate.SLOWEST_SECONDS])
def test_no_setting_lets_faults_pile_up(emulator: Emulator, seconds: float) -> None:
    """One at most, for a few seconds of the minute, and each ends by itself although no request has met it."""
    time = _Time()
    generator, faulty, steps = _generator(emulator, time, seed=11), 0, 200 if seconds < 10 else 20
    for _ in range(steps):
        happened = generator.step()
        faults = emulator.control.call("GET", "/faults")["faults"]
        assert len(faults) <= 1
        assert all(fault["lasts_seconds"] <= 10 for fault in faults)
        assert all(fault["probability"] <= 0.5 and fault["count"] is None for fault in faults)
        if "fail_a_little" in happened:
            faulty += 1
        time.seconds += seconds
        emulator.advance(seconds)
        if seconds > 10:
            assert emulator.control.call("GET", "/faults")["faults"] == []
    assert faulty <= max(1, 3 * steps * seconds / 60)
    emulator.advance(10)
    assert emulator.control.call("GET", "/faults")["faults"] == []


def test_a_new_generator_clears_what_an_old_one_left(emulator: Emulator) -> None:
    """One that was killed cannot do so itself."""
    emulator.faults.add("error", count=1000)
    _generator(emulator, _Time())
    assert emulator.control.call("GET", "/faults")["faults"] == []


def test_messages_that_stay_do_not_depend_on_the_setting(emulator: Emulator) -> None:
    """What the worker keeps or moves away is sent by the clock: a bounded number a day, however fast people work."""
    time = _Time()
    generator = _generator(emulator, time)
    for _ in range(100):
        generator.step()
    stays = {"lose_a_notification", "send_nonsense", "suspend_versioning", "evaluate_again", "fail_a_little"}
    assert stays == {act.__name__ for act, _ in generate.OCCASIONS}
    assert emulator.acls()[generate.FAVOURITE] == "public-read"
    opened = emulator.journal(resource=generate.FAVOURITE, operation="PatchBucket")
    assert len(opened) == 1  # and not again before somebody has repaired it


def test_the_worker_may_repair_all_that_is_broken_at_the_fastest_setting() -> None:
    """Neither a limit nor a contest holds the fleet's repairs while people work without a pause."""
    config = load(_CONFIG, {})
    total = sum(weight for _, weight in generate.STEPS)
    opens = sum(
        weight for act, weight in generate.STEPS if act in (generate.open_for_reading, generate.open_for_writing)
    )
    per_second = 1 / generate.FASTEST_SECONDS
    changes = per_second  # at most every step is one
    assert config.limits.max_changes > 1.2 * changes * config.limits.window_seconds
    for rule in config.rules:
        if rule.limits is not None:
            assert rule.limits.max_changes > 1.2 * changes * opens / total * rule.limits.window_seconds
    each = per_second * opens / total * config.contest.window_seconds / len(generate.FLEET)
    assert config.contest.max_fixes > each + 3 * each**0.5  # far out in the tail of a Poisson distribution


@pytest.mark.parametrize("text", ["0", "0.09", "-1", "3601", "nan", "inf", "", "fast"])
def test_settings_that_are_not_allowed_are_named(text: str) -> None:
    """One line, with what is allowed."""
    with pytest.raises(SystemExit, match=r"^GENERATOR_SECONDS must be a number from 0\.1 to 3600, not "):
        generate.pause_seconds(text)
    assert [generate.pause_seconds(each) for each in ("0.1", "2", "3600")] == [0.1, 2.0, 3600.0]


def _nobody() -> Emulator:
    """An emulator that is not there."""
    url = f"http://127.0.0.1:{free_port()}"
    known = Settings()
    return Emulator(Endpoints(url, url, url, known.account_id, known.region, "id", "secret"))


def test_an_emulator_that_is_not_there_is_waited_for_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """However long it takes; what is waited for and why, and no traceback."""
    nobody, looks = _nobody(), []

    def pause(seconds: float) -> bool:
        looks.append(seconds)
        return len(looks) == 30

    assert not emulated.persist(nobody, lambda: provision.provision(nobody), pause)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"waiting for the emulator at {nobody.control.url}: ")
    assert "Connection refused" in line


def test_the_generator_survives_an_emulator_that_forgets(
    emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that was started again knows neither queue nor rules nor buckets: they are made anew, and work goes on."""
    generator = generate.Generator(emulator, random.Random(3), _Time())  # noqa: S311 - nothing secret is drawn
    rests = iter([False, False, True])

    def rest() -> bool:
        emulator.reset()
        return next(rests)

    generate.run(generator, emulator, rest, lambda _: True)
    assert "Traceback" not in capsys.readouterr().out
    generator.begin()
    assert generate.FAVOURITE in emulator.acls()


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
