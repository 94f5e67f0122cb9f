"""The row about what no event came for."""

from __future__ import annotations

from deploy.grafana.panels import COUNT, FACT, Kind, Panel, Query, Row
from deploy.grafana.queries import EVERY, JOB, RULE, counted

_MISSED = f"remediator_missed_upstream_total{{{RULE}}}"

UPSTREAM = Row(
    "Upstream: what no event came for",
    (
        Panel(
            "Missed upstream",
            "Fixes that only catch-up led to, because no notification had come. Shows nothing while it does not run.",
            Kind.BARS,
            COUNT,
            (Query(f"sum by (rule) ({counted(_MISSED, EVERY)})", "{{rule}}"),),
        ),
        Panel(
            "Last whole run of catch-up",
            "How long ago, and within which time another one is expected; a later run that was not whole says why in "
            "its log. Unknown: no run is known of, or none is expected.",
            Kind.STAT,
            "s",
            (
                Query(f"time() - max(remediator_catch_up_last_success_timestamp_seconds{{{JOB}}})", "ago"),
                Query(f"time() - max(remediator_catch_up_last_run_timestamp_seconds{{{JOB}}})", "ago, whole or not"),
                Query(f"max(remediator_catch_up_expected_within_seconds{{{JOB}}})", "expected within"),
            ),
            steps=FACT,
            named=True,
        ),
        Panel(
            "On the evaluator's list",
            "What Cloud Config called non-compliant in the last run, whatever became of it since.",
            Kind.LINES,
            COUNT,
            (
                Query(
                    f"max(remediator_catch_up_listed_resources{{{JOB}}} and "
                    f"topk(1, remediator_catch_up_last_success_timestamp_seconds{{{JOB}}}))",
                    "resources",
                ),
            ),
        ),
    ),
)
