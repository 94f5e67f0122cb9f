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


_OPEN = "rule:remediator_open_exposure:timestamp_seconds"
_UNKNOWN = "job:remediator_exposures_unknown:max"


def _recorded(name: str, labels: str = "", *, namespace: str = "") -> str:
    place = f'namespace="{namespace}",' if namespace else ""
    return f'{name}{{{place}job="j"{"," if labels else ""}{labels}}}'


def _without(series: Series, name: str) -> Series:
    return {labels: value for labels, value in series.items() if name not in labels}


_THERE: Series = {
    _remediator("build_info", 'version="1"'): "1",
    _remediator("build_info", 'version="1"', instance="b"): "1",
    _remediator("paused"): "0",
}
"""An installation that is scraped and not paused."""

_NOTHING_OPEN: Series = {**_THERE, _recorded(_UNKNOWN): "0", _rule("rule_mode", "r"): "1"}
"""One that knows all its exposures."""

_ELSEWHERE: Series = {'remediator_build_info{namespace="other",job="j",instance="c",version="1"}': "1x50 _"}
"""Another installation, which was scraped until ten minutes ago."""

_ACTING: Series = {
    **_THERE,
    _rule("breaker_open", "r"): "0",
    _rule("rule_mode", "r"): "1",
    _rule("rule_mode", "o"): "0",
    _rule("changes_in_window", "(all)"): "5",
    _rule("changes_limit", "(all)"): "1000",
}
_TWO_OPEN: Series = {
    **_NOTHING_OPEN,
    _recorded(_OPEN, 'rule="r"'): "2400",
    _recorded(_OPEN, 'rule="s"'): "3500",
    _recorded(_OPEN, 'rule="observed"'): "60",
    _rule("rule_mode", "r", instance="b"): "1",
    _rule("rule_mode", "s"): "1",
    _rule("rule_mode", "observed"): "0",
}
_POLLING = "last_poll_success_timestamp_seconds"
_THREE_REPLICAS: Series = {
    **{_remediator("worker_slots", instance=name): "64" for name in "abc"},
    _remediator(_POLLING): "3590",
    _remediator(_POLLING, instance="b"): "3500",
    _remediator(_POLLING, instance="c"): "3400",
    **{_remediator("polling_paused", 'reason="x"', instance=name): "0" for name in "abc"},
    **{_remediator("build_info", instance=name): "1" for name in "abcd"},
    **{f'up{{job="j",instance="{name}"}}': "1" for name in "abc"},
}
"""The last poll of c is too long ago; d is gone."""

_HALF_FULL: Series = {
    _remediator("messages_in_flight", 'state="working"'): "32",
    _remediator("messages_in_flight", 'state="buffered"'): "32",
    _remediator("messages_in_flight", 'state="working"', instance="b"): "0",
    _remediator("worker_slots"): "64",
    _remediator("worker_slots", instance="b"): "64",
    _remediator("exposures_unknown", 'reason="not_polling"'): "0",
    **_THERE,
}
_DOWN: Series = {'up{job="j",instance="c"}': "0"}
"""A replica that cannot be scraped; the others go on."""

_FIXED = _remediator("outcomes_total", 'rule="r",outcome="fixed"')
_ERROR = _remediator("api_requests_total", 'service="oss",operation="GetBucketInfo",code="AccessDenied"')
_BALANCED: Series = {
    _remediator("messages_received_total"): "10",
    _remediator("messages_settled_total", 'disposition="deleted"'): "10",
    _remediator("messages_in_flight", 'state="working"'): "0",
}


@pytest.mark.parametrize(
    ("panel", "series", "expected"),
    [
        ("Is anything exposed?", _NOTHING_OPEN, 0),
        ("Is anything exposed?", _TWO_OPEN, 2),
        ("Is anything exposed?", {**_TWO_OPEN, _recorded(_UNKNOWN): "1"}, 2),
        ("Is anything exposed?", {_recorded(_OPEN, 'rule="r"'): "2400"}, 1),  # the rule's mode is not known any more
        ("Is anything exposed?", {}, -1),
        ("Is anything exposed?", _THERE, -1),  # the rules are not loaded, or no replica exports what it knows
        ("Is anything exposed?", {**_NOTHING_OPEN, _recorded(_UNKNOWN): "1"}, -1),
        ("Is anything exposed?", {**_NOTHING_OPEN, _remediator("paused", instance="b"): "1"}, -1),
        ("Is anything exposed?", _without(_NOTHING_OPEN, "paused"), -1),
        ("Is anything exposed?", {**_NOTHING_OPEN, **_ELSEWHERE}, -1),
        ("Is anything exposed?", {**_NOTHING_OPEN, _recorded(_UNKNOWN, namespace="other"): "1"}, -1),
        ("For how long?", _NOTHING_OPEN, 0),
        ("For how long?", _TWO_OPEN, 1200),
        ("For how long?", {}, -1),
        ("For how long?", {**_NOTHING_OPEN, _recorded(_UNKNOWN): "1"}, -1),
        ("May it be repaired?", _ACTING, 0),
        ("May it be repaired?", {**_ACTING, _rule("changes_in_window", "(all)"): "1000"}, 1),
        ("May it be repaired?", {**_ACTING, _rule("rule_mode", "r"): "0"}, 2),
        ("May it be repaired?", {**_ACTING, _rule("breaker_open", "r", instance="b"): "1"}, 3),
        ("May it be repaired?", {**_ACTING, _remediator("permission_missing", 'action="oss:PutBucketAcl"'): "7"}, 4),
        ("May it be repaired?", {**_ACTING, _rule("breaker_open", "r"): "1", _remediator("paused"): "1"}, 5),
        ("May it be repaired?", {}, -1),
        ("May it be repaired?", _without(_ACTING, "paused"), -1),
        ("May it be repaired?", _without(_ACTING, "breaker_open"), -1),
        ("May it be repaired?", _without(_ACTING, "rule_mode"), -1),
        ("May it be repaired?", {**_ACTING, **_ELSEWHERE}, -1),
        ("May it be repaired?", {**_ACTING, **_DOWN}, -1),  # what keeps that one back is not known
        ("May it be repaired?", {**_ACTING, **_DOWN, _rule("breaker_open", "r", instance="b"): "1"}, 3),
        ("Replicas at work", {_remediator(_POLLING): "3000", _remediator("worker_slots"): "64"}, 0),
        ("Replicas at work", {'up{job="j",instance="d"}': "0"}, -1),
        ("Replicas at work", {}, -1),
        ("Replicas at work", _THREE_REPLICAS, 2),
        ("Replicas at work", {**_THREE_REPLICAS, _remediator("polling_paused", 'reason="x"'): "1"}, 1),
        ("Not at work", _THREE_REPLICAS, 1),
        ("Not at work", {**_THREE_REPLICAS, 'up{job="j",instance="d"}': "0", 'up{job="k",instance="z"}': "0"}, 2),
        ("Not at work", {**_THREE_REPLICAS, _remediator("polling_paused", 'reason="x"'): "1"}, 2),
        ("Not at work", {'up{job="j",instance="d"}': "0"}, -1),
        ("Not at work", {}, -1),
        ("Keeping up? Slots in use", _HALF_FULL, 0.5),
        (
            "Keeping up? Slots in use",
            {**_HALF_FULL, _remediator("exposures_unknown", 'reason="not_polling"'): "1"},
            -1,
        ),
        ("Keeping up? Slots in use", {}, -1),
        ("Keeping up? Slots in use", {**_HALF_FULL, **_DOWN}, -1),
        ("Keeping up? Slots in use", {**_HALF_FULL, **_ELSEWHERE}, -1),
        ("Repaired, 24 h", {_FIXED: "7"}, 7),
        ("Repaired, 24 h", {_FIXED: "0x30 7x40"}, 7),
        ("Repaired, 24 h", {}, None),
        ("Errors by code", {_ERROR: "_x59 1x10"}, 1),  # the first of its code
        ("Errors by code", {_ERROR: "5x55 6x15"}, 1),
        ("Errors by code", {_ERROR: "500x45 _x12 501x13"}, None),  # not scraped for a while: not 501 at once
        ("Errors by code", {_ERROR: "5"}, None),
        ("Do the books balance?", {}, None),
        ("Do the books balance?", {**_THERE, **_BALANCED}, 0),
        ("Do the books balance?", {**_THERE, **_BALANCED, **_DOWN}, None),
        ("Do the books balance?", {**_THERE, **_BALANCED, **_ELSEWHERE}, None),
        (
            "Do the books balance?",
            {
                **_THERE,
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
def test_the_figure_is_right(panel: str, series: Series, expected: float | None, tmp_path: Path) -> None:
    """The panel's own query, on these series, gives this number: -1 where nobody knows, or none, which says so too."""
    (expr,) = [filled(query.expr, interval="5m", time_range="1h") for query in queries() if query.panel == panel]
    test = {
        "interval": "1m",
        "input_series": [
            {"series": name, "values": value if " " in value else f"{value}x70"} for name, value in series.items()
        ],
        "promql_expr_test": [
            {
                "expr": f"sum({expr})",
                "eval_time": f"{_EVAL_SECONDS}s",
                "exp_samples": [] if expected is None else [{"labels": "{}", "value": expected}],
            }
        ],
    }
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [test]}), encoding="utf-8")
    promtool = program("promtool", "apt-get install prometheus")
    done = subprocess.run([promtool, "test", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
