"""`watch`: what it shows is what the worker's metrics say."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from consumer.app import service as app
from consumer.config import load
from emulator.client import Emulator
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.conftest import FixedCredentials
from tests.integration.queues import is_empty
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def url(cli: Cli, channel: Emulator, credentials: FixedCredentials) -> Iterator[str]:
    """A running worker that has repaired two buckets and dead-lettered one body."""
    channel.create_buckets(["photos", "videos"], acl="public-read")
    channel.config.publish_raw("poison")
    service = app.build(load(cli.path, {}), credentials)
    assert service.health
    thread = threading.Thread(target=service.run)
    thread.start()
    try:
        # Counted once the answer to the deletion is there, which is a moment later.
        eventually(lambda: is_empty(channel) and outcomes(service) == {"fixed": 2, "invalid": 1})
        yield f"http://127.0.0.1:{service.health.port}"
    finally:
        service.stop()
        thread.join(PATIENCE_SECONDS)


def outcomes(service: app.Service) -> dict[str, float]:
    """How many deliveries have ended in which way."""
    samples = (sample for family in service.metrics.registry.collect() for sample in family.samples)
    counted = [each for each in samples if each.name == "remediator_outcomes_total" and each.value]
    return {each.labels["outcome"]: each.value for each in counted}


def test_one_look_has_outcomes_slots_and_balanced_books(cli: Cli, url: str) -> None:
    """By rule and outcome, for scripts."""
    found = cli.json("watch", "--url", url)
    outcomes = {(each["rule"], each["outcome"]): each["deliveries"] for each in found["outcomes"]}
    assert outcomes["public-read", "fixed"] == 2
    assert outcomes["other", "invalid"] == 1
    assert (found["slots"], found["balanced"], found["paused"]) == (16, True, False)
    assert found["modes"]["public-write"] == "observe"


def test_a_new_worker_says_what_it_does_not_know(cli: Cli, url: str) -> None:
    """It has repaired what was reported, and what another one held back before it may come back yet."""
    assert "starting" in cli.json("watch", "--url", url)["exposures_unknown"]
    assert "unknown: " in cli.run("watch", "--url", url, "--once").out


def test_a_person_sees_a_table(cli: Cli, url: str) -> None:
    """One look without a terminal is one page of text."""
    result = cli.run("watch", "--url", url, "--once")
    assert result.status == 0
    assert "0 of 16" in result.out
    assert "balance" in result.out
    assert "fixed" in result.out


def test_watching_goes_on_until_it_is_interrupted(cli: Cli, url: str) -> None:
    """Ctrl-C ends it with status 0, and rates have been shown by then."""
    process = cli.start("watch", "--url", url, "--interval", "0.2")
    assert process.stdout is not None
    try:
        seen = ""
        while "a second" not in seen:
            line = process.stdout.readline()
            assert line, "it ended by itself"
            seen += line
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 0


def test_a_worker_that_does_not_answer_is_reported(cli: Cli) -> None:
    """Status 3, where it was looked for and what to change."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        result = cli.run("watch", "--once", "--url", f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert result.status == 3
    assert "http.port" in result.err


def test_without_a_fixed_port_the_option_is_named(cli: Cli) -> None:
    """Port 0 in the configuration cannot be found from outside."""
    result = cli.run("watch", "--once")
    assert result.status == 2
    assert "--url" in result.err
