"""Every panel's query, asked of a real Prometheus that scrapes a real worker at work on the emulator."""

from __future__ import annotations

import http.client
import signal
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator.client import Emulator
from emulator.process import in_process
from emulator.provisioning import setup_channel
from tests import worker_toml
from tests.deploy.boards import PanelQuery, queries
from tests.deploy.live import Prometheus, scraping, started
from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port

_WORKER = (
    worker_toml.QUEUE
    + """\
wait_seconds = 1
call_timeout_seconds = 5

[oss.endpoints]
"*" = "{oss}"

[engine]
workers = 4
slots = 32
shutdown_grace_seconds = 20

[retry]
backoff_base_seconds = 1
hold_seconds = 2

[http]
port = {port}

[metrics]
queue_sample_seconds = 1

[reevaluate]
endpoint = "{config}"

[catch_up]
expected_within_seconds = 86400

[contest]
max_fixes = 2
"""
    + worker_toml.STATIC_SITE
    + "expires = 2099-12-31\n"
    + worker_toml.PUBLIC_READ
    + "limits = {{max_changes = 500, window_seconds = 600}}\n"
    + worker_toml.OTHER_RULES
)


@contextmanager
def _worker(emulator: Emulator, folder: Path, port: int) -> Iterator[None]:
    """A worker at work, and a catch-up beside it, as a schedule would start one."""
    known = emulator.endpoints
    path = folder / "config.toml"
    where = {"mns": known.mns, "oss": known.oss, "config": emulator.control.url}
    path.write_text(_WORKER.format(account=known.account_id, region=known.region, port=port, **where), encoding="utf-8")
    key = {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": known.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": known.access_key_secret,
    }
    remediator = (sys.executable, "-m", "consumer")
    with started(*remediator, "run", "--config", str(path), **key) as process:
        with started(*remediator, "catch-up", "--apply", "--config", str(path), **key) as job:
            assert job.wait(PATIENCE_SECONDS) == 0
        yield
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_SECONDS) == 0


def _prepare(emulator: Emulator) -> None:
    for identifier, rule_id in worker_toml.RULE_IDS.items():
        emulator.config.add_rule(identifier, rule_id=rule_id)
    emulator.config.remove_rule("oss-bucket-public-write-prohibited")
    for rule in emulator.control.call("GET", "/config/rules")["rules"]:
        if rule["rule_id"] not in worker_toml.RULE_IDS.values():
            emulator.config.remove_rule(rule["rule_id"])
    setup_channel(emulator, queue="config-events", dead_letter_queue="config-events-dead")
    good = {"encryption": {"algorithm": "AES256"}, "versioning": "Enabled"}
    emulator.create_buckets(count=200, prefix="broken-", acl="private", **good)
    emulator.create_buckets(["contested", "static-site"], acl="private", **good)


def _trouble(emulator: Emulator, number: int) -> None:
    """A little of everything that a panel is about."""
    bucket = f"broken-{number % 200:05}"
    emulator.change_bucket(bucket, acl="public-read", encryption=None)
    emulator.change_bucket("contested", acl="private")
    emulator.change_bucket("contested", acl="public-read")
    emulator.change_bucket("static-site", acl="private")
    emulator.change_bucket("static-site", acl="public-read")
    emulator.change_bucket("broken-00199", versioning="Suspended")
    emulator.config.publish_raw("not base64 at all!")
    emulator.config.publish(bucket="elsewhere", rule="cr-read", owner_id="9999888877776666")
    emulator.faults.add("error", "GetBucketInfo", status=403, code="AccessDenied", count=1)
    emulator.faults.add("error", "GetBucketInfo", status=503, code="ServiceUnavailable", count=1)
    emulator.faults.add("error", "BatchDeleteMessage", status=500, code="InternalError", count=1)


@dataclass(frozen=True, slots=True)
class Fixes:
    """Repairs of one rule, as Prometheus and as the emulator count them."""

    counted: float | None
    written: int


_UNDISTURBED = 20
_EXPECTED = {"ResourceContested", "DeadLettersAppeared"}


def _undisturbed(emulator: Emulator, prometheus: Prometheus) -> Fixes:
    """A few repairs before there is any trouble; after it, a change may be made twice and be counted once."""

    def fixes() -> Fixes:
        try:
            counted = prometheus.value('sum(remediator_outcomes_total{rule="public-read",outcome="fixed"})')
        except OSError:
            counted = None  # Prometheus is still starting
        return Fixes(counted, len(emulator.journal(service="oss", operation="PutBucketAcl")))

    for number in range(_UNDISTURBED):
        emulator.change_bucket(f"broken-{number:05}", acl="public-read")
    _until(lambda: (fixes().counted or 0) >= _UNDISTURBED, lambda _: None)
    return fixes()


def _until(happened: Callable[[], bool], meanwhile: Callable[[int], None]) -> None:
    deadline, number = time.monotonic() + PATIENCE_SECONDS, 0
    while not happened() and time.monotonic() < deadline:
        meanwhile(number)
        number += 1
        time.sleep(1)


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen when the worker had been at work for a while."""

    undisturbed: Fixes
    empty: list[PanelQuery]
    fired: set[str]
    prometheus: Prometheus


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Emulator, worker and Prometheus as processes, and trouble until every panel and alert shows what it is for."""
    folder, port = tmp_path_factory.mktemp("live"), free_port()
    with in_process() as emulator, scraping(folder, port) as prometheus:
        _prepare(emulator)
        with _worker(emulator, folder, port):
            undisturbed = _undisturbed(emulator, prometheus)
            empty = queries()

            def seen() -> bool:
                empty[:] = [query for query in empty if not _answered(prometheus, query)]
                return not empty and _fired(prometheus) >= _EXPECTED

            _until(seen, lambda number: _trouble(emulator, number))
            yield Run(undisturbed, empty, _fired(prometheus), prometheus)


def _fired(prometheus: Prometheus) -> set[str]:
    """Every alert that has fired since the start, also for a moment."""
    found = prometheus.ask("query", query='max_over_time(ALERTS{alertstate="firing"}[1h])')
    return {series["metric"]["alertname"] for series in found}


def _answered(prometheus: Prometheus, query: PanelQuery) -> bool:
    try:
        return prometheus.data(query)
    except urllib.error.HTTPError as refused:
        with refused:
            said = refused.read().decode()
        if refused.code != http.client.SERVICE_UNAVAILABLE:
            pytest.fail(f"{query}: {said}")
    except OSError:
        pass
    return False  # Prometheus is still starting


def test_every_panel_is_fed(run: Run) -> None:
    """No query of any panel is without data once the worker has seen a little of everything."""
    assert [str(query) for query in run.empty] == []


def test_the_figures_are_the_emulators(run: Run) -> None:
    """The books balance in Prometheus, and it counts as many fixes as the emulator saw changes."""
    assert run.prometheus.value("max(abs(instance:remediator_books:difference))") == 0
    assert run.undisturbed == Fixes(_UNDISTURBED, _UNDISTURBED)


def test_alerts_see_what_happens(run: Run) -> None:
    """The contested bucket and the dead letters fire on live data, and nothing that is not so."""
    assert run.fired >= _EXPECTED
    assert not {"BooksDoNotBalance", "BreakerOpen", "NotPolling", "TargetAbsent"} & run.fired
