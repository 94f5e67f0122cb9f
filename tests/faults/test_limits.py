"""Machines that give a worker too little: one clear line, which names what is too low, and an exit status."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from consumer.core.exit_codes import ExitCode
from tests.faults.replica import REPOSITORY
from tests.faults.stage import Stage, until
from tests.patience import PATIENCE_SECONDS


def limited(stage: Stage, limit: str) -> tuple[int, str]:
    """The exit status and everything that a worker says under a limit of the shell's."""
    replica = stage.replica()
    script = f'ulimit {limit} && exec "$0" -m consumer run --config "$1"'
    done = subprocess.run(
        ["sh", "-c", script, sys.executable, str(replica._path)],
        cwd=REPOSITORY,
        env=replica._environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("kilobytes", [400_000, 700_000])
def test_memory_that_is_too_little_for_the_threads_names_the_thread(stage: Stage, kilobytes: int) -> None:
    """Nothing was received yet, so nothing is lost; the log's last line says which thread and which limits."""
    status, text = limited(stage, f"-v {kilobytes}")
    assert status == ExitCode.FAULT, text
    assert re.search(r"thread [\w-]+ could not be started: [^;\n]+; a limit on memory \(ulimit -v\)", text), text
    assert "Traceback" not in text
    assert not stage.emulator.journal(operation="BatchReceiveMessage")


def test_too_few_file_descriptors_name_the_limit_and_the_key(stage: Stage) -> None:
    """Before anything is begun: later it would show in odd places, such as a health port that does not answer."""
    status, text = limited(stage, "-n 40")
    assert status == ExitCode.CONFIGURATION, text
    assert "the process may open 40 files (ulimit -n), and this configuration needs up to" in text
    assert "engine.workers" in text
    assert "Traceback" not in text


def test_a_soft_limit_that_may_be_raised_is(stage: Stage) -> None:
    """As most machines have it: nobody has to do anything."""
    replica = stage.replica()
    script = 'ulimit -Sn 40 && exec "$0" -m consumer run --config "$1"'
    worker = subprocess.Popen(
        ["sh", "-c", script, sys.executable, str(replica._path)], cwd=REPOSITORY, env=replica._environment
    )
    try:
        assert until(replica.ready)
        worker.terminate()
        assert worker.wait(PATIENCE_SECONDS) == ExitCode.DRAINED
    finally:
        worker.kill()
        worker.wait()
