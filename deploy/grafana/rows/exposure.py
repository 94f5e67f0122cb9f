"""Two rows: how long resources were exposed, and what is not repaired or not known."""

from __future__ import annotations

from deploy.grafana.panels import (
    BAD,
    COUNT,
    FACT,
    GOOD,
    UNKNOWN,
    WARN,
    Kind,
    Panel,
    Query,
    Row,
)
from deploy.grafana.queries import EVERY, JOB, RANGE, RULE

_BUCKETS = f"sum by (le) (rate(remediator_exposure_seconds_bucket{{{RULE}}}[{EVERY}]))"

EXPOSURE = Row(
    "Exposure",
    (
        Panel(
            "Oldest open exposure by rule",
            "Rules that observe have open exposures by intent. One whose replica has gone stays until it is known to be"
            " over.",
            Kind.LINES,
            "s",
            (
                Query(
                    f"time() - min by (rule) (rule:remediator_open_exposure:timestamp_seconds{{{RULE}}}"
                    f" or remediator_oldest_open_exposure_timestamp_seconds{{{RULE}}})",
                    "{{rule}}",
                ),
            ),
        ),
        Panel(
            "From the evaluation to the verified fix",
            "Of what was fixed: half, nine in ten and all but one in a hundred were faster. Dots are single messages;"
            " their id leads to the log line.",
            Kind.LINES,
            "s",
            (
                Query(f"histogram_quantile(0.5, {_BUCKETS}) >= 0", "half"),
                Query(f"histogram_quantile(0.9, {_BUCKETS}) >= 0", "9 in 10"),
                Query(f"histogram_quantile(0.99, {_BUCKETS}) >= 0", "99 in 100", exemplar=True),
            ),
        ),
        Panel(
            "Fixed within five minutes",
            "Share of the fixes in the chosen time, by rule. Most of the time passes before a message arrives.",
            Kind.LEVELS,
            "percentunit",
            (
                Query(
                    f'sum by (rule) (increase(remediator_exposure_seconds_bucket{{{RULE},le="300.0"}}[{RANGE}]))'
                    f" / (sum by (rule) (increase(remediator_exposure_seconds_count{{{RULE}}}[{RANGE}])) > 0)",
                    "{{rule}}",
                ),
            ),
            steps=((None, UNKNOWN), (0, BAD), (0.9, WARN), (0.99, GOOD)),
            maximum=1,
        ),
        Panel(
            "Where the time goes, over the time",
            "Mean time in each stage. A rising wait is a worker that does not keep up; inspect, apply and verify are"
            " OSS; settle is MNS.",
            Kind.LINES,
            "s",
            (
                Query(
                    f"sum by (stage) (rate(remediator_stage_duration_seconds_sum{{{JOB}}}[{EVERY}]))"
                    f" / (sum by (stage) (rate(remediator_stage_duration_seconds_count{{{JOB}}}[{EVERY}])) > 0)",
                    "{{stage}}",
                ),
            ),
            width=12,
        ),
        Panel(
            "Where the time goes",
            "Mean time in each stage: notify and enqueue are before the worker; wait is for a thread of it.",
            Kind.LEVELS,
            "s",
            (
                Query(
                    f"sum by (stage) (increase(remediator_stage_duration_seconds_sum{{{JOB}}}[{RANGE}]))"
                    f" / (sum by (stage) (increase(remediator_stage_duration_seconds_count{{{JOB}}}[{RANGE}])) > 0)",
                    "{{stage}}",
                ),
            ),
            width=12,
            steps=FACT,
            named=True,
        ),
    ),
)

UNSOLVED = Row(
    "What is not repaired, and what is not known",
    (
        Panel(
            "Given up",
            "Open exposures whose message was rejected or failed too often. They stay until the resource is seen safe"
            " or a person settles the dead letter with config-remediator dlq.",
            Kind.LINES,
            COUNT,
            (Query(f"max by (rule, reason) (remediator_given_up_resources{{{RULE}}})", "{{rule}} {{reason}}"),),
            width=12,
        ),
        Panel(
            "Unknown, and why",
            "Why a replica may not know of every open exposure. starting lasts for an hour at most.",
            Kind.STATES,
            COUNT,
            (Query(f"max by (reason) (remediator_exposures_unknown{{{JOB}}})", "{{reason}}"),),
            width=12,
            texts={"0": ("known", GOOD), "1": ("unknown", UNKNOWN)},
        ),
        Panel(
            "Waiting for a permission",
            "Resources (or requests) that a missing RAM action holds back; config-remediator ram-policy prints what is"
            " needed.",
            Kind.LINES,
            COUNT,
            (
                Query(
                    f"max by (action, resource) (remediator_permission_missing{{{JOB}}})",
                    "{{action}} on {{resource}}",
                ),
            ),
            width=24,
            height=6,
            many=True,
        ),
    ),
)
