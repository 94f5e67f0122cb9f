"""The first row: is anything exposed, for how long, may it be repaired, and are the replicas at work."""

from __future__ import annotations

from deploy.grafana.panels import BAD, COUNT, GOOD, JOB, NOT_KNOWN, RULE, RULES, WARN, Kind, Panel, Query, Row

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
