"""The row about what may be changed: limits, breakers, contests, modes, exemptions."""

from __future__ import annotations

from deploy.grafana.panels import BAD, COUNT, DAYS, GOOD, UNKNOWN, WARN, Kind, Panel, Query, Row
from deploy.grafana.queries import JOB, RULE

GUARDS = Row(
    "What may be changed",
    (
        Panel(
            "Limits in use",
            "Changes in the window, as a share of the limit, in the replica that has used most. (all) is the limit on"
            " all rules together.",
            Kind.LINES,
            "percentunit",
            (
                Query(
                    f"max by (rule) (remediator_changes_in_window{{{JOB}}} / remediator_changes_limit{{{JOB}}})",
                    "{{rule}}",
                ),
            ),
        ),
        Panel(
            "Stopped",
            "The pause switch, polls that pause by themselves, and the breaker of each rule.",
            Kind.STATES,
            COUNT,
            (
                Query(f"max(remediator_paused{{{JOB}}})", "paused"),
                Query(f"max by (reason) (remediator_polling_paused{{{JOB}}})", "polls: {{reason}}"),
                Query(f"max by (rule) (remediator_breaker_open{{{RULE}}})", "breaker {{rule}}"),
            ),
            texts={"0": ("no", GOOD), "1": ("yes", BAD)},
        ),
        Panel(
            "Contested resources",
            "Left alone, because somebody keeps breaking them after our fix.",
            Kind.LINES,
            COUNT,
            (Query(f"max by (rule) (remediator_contested_resources{{{RULE}}})", "{{rule}}"),),
        ),
        Panel(
            "Modes",
            "What each rule may do.",
            Kind.STAT,
            COUNT,
            (Query(f"max by (rule) (remediator_rule_mode{{{RULE}}})", "{{rule}}"),),
            width=12,
            steps=((None, UNKNOWN), (0, WARN), (1, GOOD)),
            texts={"0": ("observes", WARN), "1": ("enforces", GOOD)},
            named=True,
        ),
        Panel(
            "Exemptions end in",
            "From then on their resources are repaired like any others. Negative: it has ended.",
            Kind.LEVELS,
            DAYS,
            (
                Query(
                    f"(min by (exemption) (remediator_exemption_expiry_timestamp_seconds{{{JOB}}}) - time()) / 86400",
                    "{{exemption}}",
                ),
            ),
            width=12,
            steps=((None, UNKNOWN), (-36_500, BAD), (7, WARN), (30, GOOD)),
        ),
    ),
)
