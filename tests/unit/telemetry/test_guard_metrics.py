"""What the guards hold back, as a scraper sees it."""

from __future__ import annotations

import pytest

from consumer.core.errors import SharedUnreachable
from consumer.core.outcome import Ending, Outcome
from consumer.guards.breaker import BreakerPolicy, LocalBreakers
from consumer.guards.chain import HOLDS, Guards
from consumer.guards.contest import ContestPolicy, LocalContest
from consumer.guards.exemptions import Exemption
from consumer.guards.limits import Limit, LocalLimits
from consumer.guards.memory import GuardMemory
from consumer.guards.shared.limits import SharedLimits
from consumer.guards.shared.store import Store, StoreAddress
from consumer.telemetry.guard_gauges import expose_guards, expose_store
from tests.unit.fakes import Clock
from tests.unit.guards.cases import conclude, ended, intent, permitted
from tests.unit.telemetry.records import report, rule
from tests.unit.telemetry.scrape import Member, metrics, value

RULE = rule().name


def test_what_is_held_is_counted_by_its_reason() -> None:
    """Every reason a guard can give starts at 0; what ends otherwise does not count."""
    found = metrics()
    assert {value(found, "held_total", rule=RULE, reason=reason) for reason in HOLDS} == {0.0}

    found.report(report(Outcome.HELD, ending=Ending(Outcome.HELD, "paused")))
    found.report(report(Outcome.WOULD_FIX))

    assert value(found, "held_total", rule=RULE, reason="paused") == 1
    assert sum(value(found, "held_total", rule=RULE, reason=reason) or 0 for reason in HOLDS) == 1


def test_limits_are_shown_with_what_is_taken_of_them() -> None:
    """The limit on all rules has a name of its own; a rule without a limit has no series."""
    guards = Guards(GuardMemory(limits=LocalLimits(Limit(100, 60), {RULE: Limit(20, 60)})), monotonic=Clock())
    found = metrics()
    expose_guards(found, (rule(), rule("other-rule")), guards, {})
    conclude(permitted(guards, intent(name=RULE)), ended(Outcome.FIXED))
    permitted(guards, intent(name="other-rule"))

    assert value(found, "changes_limit", rule=RULE) == 20
    assert value(found, "changes_limit", rule="(all)") == 100
    assert value(found, "changes_in_window", rule=RULE) == 1
    assert value(found, "changes_in_window", rule="(all)") == 2
    assert value(found, "changes_limit", rule="other-rule") is None


def test_an_open_breaker_and_a_contest_are_shown_by_rule() -> None:
    """0 while there is none."""
    guards = Guards(
        GuardMemory(
            breakers=LocalBreakers(BreakerPolicy(attempts=1, min_attempts=1, max_failure_share=1.0)),
            contest=LocalContest(ContestPolicy(max_fixes=1, window_seconds=60)),
        ),
        monotonic=Clock(),
    )
    found = metrics()
    expose_guards(found, (rule(), rule("fought-over")), guards, {})
    assert value(found, "breaker_open", rule=RULE) == 0
    assert value(found, "contested_resources", rule="fought-over") == 0

    conclude(permitted(guards, intent(name=RULE)), ended(Outcome.FAILED, "timeout"))
    conclude(permitted(guards, intent(name="fought-over")), ended(Outcome.FIXED))
    guards.permit(intent(name="fought-over"), dict)

    assert value(found, "breaker_open", rule=RULE) == 1
    assert value(found, "breaker_open", rule="fought-over") == 0
    assert value(found, "contested_resources", rule="fought-over") == 1


def test_a_store_is_shown_only_where_something_is_shared() -> None:
    """Up until a call has failed, then down; and its failures by what was wanted, 0 before the first."""
    alone, found = metrics(), metrics()
    expose_guards(alone, (rule(),), Guards(monotonic=Clock()), {})
    assert value(alone, "shared_store_up") is None

    store = Store(StoreAddress("redis://127.0.0.1:1/0", "test", 0.2))
    expose_store(found, store)
    assert value(found, "shared_store_up") == 1
    assert value(found, "shared_store_errors_total", action="reserve") == 0

    limits = SharedLimits(store, Limit(1, 60), longest_change_seconds=60)
    with pytest.raises(SharedUnreachable):
        limits.reserve(RULE, 0.0)
    assert value(found, "shared_store_up") == 0
    assert value(found, "shared_store_errors_total", action="reserve") == 1


@pytest.mark.parametrize(("held_by", "paused"), [("", 0), ("a signal", 1)])
def test_a_pause_is_shown(held_by: str, paused: int) -> None:
    """Whatever holds the switch."""
    found = metrics()
    expose_guards(found, (), Guards(held_by=lambda: held_by), {})
    assert value(found, "paused") == paused


def test_ends_are_shown_as_moments() -> None:
    """Also of an exemption that is over; of credentials, our own and others, only while there is one to tell."""
    over = Exemption("over", "web", "was public", 1_000.0, resources=("static-*",))
    unused = Member()
    unused.expires_at = None  # type: ignore[assignment]
    found = metrics()
    expose_guards(found, (), Guards(exemptions=(over,)), {"11111": Member(), "22222": unused})  # type: ignore[dict-item]

    assert value(found, "exemption_expiry_timestamp_seconds", exemption="over") == 1_000
    assert value(found, "credentials_expiry_timestamp_seconds", account="11111") == Member.expires_at
    assert value(found, "credentials_expiry_timestamp_seconds", account="22222") is None
