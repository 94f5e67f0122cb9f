"""What a cluster asks of a worker besides its own metrics: the process' metrics, and to notice a ConfigMap's pause."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from consumer.app import service as app
from consumer.app.build import build_switch
from consumer.config import Config, load
from tests.emulation import eventually
from tests.integration.cli.conftest import Cli
from tests.integration.conftest import FixedCredentials
from tests.patience import PATIENCE_SECONDS


@pytest.fixture
def config(cli: Cli, tmp_path: Path) -> Config:
    """With a pause file that is not there yet."""
    cli.configure(more=f'\n[pause]\nfile = "{tmp_path / "pause"}"\n')
    return load(cli.path, {})


def test_the_process_is_measured_and_a_pause_is_noticed(
    config: Config, credentials: FixedCredentials, tmp_path: Path
) -> None:
    """By a scrape, and by a readiness probe before anything has happened."""
    service = app.build(config, credentials)
    assert service.health
    service.health.start()
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{service.health.port}/metrics", timeout=60) as answer:
            found = {line.split("{")[0].split(" ")[0] for line in answer.read().decode().splitlines()}
        assert found >= {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_start_time_seconds"}
        assert not service.switch._file_holds
        (tmp_path / "pause").write_text("on", encoding="utf-8")
        service.not_ready()
        assert service.switch._file_holds
    finally:
        service.health.close()


def test_a_pause_is_noticed_without_a_health_port_and_without_messages(
    cli: Cli, config: Config, credentials: FixedCredentials, tmp_path: Path
) -> None:
    """By the thread that looks every second anyway; so is its end."""
    cli.replace("[http]\n", "[http]\nenabled = false\n")
    service = app.build(load(cli.path, {}), credentials)
    assert service.health is None
    (thread,) = [each for each in service._wiring.others if each.heartbeat.name == "credentials"]
    thread.thread.start()
    try:
        (tmp_path / "pause").touch()
        eventually(lambda: service.switch._file_holds)
        (tmp_path / "pause").unlink()
        eventually(lambda: not service.switch._file_holds)
    finally:
        service._wiring.stopping.set()
        thread.thread.join(PATIENCE_SECONDS)
    assert not thread.thread.is_alive()
    assert thread.failure is None


def test_a_pause_by_a_file_is_logged_as_one_by_a_signal(config: Config, tmp_path: Path) -> None:
    """With the file's name, and once again when it is over."""
    said: list[tuple[str, str]] = []
    switch = build_switch(config, lambda event, *, by: said.append((event, by)))
    file = tmp_path / "pause"
    file.write_text("on", encoding="utf-8")
    switch.held_by()
    file.unlink()
    switch.held_by()
    assert said == [
        ("changes.paused", f"the file {file}"),
        ("changes.resumed", f"the file {file}, which holds no more"),
    ]
