"""What `watch` says of a scrape: a figure, or that it is not known."""

from __future__ import annotations

import pytest

from consumer.operator.output import console
from consumer.operator.watch.run import drawn
from consumer.operator.watch.snapshot import Snapshot, view

_BOOKS = """\
remediator_messages_received_total 3
remediator_messages_settled_total{disposition="deleted"} 2
remediator_messages_in_flight{state="working"} 1
"""
_KNOWN = """\
remediator_exposures_unknown{reason="not_polling"} 0
remediator_exposures_unknown{reason="behind"} 0
remediator_paused 0
"""
_PARKED = 'remediator_messages_settled_total{disposition="parked"} 0\n'
_PARK_ERRORS = """\
remediator_settle_errors_total{action="park",code="interrupted"} 5
remediator_settle_errors_total{action="park",code="too_large"} 2
remediator_settle_errors_total{action="delete",code="timeout"} 9
"""
_OPEN = 'remediator_oldest_open_exposure_timestamp_seconds{rule="public-read"} 900'


def page(text: str) -> str:
    """The page that a person sees at the second 1,000, in lines without the spaces between their words."""
    target = console()
    with target.capture() as captured:
        target.print(drawn(view(Snapshot.of(text, 0.0), None, 1_000.0), "http://worker"))
    return "\n".join(" ".join(line.split()) for line in captured.get().splitlines())


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", ["exposed unknown: the worker does not say", "changes unknown: the worker does not say"]),
        ("", ["parking unknown: the worker does not say"]),
        (_PARKED, ["parking no failure"]),
        (_PARKED + _PARK_ERRORS, ["parking hidden instead, or tried again: 5 interrupted, 2 too_large"]),
        ("", ["books unknown: the worker does not say"]),
        (_KNOWN + _BOOKS, ["exposed nothing", "changes may be made", "polls not paused", "books balance"]),
        (_KNOWN.replace('"behind"} 0', '"behind"} 1'), ["exposed unknown: behind"]),
        (_KNOWN + _OPEN, ["exposed public-read", "public-read 1 min 40 s"]),
        (_KNOWN + _OPEN + '\nremediator_rule_mode{rule="public-read"} 0', ["exposed nothing"]),
        (_KNOWN + 'remediator_polling_paused{reason="undeleted_limit"} 1', ["polls PAUSED: undeleted_limit"]),
        (_KNOWN.replace("paused 0", "paused 1"), ["changes PAUSED"]),
        (_KNOWN + _BOOKS.replace(" 3", " 4"), ["books DO NOT BALANCE"]),
        ('remediator_given_up_resources{rule="r",reason="not_owner"} 2', ["r not_owner 2"]),
        ('remediator_permission_missing{action="oss:PutBucketAcl",resource="acs:oss:*:1:*"} 7', ["acs:oss:*:1:* 7"]),
    ],
)
def test_what_is_not_exported_is_unknown(text: str, lines: list[str]) -> None:
    """Absent is neither no nor fine."""
    shown = page(text)
    for line in lines:
        assert line in shown
