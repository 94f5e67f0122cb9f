"""The row about how deliveries end."""

from __future__ import annotations

from deploy.grafana.panels import COUNT, EVERY, RANGE, RULE, Kind, Panel, Query, Row

ENDINGS = Row(
    "How deliveries end",
    (
        Panel(
            "Outcomes",
            "Every settled delivery has one. A message that is held, observed or failing comes back and counts again.",
            Kind.BARS,
            COUNT,
            (Query(f"sum by (outcome) (increase(remediator_outcomes_total{{{RULE}}}[{EVERY}])) > 0", "{{outcome}}"),),
            width=12,
        ),
        Panel(
            "Outcomes by rule",
            "In the chosen time. Rule other is a message that belongs to no rule.",
            Kind.TABLE,
            COUNT,
            (Query(f"sum by (rule, outcome) (increase(remediator_outcomes_total{{{RULE}}}[{RANGE}])) > 0"),),
            width=12,
        ),
        Panel(
            "Did not succeed",
            "failed is tried again; rejected, invalid and exhausted went to the dead-letter queue.",
            Kind.BARS,
            COUNT,
            (
                Query(
                    "sum by (rule, outcome) (increase(remediator_outcomes_total"
                    f'{{{RULE},outcome=~"failed|rejected|invalid|exhausted"}}[{EVERY}])) > 0',
                    "{{rule}} {{outcome}}",
                ),
            ),
            width=12,
        ),
        Panel(
            "Held back, and why",
            "Kept on the queue without a change, and looked at again later.",
            Kind.BARS,
            COUNT,
            (
                Query(
                    f"sum by (rule, reason) (increase(remediator_held_total{{{RULE}}}[{EVERY}])) > 0",
                    "{{rule}} {{reason}}",
                ),
            ),
            width=12,
        ),
    ),
)
