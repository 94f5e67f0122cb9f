"""What a worker says about itself: dead threads, outages, and why it cannot start."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.replica import REPOSITORY, Key, Replica
from tests.faults.stage import Pace, Stage, until
from tests.patience import PATIENCE_SECONDS

_DYING = """\
from consumer.remediations.oss.acl import BucketAcl


class Death(BaseException):
    pass


class Dies(BucketAcl):
    name = "test.dies"

    def inspect(self, bucket, info):
        raise Death("no thread survives this")
"""


def install_dying_remediation(folder: Path) -> str:
    """A package whose repair kills its thread; returns the path to find it by."""
    (folder / "dying.py").write_text(_DYING, encoding="utf-8")
    metadata = folder / "dying-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: dying\nVersion: 1.0\n", encoding="utf-8")
    entry = "[config_remediator.remediations]\ndies = dying:Dies\n"
    (metadata / "entry_points.txt").write_text(entry, encoding="utf-8")
    return f"{REPOSITORY}:{folder}"


def test_a_dead_thread_ends_the_process_with_its_reason(stage: Stage, tmp_path: Path) -> None:
    """/livez fails, the exit status is 1, and the last log line says which thread died of what."""
    path = install_dying_remediation(tmp_path)
    replica = stage.replica(Pace(remediation="test.dies"), PYTHONPATH=path)
    replica.start()
    assert until(replica.ready), replica.text()
    assert replica.get("/livez") == (200, "ok")
    stage.emulator.create_buckets(["one"], acl="public-read")
    assert until(lambda: replica.get("/livez")[0] == 503)
    assert replica.wait(PATIENCE_SECONDS) == 1
    last = replica.lines()[-1]
    assert last["event"] == "service.stopped"
    assert last["reason"].startswith("thread worker-")
    assert last["reason"].endswith("died: Death: no thread survives this")
    assert stage.left() == 1


def test_an_outage_turns_readiness_off_and_is_outlived(stage: Stage) -> None:
    """Alive and not ready while the queue cannot be reached; ready again, and at work, once it can."""
    replica = stage.replica()
    replica.start()
    assert until(replica.ready), replica.text()
    outage = stage.emulator.faults.add("reset_before", service="mns")
    stage.emulator.create_buckets(["one"], acl="public-read")
    assert until(lambda: replica.get("/readyz") == (503, "last poll failed: reset"))
    assert until(lambda: stage.emulator.faults.struck()[outage] >= 3)
    assert replica.get("/livez") == (200, "ok")
    stage.emulator.faults.clear()
    assert until(lambda: replica.ready() and not stage.left()), replica.text()
    assert stage.broken() == []
    assert replica.stop(PATIENCE_SECONDS) == 0


def refusal(replica: Replica) -> tuple[int, str]:
    """The exit status and the last line of a worker that does not start."""
    replica.start()
    return replica.wait(PATIENCE_SECONDS), replica.text().splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (('name = "main"', 'name = "absent"'), "queue.name"),
        (('dead_letter_queue = "main-dead"', 'dead_letter_queue = "absent"'), "queue.dead_letter_queue"),
    ],
    ids=["queue missing", "dead-letter queue missing"],
)
def test_a_worker_that_cannot_use_its_queue_does_not_start(stage: Stage, change: tuple[str, str], named: str) -> None:
    """Exit 3, and one clear line that names the key to change."""
    replica = stage.replica()
    path = stage.folder / f"{replica.name}.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(*change, 1), encoding="utf-8")
    status, line = refusal(replica)
    assert status == 3
    assert line.startswith(f"config-remediator run: {named}: ")


def test_an_outage_at_the_start_is_outlived(stage: Stage) -> None:
    """Alive, not ready, and saying why, until the queue answers; then ready and at work, in the same process."""
    outage = stage.emulator.faults.add("error", service="mns", status=503, code="ServiceUnavailable")
    replica = stage.replica()
    replica.start()
    assert until(lambda: stage.emulator.faults.struck()[outage] >= 2), replica.text()
    assert until(lambda: "waiting to start" in replica.get("/readyz")[1]), replica.text()
    status, reason = replica.get("/readyz")
    assert status == 503
    assert "ServiceUnavailable" in reason
    assert replica.get("/livez") == (200, "ok")
    stage.emulator.faults.clear()
    stage.emulator.create_buckets(["one"], acl="public-read")
    assert until(lambda: replica.ready() and not stage.left()), replica.text()
    assert stage.broken() == []
    assert replica.stop(PATIENCE_SECONDS) == 0
    assert replica.events("startup.waiting")


def test_a_stop_while_it_waits_to_start_is_in_good_order(stage: Stage) -> None:
    """Nobody listens at the endpoint; SIGTERM ends the wait at once, with exit 0."""
    replica = stage.replica()
    path = stage.folder / f"{replica.name}.toml"
    text = path.read_text(encoding="utf-8").replace("endpoint = ", 'endpoint = "http://127.0.0.1:9" #', 1)
    path.write_text(text, encoding="utf-8")
    replica.start()
    assert until(lambda: "http://127.0.0.1:9 cannot be reached (refused)" in replica.get("/readyz")[1]), replica.text()
    assert "the key is queue.endpoint" in replica.get("/readyz")[1]
    assert replica.stop(PATIENCE_SECONDS) == 0, replica.text()
    assert replica.lines()[-1]["exit_reason"] == "drained"


def test_wrong_credentials_are_not_mistaken_for_a_wrong_configuration(stage: Stage) -> None:
    """Exit 3 with the service's own code."""
    known = stage.emulator.endpoints
    status, line = refusal(stage.replica(key=Key(known.access_key_id, "not the secret")))
    assert status == 3
    assert "SignatureDoesNotMatch" in line
    assert "check the access key" in line


def test_without_any_credentials_it_says_where_they_are_looked_for(stage: Stage) -> None:
    """Exit 2: nothing outside was asked yet."""
    status, line = refusal(stage.replica(key=Key()))
    assert status == 2
    assert "ALIBABA_CLOUD_ACCESS_KEY_ID" in line
