"""The kinds of resources as a whole: which there are, and what an installed package may not offer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest

from consumer.core.errors import ConfigurationError, Refused
from consumer.core.event import Event
from consumer.operator.permissions import reads
from consumer.remediations import catalogue as remediations
from consumer.remediations.catalogue import RemediationType, catalogue
from consumer.resources import catalogue as resources
from consumer.resources.base import ResourceKind
from consumer.resources.catalogue import InstalledKind, kinds
from consumer.resources.oss.kind import BUCKETS
from tests.unit.lamps import LampKind, SwitchOff

_BUILT_IN = kinds()


class _InstalledLamps(LampKind, InstalledKind):
    """Lamps, as a package brings them."""

    def connect(self, context: object) -> Any:
        """Never called here."""


class _Anything(_InstalledLamps):
    """A kind that takes a type of ours."""

    resource_type = BUCKETS.resource_type


class _Mute(_InstalledLamps):
    """A kind that describes itself badly."""

    noun = None  # type: ignore[assignment]
    look_actions = "light:DescribeLamp"  # type: ignore[assignment]


LAMPS, ANYTHING, MUTE = _InstalledLamps(), _Anything(), _Mute()


class SwitchOffInstalled(SwitchOff):
    """The repair that comes with them."""

    kind = LAMPS


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[EntryPoint]]]:
    """Entry points that seem to be installed, by group; the catalogues are read anew before and after."""
    entries: dict[str, list[EntryPoint]] = {}
    for module in (resources, remediations):
        monkeypatch.setattr(module, "entry_points", lambda group: entries.get(group, []))
    for known in (kinds, catalogue):
        known.cache_clear()
    yield entries
    for known in (kinds, catalogue):
        known.cache_clear()


def offer(value: str) -> list[EntryPoint]:
    """One entry point."""
    return [EntryPoint("theirs", value, "any")]


@pytest.mark.parametrize("kind", _BUILT_IN.values(), ids=list(_BUILT_IN))
def test_every_built_in_kind_describes_itself(kind: ResourceKind) -> None:
    """Its type in Cloud Config's form, a word for people, and the RAM actions of a look."""
    assert re.fullmatch(r"ACS::\w+::\w+", kind.resource_type)
    assert re.fullmatch(r"[a-z]+(?:[ -][a-z]+)*", kind.noun)
    for action in (*kind.look_actions, *kind.tag_actions, *kind.reads):
        assert re.fullmatch(r"[a-z]+:(Get|List|Describe)\w+", action)
    assert kind.names(kind.absent())
    assert re.fullmatch(r"acs:[a-z]+:\*:\*:(?:\w+/)?\*", kind.arn("*"))


@pytest.mark.parametrize("repair", catalogue().values(), ids=list(catalogue()))
def test_every_read_of_a_repair_can_be_tried(repair: RemediationType) -> None:
    """Else `check` would say that every rule may read what it has to, without having tried."""
    needed = {action for action in (*repair.actions, *repair.optional_actions) if reads(action)}
    assert needed <= {*repair.kind.look_actions, *repair.kind.reads}


@pytest.mark.parametrize("kind", _BUILT_IN.values(), ids=list(_BUILT_IN))
@pytest.mark.parametrize("hostile", ["", ".", "..", "a/b", "a b", "a\nb", "a?b", "a@b.c", "a#", "*", "é", "a" * 300])
def test_what_could_lead_elsewhere_is_no_name(kind: ResourceKind, hostile: str) -> None:
    """An id comes in a message, and ends in a host name, a path or a query."""
    assert not kind.names(hostile)
    with pytest.raises(Refused, match="form"):
        kind.resource("1234567890123456", "cn-hangzhou", hostile)


@pytest.mark.parametrize("kind", _BUILT_IN.values(), ids=list(_BUILT_IN))
def test_an_event_of_another_type_is_refused_by_the_kind_itself(kind: ResourceKind) -> None:
    """Whoever calls it need not have looked first."""
    event = Event("cr-1", "", "", "ACS::Other::Thing", "thing", "cn-hangzhou", "1234567890123456", "", 1, 1, "")
    with pytest.raises(Refused) as refused:
        kind.parse(event, "cn-hangzhou")
    assert refused.value.reason == "wrong_resource_type"


def test_an_installed_kind_and_its_repair_are_found(installed: dict[str, list[EntryPoint]]) -> None:
    """Beside those that are built in."""
    installed[resources.ENTRY_POINT_GROUP] = offer(f"{__name__}:LAMPS")
    installed[remediations.ENTRY_POINT_GROUP] = offer(f"{__name__}:SwitchOffInstalled")
    assert kinds().keys() == {*_BUILT_IN, LAMPS.resource_type}
    assert catalogue()["light.switch-off"].kind is LAMPS


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("nowhere.to.be.found:THING", "cannot be loaded: ModuleNotFoundError"),
        ("consumer.resources.oss.kind:BUCKETS", "is not an InstalledKind"),
        (f"{__name__}:_InstalledLamps", "is not an InstalledKind"),
        (f"{__name__}:MUTE", "_Mute lacks noun, look_actions"),
        (f"{__name__}:ANYTHING", "the type ACS::OSS::Bucket is already taken"),
    ],
)
def test_what_is_no_kind_is_refused_by_name(installed: dict[str, list[EntryPoint]], value: str, problem: str) -> None:
    """The worker does not start, and says which entry point is wrong."""
    installed[resources.ENTRY_POINT_GROUP] = offer(value)
    with pytest.raises(ConfigurationError, match="entry point theirs") as refused:
        kinds()
    assert problem in str(refused.value)


def test_a_repair_of_a_kind_that_nobody_offers_is_refused(installed: dict[str, list[EntryPoint]]) -> None:
    """Nothing could open what it repairs."""
    installed[remediations.ENTRY_POINT_GROUP] = offer(f"{__name__}:SwitchOffInstalled")
    with pytest.raises(ConfigurationError, match=r"of Example::Light::Lamp, is offered by no entry point"):
        catalogue()


class Creator(SwitchOff):
    """A repair as it was written for earlier versions."""

    kind = BUCKETS
    creates_bucket = True


def test_a_repair_that_relies_on_what_nothing_reads_any_more_is_refused(
    installed: dict[str, list[EntryPoint]],
) -> None:
    """Its accidents would not be taken back, and nobody would know."""
    installed[remediations.ENTRY_POINT_GROUP] = offer(f"{__name__}:Creator")
    with pytest.raises(ConfigurationError) as refused:
        catalogue()
    assert str(refused.value) == (
        "entry point theirs of config_remediator.remediations in an installed package: "
        "Creator has creates_bucket, which nothing reads any more"
    )
    assert refused.value.remedy == "have an installed package write recover(): docs/writing-a-remediation.md"
