"""The signals that stop and release changes, sent to a real worker process."""

from __future__ import annotations

import signal

from tests.faults.stage import Stage, until
from tests.patience import PATIENCE_SECONDS


def _paused(metrics: str) -> bool:
    return "remediator_paused 1.0" in metrics


def test_sigusr1_stops_changes_and_sigusr2_lets_them_go_on(stage: Stage) -> None:
    """In between the worker goes on receiving, deciding and telling, and nothing becomes private."""
    replica = stage.replica()
    replica.start()
    assert until(replica.ready), replica.text()
    replica.signal(signal.SIGUSR1)
    assert until(lambda: _paused(replica.get("/metrics")[1])), replica.text()

    stage.emulator.create_buckets(["photos"], acl="public-read")
    assert until(lambda: len(replica.events("delivery.settled")) >= 2), replica.text()
    assert {line["reason"] for line in replica.events("delivery.settled")} == {"paused"}
    assert 'remediator_held_total{reason="paused",rule="public-read"}' in replica.get("/metrics")[1]
    assert stage.broken() == ["photos"]
    assert replica.get("/livez")[0] == 200

    replica.signal(signal.SIGUSR2)
    assert until(lambda: not stage.left()), replica.text()
    assert stage.broken() == []
    assert not _paused(replica.get("/metrics")[1])
    assert replica.stop(PATIENCE_SECONDS) == 0
    verdict = stage.verdict()
    assert not verdict.violations, "\n".join(map(str, verdict.violations))
