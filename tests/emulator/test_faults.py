"""Which request a fault strikes: by name, place, count and dice."""

from __future__ import annotations

import pytest

from emulator.faults import AFTERWARDS, BEFORE, INSTEAD, RECEIVING, Fault, Faults, Kind

_ALL = frozenset(Kind)


def _fault(**fault: object) -> Fault:
    values: dict[str, object] = {"id": 0, "service": "mns", "operation": "*", "kind": Kind.ERROR, **fault}
    return Fault(**values)  # type: ignore[arg-type]


def _strikes(faults: Faults, operation: str = "DeleteMessage", resource: str = "/queues/main/messages") -> bool:
    return faults.strike("mns", operation, resource, _ALL) is not None


def test_a_counted_fault_is_used_up() -> None:
    """It strikes exactly so often, and what it did stays countable."""
    faults = Faults()
    added = faults.add(_fault(count=2))
    assert [_strikes(faults) for _ in range(4)] == [True, True, False, False]
    assert faults.struck == {added.id: 2}
    assert faults.active() == []


def test_a_fault_may_let_requests_pass_first() -> None:
    """What it would not strike does not count; another fault strikes meanwhile."""
    faults = Faults()
    added = faults.add(_fault(skip=2, count=1))
    assert [_strikes(faults) for _ in range(4)] == [False, False, True, False]
    assert faults.struck == {added.id: 1}


def test_a_timed_fault_ends_by_itself() -> None:
    """Whether or not it has struck: nobody has to be there any more to switch it off."""
    now = 1000.0
    faults = Faults(now=lambda: now)
    faults.add(_fault(lasts_seconds=5, count=10))
    now += 4.9
    assert _strikes(faults)
    now += 0.1
    assert faults.active() == []
    assert not _strikes(faults)


def test_a_timed_fault_may_be_used_up_before() -> None:
    """Its time is then over, too."""
    faults = Faults(now=lambda: 0.0)
    faults.add(_fault(lasts_seconds=5, count=1))
    assert _strikes(faults)
    assert not _strikes(faults)


def test_used_up_faults_are_not_remembered_for_ever() -> None:
    """A demonstration that injects for days stays small; what is on is never forgotten."""
    faults = Faults()
    kept = faults.add(_fault(service="oss"))
    for _ in range(1100):
        faults.add(_fault(count=1))
        assert _strikes(faults)
    assert len(faults.struck) <= 1002
    assert kept.id in faults.struck


@pytest.mark.parametrize(
    ("pattern", "struck"),
    [("DeleteMessage", True), ("Delete*", True), ("*Message", True), ("BatchDelete*", False)],
)
def test_operations_are_chosen_by_pattern(pattern: str, struck: bool) -> None:
    """An operation's name or a shell pattern of it."""
    faults = Faults()
    faults.add(_fault(operation=pattern))
    assert _strikes(faults) is struck


@pytest.mark.parametrize(
    ("pattern", "resource", "struck"),
    [
        ("/queues/main/*", "/queues/main/messages", True),
        ("/queues/main/*", "127.0.0.1:5000/queues/main/messages", True),
        ("/queues/main/*", "127.0.0.1:5000/queues/other/messages", False),
        ("*bucket-7*", "127.0.0.1:5000/bucket-7/", True),
        ("*bucket-7*", "bucket-7.oss-cn-hangzhou.aliyuncs.com/", True),
        ("*bucket-7*", "bucket-8.oss-cn-hangzhou.aliyuncs.com/", False),
    ],
)
def test_resources_are_chosen_by_path_or_by_host_and_path(pattern: str, resource: str, struck: bool) -> None:
    """A path pattern works whatever the host is; a bucket may stand in either."""
    faults = Faults()
    faults.add(_fault(resource=pattern))
    assert _strikes(faults, resource=resource) is struck


def test_a_fault_of_another_service_does_not_strike() -> None:
    """Names of operations are not unique across services."""
    faults = Faults()
    faults.add(_fault(service="oss"))
    assert not _strikes(faults)


def test_the_same_seed_throws_the_same_dice() -> None:
    """A run with probabilities can be repeated."""
    faults = Faults(seed=7)
    faults.add(_fault(probability=0.5))
    first = [_strikes(faults) for _ in range(50)]
    faults.seed(7)
    assert [_strikes(faults) for _ in range(50)] == first
    assert True in first
    assert False in first


def test_the_first_fault_of_a_group_strikes() -> None:
    """Faults are asked in the order in which they were added."""
    faults = Faults()
    faults.add(_fault(code="First"))
    faults.add(_fault(code="Second"))
    struck = faults.strike("mns", "DeleteMessage", "/", INSTEAD)
    assert struck is not None
    assert struck.code == "First"


def test_every_kind_belongs_to_exactly_one_group() -> None:
    """Otherwise a fault could be switched on that nobody carries out."""
    groups = [BEFORE, INSTEAD, AFTERWARDS, RECEIVING]
    assert sum(len(group) for group in groups) == len(Kind)
    assert frozenset().union(*groups) == frozenset(Kind)
