"""The row about how deliveries end."""

from __future__ import annotations

from deploy.grafana.panels import (
    COUNT,
    Kind,
    Panel,
    Query,
    Row,
)
from deploy.grafana.queries import EVERY, RANGE, RULE, counted

_OUTCOMES = f"remediator_outcomes_total{{{RULE}}}"
_UNSUCCESSFUL = f'remediator_outcomes_total{{{RULE},outcome=~"failed|rejected|invalid|exhausted"}}'
_HELD = f"remediator_held_total{{{RULE}}}"

ENDINGS = Row(
    "How deliveries end",
    (
        Panel(
            "Outcomes",
            "Every settled delivery has one. A message that is held, observed or failing comes back and counts again.",
            Kind.BARS,
            COUNT,
            (Query(f"sum by (outcome) ({counted(_OUTCOMES, EVERY)}) > 0", "{{outcome}}"),),
            width=12,
        ),
        Panel(
            "Outcomes by rule",
            "In the chosen time. Rule other is a message that belongs to no rule.",
            Kind.TABLE,
            COUNT,
            (Query(f"sort_desc(sum by (rule, outcome) ({counted(_OUTCOMES, RANGE)}) > 0)"),),
            width=12,
            columns=("rule", "outcome"),
            value="deliveries",
        ),
        Panel(
            "Did not succeed",
            "failed is tried again; rejected, invalid and exhausted went to the dead-letter queue.",
            Kind.BARS,
            COUNT,
            (Query(f"sum by (rule, outcome) ({counted(_UNSUCCESSFUL, EVERY)}) > 0", "{{rule}} {{outcome}}"),),
            width=12,
        ),
        Panel(
            "Held back, and why",
            "Kept on the queue without a change, and looked at again later.",
            Kind.BARS,
            COUNT,
            (Query(f"sum by (rule, reason) ({counted(_HELD, EVERY)}) > 0", "{{rule}} {{reason}}"),),
            width=12,
        ),
    ),
)
