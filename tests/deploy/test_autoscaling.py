"""What KEDA is answered: the messages in flight, and never less than what keeps replicas that cannot receive any."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.manifests import only
from tests.deploy.needed import program

_NOW = 1200
"""The moment of the question, in seconds; Prometheus' tests begin at 0."""
_ALL = {"up": "1", "in_flight": "10", "slots": "128", "polled": str(_NOW - 30), "paused": "0"}
_SERIES = {
    "up": "up{}",
    "in_flight": 'remediator_messages_in_flight{state="working",}',
    "slots": "remediator_worker_slots{}",
    "polled": "remediator_last_poll_success_timestamp_seconds{}",
    "paused": 'remediator_polling_paused{reason="undeleted_limit",}',
}


def _query() -> str:
    (trigger,) = only("overlays/production", "ScaledObject")["spec"]["triggers"]
    assert float(trigger["metadata"]["threshold"]) == 64
    return str(trigger["metadata"]["query"])


def _replica(name: str, namespace: str = "config-remediator", **changes: str | None) -> list[dict[str, str]]:
    """What Prometheus has of one replica; None for what it has not."""
    labels = f'job="config-remediator",namespace="{namespace}",instance="{name}"}}'
    seen = {**_ALL, **changes}
    return [
        {"series": _SERIES[each].replace("}", labels), "values": f"{value}x40"}
        for each, value in seen.items()
        if value is not None
    ]


_HEALTHY = [*_replica("a", in_flight="5"), *_replica("b", in_flight="70")]
_CASES = {
    "what is in flight": (_HEALTHY, 75),
    "of this namespace only": ([*_HEALTHY, *_replica("c", "another", in_flight="500")], 75),
    "polls fail": ([*_HEALTHY, *_replica("c", polled=str(_NOW - 500), in_flight="0")], 75 + 64),
    "polls fail with much in flight": ([*_HEALTHY, *_replica("c", polled="0", in_flight="100")], 75 + 100),
    "polling is paused": ([*_HEALTHY, *_replica("c", paused="1", in_flight="0")], 75 + 64),
    "never polled since its start": ([*_HEALTHY, *_replica("c", polled=None, in_flight="0")], 75 + 64),
    "cannot be scraped": (
        [*_HEALTHY, *_replica("c", up="0", in_flight=None, slots=None, polled=None, paused=None)],
        75 + 64,
    ),
    "an outage of the queue": ([each for name in "abc" for each in _replica(name, polled="1", in_flight="0")], 3 * 64),
    "nobody is there": (_replica("c", "another"), None),
}


@pytest.mark.parametrize("case", _CASES)
def test_replicas_that_cannot_receive_are_kept(case: str, tmp_path: Path) -> None:
    """By Prometheus' own reckoning; divided by the threshold, it is how many replicas there should be."""
    series, expected = _CASES[case]
    check = {
        "expr": _query(),
        "eval_time": f"{_NOW}s",
        "exp_samples": [] if expected is None else [{"labels": "{}", "value": expected}],
    }
    test = {"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [check]}]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(json.loads(json.dumps(test))), encoding="utf-8")
    promtool = program("promtool", "apt-get install prometheus")
    done = subprocess.run(
        [promtool, "test", "rules", "test.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
