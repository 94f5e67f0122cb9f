"""The dashboard for everybody: is anything exposed, for how long, may we act, are we keeping up; and why."""

from __future__ import annotations

from deploy.grafana.panels import (
    BAD,
    COUNT,
    EVERY,
    GOOD,
    JOB,
    NOT_KNOWN,
    RANGE,
    RULE,
    RULES,
    UNKNOWN,
    WARN,
    Kind,
    Panel,
    Query,
    Row,
)

UID = "config-remediator-overview"
TITLE = "config-remediator"
DESCRIPTION = "Is anything exposed, for how long, may it be repaired, and do the replicas keep up. Start here."

_SEEN = f"count(count by (namespace, job) (last_over_time(remediator_build_info{{{JOB}}}[24h])))"
"""Installations that there were within the day."""

_ALL_THERE = f"(count(count by (namespace, job) (remediator_build_info{{{JOB}}})) >= {_SEEN})"
"""Something if each of them is still scraped, nothing otherwise: one that is silent must not hide behind another."""

_OPEN = f"""(
  time() - min by (namespace, job, rule) (rule:remediator_open_exposure:timestamp_seconds{{{RULE}}})
  unless on (namespace, job, rule) max by (namespace, job, rule) (remediator_rule_mode{{{RULE}}}) == 0
)"""
"""Age of the oldest open exposure of each rule that is not known to observe only."""

_NOTHING = f"""(
  max(job:remediator_exposures_unknown:max{{{JOB}}}) + max(remediator_paused{{{JOB}}}) < 1
  and on () (count(count by (namespace, job) (job:remediator_exposures_unknown:max{{{JOB}}})) >= {_SEEN})
)"""
"""0 if every replica of every installation is at work and knows all open exposures; otherwise nothing."""

_HELD_UP = f"""max(
  label_replace(5 * max(remediator_paused{{{JOB}}}), "by", "pause", "", "")
  or label_replace(4 * (max(remediator_permission_missing{{{JOB}}}) > bool 0), "by", "permission", "", "")
  or label_replace(3 * max(remediator_breaker_open{{{RULE}}}), "by", "breaker", "", "")
  or label_replace(2 * (max(remediator_rule_mode{{{RULE}}}) == bool 0), "by", "mode", "", "")
  or label_replace(
    max(remediator_changes_in_window{{{JOB}}} >= bool remediator_changes_limit{{{JOB}}}), "by", "limit", "", ""
  )
)"""
"""The worst of what keeps changes back; each part has a label of its own, so that `or` keeps them all."""

_MAY_ACT = f"""({_HELD_UP} > 0) or (
  {_HELD_UP}
  and on () max(remediator_paused{{{JOB}}}) and on () max(remediator_breaker_open{{{RULE}}})
  and on () max(remediator_rule_mode{{{RULE}}}) and on () {_ALL_THERE}
) or vector(-1)"""
"""That nothing keeps them back is known only if each part was asked."""

_AT_WORK = f"""count(
  time() - remediator_last_poll_success_timestamp_seconds{{{JOB}}} < 120
  unless ignoring (reason) remediator_polling_paused{{{JOB}}} == 1
)"""

_NOT_AT_WORK = f"""(
  count(up{{{JOB}}} == 0 and on (namespace, job) last_over_time(remediator_build_info{{{JOB}}}[24h])) or vector(0)
) + count(remediator_worker_slots{{{JOB}}}) - ({_AT_WORK} or vector(0))"""
"""Those that cannot be scraped, and those that can and do not poll; nothing if none can."""

_FIXED = f'remediator_outcomes_total{{{RULE},outcome="fixed"}}'

NOW = Row(
    "Now",
    (
        Panel(
            "Is anything exposed?",
            "Rules that enforce and have a resource that is reported and not repaired: a repair failed, is held back or"
            " was given up. Unknown while a replica does not poll, is paused or behind, cannot be scraped, or has not"
            " seen all that was received before it started. A repair that works at once never shows here.",
            Kind.STAT,
            RULES,
            (Query(f"count{_OPEN} or {_NOTHING} or vector(-1)", "rules"),),
            width=4,
            height=5,
            steps=((None, GOOD), (1, BAD)),
            texts={"0": ("nothing", GOOD), "1": ("1 rule", BAD), **NOT_KNOWN},
        ),
        Panel(
            "For how long?",
            "Time since the evaluation that found the oldest of them. ExposureTooLong fires after 15 minutes.",
            Kind.STAT,
            "s",
            (Query(f"max{_OPEN} or {_NOTHING} or vector(-1)", "age"),),
            width=3,
            height=5,
            steps=((None, GOOD), (60, WARN), (900, BAD)),
            texts=NOT_KNOWN,
        ),
        Panel(
            "May it be repaired?",
            "What keeps changes back in any replica: a pause, a missing permission, an open breaker, rules that only"
            " observe, a limit that is used up. The worst one is named.",
            Kind.STAT,
            COUNT,
            (Query(_MAY_ACT, "state"),),
            width=4,
            height=5,
            steps=((None, GOOD), (1, WARN), (3, BAD)),
            texts={
                "0": ("yes", GOOD),
                "1": ("limit reached", WARN),
                "2": ("observing only", WARN),
                "3": ("breaker open", BAD),
                "4": ("permission missing", BAD),
                "5": ("paused", BAD),
                **NOT_KNOWN,
            },
        ),
        Panel(
            "Replicas at work",
            "Replicas whose last poll was answered in the last two minutes, and that have not paused their polls.",
            Kind.STAT,
            COUNT,
            (Query(f"{_AT_WORK} or vector(0)"),),
            width=3,
            height=5,
            steps=((None, BAD), (1, GOOD)),
        ),
        Panel(
            "Not at work",
            "Replicas that cannot be scraped, or that do not poll.",
            Kind.STAT,
            COUNT,
            (Query(f"{_NOT_AT_WORK} or vector(-1)"),),
            width=3,
            height=5,
            steps=((None, GOOD), (1, BAD)),
            texts={"0": ("none", GOOD), **NOT_KNOWN},
        ),
        Panel(
            "Keeping up? Slots in use",
            "Share of all slots that hold a message. Near 100 % for long, more comes in than is repaired. Unknown while"
            " a replica does not poll: its slots are free then, and nothing is repaired.",
            Kind.GAUGE,
            "percentunit",
            (
                Query(
                    f"sum(remediator_messages_in_flight{{{JOB}}}) / sum(remediator_worker_slots{{{JOB}}})"
                    f" unless on () max(remediator_exposures_unknown{{{JOB},"
                    'reason=~"not_polling|polling_paused"}) == 1 or vector(-1)',
                    "in use",
                ),
            ),
            width=4,
            height=5,
            steps=((None, GOOD), (0.7, WARN), (0.9, BAD)),
            texts=NOT_KNOWN,
            maximum=1,
        ),
        Panel(
            "Repaired, 24 h",
            "Changed and read back as compliant, those before the first scrape of a replica included.",
            Kind.STAT,
            COUNT,
            (
                Query(
                    f"sum((increase({_FIXED}[24h]) and {_FIXED} offset 24h)"
                    f" or (max_over_time({_FIXED}[24h]) unless {_FIXED} offset 24h))",
                    "repaired",
                ),
            ),
            width=3,
            height=5,
            steps=((None, "blue"),),
        ),
    ),
)

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
            steps=((None, BAD), (0.9, WARN), (0.99, GOOD)),
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
            "Mean time in each stage: notify and enqueue are before the worker; wait is in its hand.",
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
        ),
        Panel(
            "Unknown, and why",
            "Why a replica may not know of every open exposure. starting lasts for an hour at most.",
            Kind.STATES,
            COUNT,
            (Query(f"max by (reason) (remediator_exposures_unknown{{{JOB}}})", "{{reason}}"),),
            texts={"0": ("known", GOOD), "1": ("unknown", UNKNOWN)},
        ),
    ),
)

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
            texts={"0": ("observes", WARN), "1": ("enforces", GOOD)},
            named=True,
        ),
        Panel(
            "Exemptions end in",
            "From then on their resources are repaired like any others. Negative: it has ended.",
            Kind.LEVELS,
            "s",
            (
                Query(
                    f"min by (exemption) (remediator_exemption_expiry_timestamp_seconds{{{JOB}}}) - time()",
                    "{{exemption}}",
                ),
            ),
            width=12,
            steps=((None, BAD), (7 * 86_400, WARN), (30 * 86_400, GOOD)),
        ),
    ),
)

UPSTREAM = Row(
    "Upstream: what no event came for",
    (
        Panel(
            "Missed upstream",
            "Fixes that only catch-up asked for, because no notification had come. Says nothing while it does not run.",
            Kind.BARS,
            COUNT,
            (Query(f"sum by (rule) (increase(remediator_missed_upstream_total{{{RULE}}}[{EVERY}]))", "{{rule}}"),),
        ),
        Panel(
            "Last whole run of catch-up",
            "How long ago, and within which time another one is expected; a later run that was not whole says why in "
            "its log. Nothing: none is known, or none is expected.",
            Kind.STAT,
            "s",
            (
                Query(f"time() - max(remediator_catch_up_last_success_timestamp_seconds{{{JOB}}})", "ago"),
                Query(f"time() - max(remediator_catch_up_last_run_timestamp_seconds{{{JOB}}})", "ago, whole or not"),
                Query(f"max(remediator_catch_up_expected_within_seconds{{{JOB}}})", "expected within"),
            ),
            steps=((None, "blue"),),
            named=True,
        ),
        Panel(
            "On the evaluator's list",
            "What Cloud Config called non-compliant in the last run, whatever became of it since.",
            Kind.LINES,
            COUNT,
            (
                Query(
                    f"remediator_catch_up_listed_resources{{{JOB}}} and "
                    f"topk(1, remediator_catch_up_last_success_timestamp_seconds{{{JOB}}})",
                    "resources",
                ),
            ),
        ),
    ),
)

ROWS = (NOW, EXPOSURE, UNSOLVED, ENDINGS, GUARDS, UPSTREAM)
