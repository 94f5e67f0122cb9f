"""The first row: is anything exposed, for how long, may it be repaired, and are the replicas at work."""

from __future__ import annotations

from deploy.grafana.panels import BAD, COUNT, FACT, GOOD, NOT_KNOWN, RULES, UNKNOWN, WARN, Kind, Panel, Query, Row
from deploy.grafana.queries import ALL_THERE, DOWN, JOB, RULE, SEEN, counted

_OPEN = f"""(
  time() - min by (namespace, job, rule) (rule:remediator_open_exposure:timestamp_seconds{{{RULE}}})
  unless on (namespace, job, rule) max by (namespace, job, rule) (remediator_rule_mode{{{RULE}}}) == 0
)"""
"""Age of the oldest open exposure of each rule that is not known to observe only."""

_NOTHING = f"""(
  max(job:remediator_exposures_unknown:max{{{JOB}}}) + max(remediator_paused{{{JOB}}}) < 1
  and on () (count(count by (namespace, job) (job:remediator_exposures_unknown:max{{{JOB}}})) >= {SEEN})
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
  and on () max(remediator_rule_mode{{{RULE}}}) and on () {ALL_THERE}
  unless on () ({DOWN})
) or vector(-1)"""
"""That nothing keeps them back is known only if each part was looked at, in each replica."""

_AT_WORK = f"""count(
  time() - remediator_last_poll_success_timestamp_seconds{{{JOB}}} < 120
  unless ignoring (reason) remediator_polling_paused{{{JOB}}} == 1
)"""

_NOT_AT_WORK = f"""(
  count({DOWN}) or vector(0)
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
            width=6,
            height=5,
            steps=((None, UNKNOWN), (0, GOOD), (1, BAD)),
            texts={"0": ("nothing", GOOD), "1": ("1 rule", BAD), **NOT_KNOWN},
        ),
        Panel(
            "For how long?",
            "Time since the evaluation that found the oldest of them. ExposureTooLong fires after 15 minutes.",
            Kind.STAT,
            "s",
            (Query(f"max{_OPEN} or {_NOTHING} or vector(-1)", "age"),),
            width=6,
            height=5,
            steps=((None, UNKNOWN), (0, GOOD), (60, WARN), (900, BAD)),
            texts={"0": ("nothing", GOOD), **NOT_KNOWN},
        ),
        Panel(
            "May it be repaired?",
            "What keeps changes back in any replica: a pause, a missing permission, an open breaker, rules that only"
            " observe, a limit that is used up. The worst one is named.",
            Kind.STAT,
            COUNT,
            (Query(_MAY_ACT, "state"),),
            width=6,
            height=5,
            steps=((None, UNKNOWN), (0, GOOD), (1, WARN), (3, BAD)),
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
            "Keeping up? Slots in use",
            "Share of all slots that hold a message. Near 100 % for long, more comes in than is repaired. Unknown while"
            " a replica does not poll, for its slots are free then and nothing is repaired, or cannot be scraped.",
            Kind.GAUGE,
            "percentunit",
            (
                Query(
                    f"sum(remediator_messages_in_flight{{{JOB}}}) / sum(remediator_worker_slots{{{JOB}}})"
                    f" and on () {ALL_THERE} unless on () max(remediator_exposures_unknown{{{JOB},"
                    f'reason=~"not_polling|polling_paused"}}) == 1 unless on () ({DOWN}) or vector(-1)',
                    "in use",
                ),
            ),
            width=6,
            height=5,
            steps=((None, UNKNOWN), (0, GOOD), (0.7, WARN), (0.9, BAD)),
            texts=NOT_KNOWN,
            maximum=1,
        ),
        Panel(
            "Replicas at work",
            "Replicas whose last poll was answered in the last two minutes, and that have not paused their polls."
            " Unknown while none can be scraped.",
            Kind.STAT,
            COUNT,
            (Query(f"{_AT_WORK} or 0 * max(remediator_worker_slots{{{JOB}}}) or vector(-1)"),),
            width=8,
            height=3,
            steps=((None, UNKNOWN), (0, BAD), (1, GOOD)),
            texts={"0": ("none", BAD), **NOT_KNOWN},
        ),
        Panel(
            "Not at work",
            "Replicas that cannot be scraped, or that do not poll.",
            Kind.STAT,
            COUNT,
            (Query(f"{_NOT_AT_WORK} or vector(-1)"),),
            width=8,
            height=3,
            steps=((None, UNKNOWN), (0, GOOD), (1, BAD)),
            texts={"0": ("none", GOOD), **NOT_KNOWN},
        ),
        Panel(
            "Repaired, 24 h",
            "Changed and read back as compliant, those before the first scrape of a replica included.",
            Kind.STAT,
            COUNT,
            (Query(f"sum({counted(_FIXED, '24h')})", "repaired"),),
            width=8,
            height=3,
            steps=FACT,
        ),
    ),
)
