"""The figures of the first row, and the books, computed by Prometheus from series that are made up."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.deploy.boards import filled, queries
from tests.deploy.needed import program

Series = dict[str, str]

_EVAL_SECONDS = 3600


def _remediator(name: str, labels: str = "", *, instance: str = "a") -> str:
    return f'remediator_{name}{{job="j",instance="{instance}"{"," if labels else ""}{labels}}}'


def _rule(name: str, rule: str, *, instance: str = "a") -> str:
    return _remediator(name, f'rule="{rule}"', instance=instance)


_OLDEST = "oldest_open_exposure_timestamp_seconds"
_ACTING: Series = {
    _remediator("paused"): "0",
    _rule("breaker_open", "r"): "0",
    _rule("rule_mode", "r"): "1",
    _rule("rule_mode", "o"): "0",
    _rule("changes_in_window", "(all)"): "5",
    _rule("changes_limit", "(all)"): "1000",
}
_TWO_OPEN: Series = {
    _rule(_OLDEST, "r"): "3000",
    _rule(_OLDEST, "r", instance="b"): "2400",
    _rule(_OLDEST, "s"): "3500",
    _rule(_OLDEST, "observed"): "60",
    _rule("rule_mode", "r"): "1",
    _rule("rule_mode", "r", instance="b"): "1",
    _rule("rule_mode", "s"): "1",
    _rule("rule_mode", "observed"): "0",
}


@pytest.mark.parametrize(
    ("panel", "series", "expected"),
    [
        ("Is anything exposed?", {_rule("rule_mode", "r"): "1"}, 0),
        ("Is anything exposed?", _TWO_OPEN, 2),
        ("For how long?", {_rule("rule_mode", "r"): "1"}, 0),
        ("For how long?", _TWO_OPEN, 1200),
        ("May it be repaired?", _ACTING, 0),
        ("May it be repaired?", {**_ACTING, _rule("changes_in_window", "(all)"): "1000"}, 1),
        ("May it be repaired?", {**_ACTING, _rule("rule_mode", "r"): "0"}, 2),
        ("May it be repaired?", {**_ACTING, _rule("breaker_open", "r", instance="b"): "1"}, 3),
        ("May it be repaired?", {**_ACTING, _rule("breaker_open", "r"): "1", _remediator("paused"): "1"}, 4),
        ("Replicas at work", {_remediator("last_poll_success_timestamp_seconds"): "3000"}, 0),
        (
            "Replicas at work",
            {
                _remediator("last_poll_success_timestamp_seconds"): "3590",
                _remediator("last_poll_success_timestamp_seconds", instance="b"): "3500",
                _remediator("last_poll_success_timestamp_seconds", instance="c"): "3400",
            },
            2,
        ),
        (
            "Keeping up? Slots in use",
            {
                _remediator("messages_in_flight", 'state="working"'): "32",
                _remediator("messages_in_flight", 'state="buffered"'): "32",
                _remediator("messages_in_flight", 'state="working"', instance="b"): "0",
                _remediator("worker_slots"): "64",
                _remediator("worker_slots", instance="b"): "64",
            },
            0.5,
        ),
        (
            "Do the books balance?",
            {
                _remediator("messages_received_total"): "10",
                _remediator("messages_received_total", instance="b"): "10",
                _remediator("messages_settled_total", 'disposition="deleted"'): "8",
                _remediator("messages_settled_total", 'disposition="hidden"'): "3",
                _remediator("messages_settled_total", 'disposition="deleted"', instance="b"): "7",
                _remediator("messages_in_flight", 'state="working"'): "0",
                _remediator("messages_in_flight", 'state="working"', instance="b"): "2",
            },
            2,  # one too many here, one too few there: they must not make up for each other
        ),
    ],
)
def test_the_figure_is_right(panel: str, series: Series, expected: float, tmp_path: Path) -> None:
    """The panel's own query, on these series, gives this number."""
    (expr,) = [filled(query.expr, interval="5m", time_range="1h") for query in queries() if query.panel == panel]
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": f"{value}x70"} for name, value in series.items()],
        "promql_expr_test": [
            {
                "expr": f"sum({expr})",
                "eval_time": f"{_EVAL_SECONDS}s",
                "exp_samples": [{"labels": "{}", "value": expected}],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [test]}), encoding="utf-8")
    promtool = program("promtool", "apt-get install prometheus")
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
