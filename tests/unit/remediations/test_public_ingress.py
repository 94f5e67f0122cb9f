"""Revoking public ingress: its options, its notation and what it says of rules that it does not satisfy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from consumer.core.errors import Refused
from consumer.core.outcome import Outcome
from consumer.remediations.base import Change, Compliant, Grant, ReportOnly
from consumer.remediations.ecs.public_ingress import Ingress, PublicIngressOptions, RevokePublicIngress
from consumer.resources.ecs.security_group import IngressRule

SSH = IngressRule("Accept", "TCP", "22/22", source="0.0.0.0/0", description="a \u201cquoted\u201d word")
RDP = replace(SSH, ports="3389/3389")


def repair(**options: Any) -> RevokePublicIngress:
    return RevokePublicIngress(PublicIngressOptions.model_validate(options))


@pytest.mark.parametrize(
    "options",
    [
        {"ports": []},
        {"ports": [0]},
        {"ports": [65_536]},
        {"ports": ["22"]},
        {"keep_sources": ["0.0.0.0/0"]},
        {"keep_sources": ["::/0"]},
        {"keep_sources": ["office"]},
        {"protocols": ["TCP"]},
    ],
)
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    """No port, what is no port, and a source that would keep everything open."""
    with pytest.raises(ValidationError):
        PublicIngressOptions.model_validate(options, strict="ports" in options)


def test_the_order_of_an_answer_is_no_state() -> None:
    """Nor are the ids; equal rules are equal texts."""
    one, other = repair().plan(Ingress((SSH, RDP))), repair().plan(Ingress((RDP, SSH)))
    assert isinstance(one, Change)
    assert one == other


def test_a_state_is_read_as_it_was_written() -> None:
    """An undo is made of it; what is no state is refused."""
    change = repair().plan(Ingress((SSH, RDP)))
    assert isinstance(change, Change)
    assert set(repair().notation.state(change.before)) == {SSH, RDP}
    assert (repair().notation.state(change.after), change.after) == ((), "[]")
    for text in ("", "[{}]", "private", "[" * 50_000):
        with pytest.raises(Refused):
            repair().notation.state(text)


def test_what_was_changed_reads_as_the_change_left_it_whatever_else_there_is() -> None:
    """An undo compares these texts: rules that only a person can judge stand in neither."""
    odd = replace(SSH, protocol="SCTP")
    change, afterwards = repair().plan(Ingress((SSH, odd))), repair().plan(Ingress((odd,)))
    assert isinstance(change, Change)
    assert isinstance(afterwards, ReportOnly)
    assert afterwards.state == change.after
    assert repair().plan(Ingress(())) == Compliant(change.after)


def test_a_group_of_a_service_is_only_reported() -> None:
    """What is open and what may be is named, and the state is what a change would have begun with."""
    odd = replace(SSH, protocol="SCTP")
    finding = repair().plan(Ingress((odd, SSH, RDP), managed=True))

    named = "TCP 22/22 from 0.0.0.0/0, TCP 3389/3389 from 0.0.0.0/0, SCTP 22/22 from 0.0.0.0/0"
    detail = f"{named}: a cloud service manages the group and alone can change its rules"
    state = repair().notation.text((SSH, RDP))
    assert finding == ReportOnly(state, detail, Outcome.WOULD_FIX, "managed_by_service")


@pytest.mark.parametrize(
    ("denied", "remedy"),
    [(False, "a person has to look"), (True, "ecs:DescribePrefixListAttributes is not granted")],
)
def test_what_is_not_understood_is_named_with_what_would_help(denied: bool, remedy: str) -> None:
    """Nothing open is left, so the state is that of a closed group."""
    listed = replace(SSH, source="", source_prefix_list="pl-1")
    finding = repair().plan(Ingress((listed,), denied=denied))

    detail = f"TCP 22/22 from the prefix list pl-1: it cannot be known whether that is open to the world; {remedy}"
    assert finding == ReportOnly("[]", detail, Outcome.WOULD_FIX, "rules_not_understood")


@pytest.mark.parametrize("source", [{"source": "0.0.0.0/0"}, {"source": "", "ipv6_source": "::/0"}])
def test_a_source_beside_a_narrow_prefix_list_counts(source: dict[str, str]) -> None:
    """The list alone would be closed."""
    both = replace(SSH, source_prefix_list="pl-office", **source)
    finding = repair().plan(Ingress((both,), prefix_lists={"pl-office": ("203.0.113.0/24",)}))

    assert finding == Change(repair().notation.text((both,)), "[]")


def test_prefix_lists_are_a_grant_of_their_own() -> None:
    """Those that are shared belong to other accounts."""
    grant = Grant("ecs:DescribePrefixListAttributes", "acs:ecs:*:*:prefixlist/*", own=False)
    assert repair().further_grants() == (grant,)


def test_what_the_options_do_not_satisfy() -> None:
    """Two of the managed rules judge the range -1/-1 whatever the protocol."""
    assert repair().falls_short() == {}
    narrow = repair(whole_range=False).falls_short()
    assert set(narrow) == {"sg-risky-ports-check", "sg-public-access-check"}
    assert set(narrow.values()) == {"options.whole_range = true"}
