"""The catalogue as a whole: what it offers, and what it refuses to offer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from consumer.core.errors import ConfigurationError
from consumer.remediations import catalogue as remediations
from consumer.remediations.base import Change, Finding, Remediation
from consumer.remediations.catalogue import RemediationType, catalogue
from consumer.remediations.oss.tags import BucketTags

_BUILT_IN = catalogue()


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """Entry points that seem to be installed; the catalogue is read anew before and after."""
    entries: list[EntryPoint] = []
    monkeypatch.setattr(remediations, "entry_points", lambda group: entries)  # noqa: ARG005 - called by name
    catalogue.cache_clear()
    yield entries
    catalogue.cache_clear()


def test_every_repair_is_found_by_its_file() -> None:
    """Nothing has to be registered."""
    assert set(_BUILT_IN) == {
        "ecs.revoke-public-ingress",
        "oss.block-public-access",
        "oss.bucket-acl",
        "oss.bucket-policy-public",
        "oss.encryption",
        "oss.https-only",
        "oss.logging",
        "oss.referer",
        "oss.report",
        "oss.tags",
        "oss.tls-version",
        "oss.versioning",
        "oss.zrs",
    }


@pytest.mark.parametrize("kind", _BUILT_IN.values(), ids=list(_BUILT_IN))
def test_every_repair_describes_itself(kind: RemediationType) -> None:
    """What it changes, whether it can be undone, what it may break, and the RAM actions in their exact form."""
    assert all((kind.summary, kind.reversible, kind.may_break))
    for action in (*kind.actions, *kind.optional_actions, *kind.undo_actions):
        assert re.fullmatch(
            r"oss:(Get|Put|Delete|List|Create)Bucket[A-Z]?\w*|ecs:(Describe|Authorize|Revoke)SecurityGroup\w*", action
        )
    others = {*kind.optional_actions, *kind.undo_actions, *kind.kind.look_actions}
    assert set(kind.actions).isdisjoint(others)


@pytest.mark.parametrize("kind", _BUILT_IN.values(), ids=list(_BUILT_IN))
def test_every_option_is_described(kind: RemediationType) -> None:
    """The reference is made of these sentences."""
    for name, field in kind.Options.model_fields.items():
        assert (field.description or "").endswith("."), name


def test_no_managed_rule_is_left_without_a_repair() -> None:
    """Every managed rule that the resource's own settings can satisfy is named by some repair."""
    from emulator.cloudconfig.rules import CATALOGUE

    assert set(CATALOGUE) == {identifier for kind in _BUILT_IN.values() for identifier in kind.repairs}


def _entry(value: str) -> EntryPoint:
    return EntryPoint("theirs", value, remediations.ENTRY_POINT_GROUP)


_OFFERED = "entry point theirs of config_remediator.remediations in an installed package"
_REMEDY = "repair or uninstall an installed package"


@pytest.mark.parametrize(
    ("value", "text", "remedy"),
    [
        (
            "nowhere.to.be.found:Thing",
            f"{_OFFERED} cannot be loaded: ModuleNotFoundError: No module named 'nowhere'",
            _REMEDY,
        ),
        (
            "consumer.resources.oss.bucket:BucketInfo",
            f"{_OFFERED} is not a Remediation class with all its methods",
            _REMEDY,
        ),
        (
            "consumer.remediations.base:Remediation",
            f"{_OFFERED} is not a Remediation class with all its methods",
            _REMEDY,
        ),
        ("consumer.remediations.base:__name__", f"{_OFFERED} is not a Remediation class with all its methods", _REMEDY),
        (f"{__name__}:Nameless", f"{_OFFERED}: Nameless lacks summary, repairs", _REMEDY),
        (
            f"{__name__}:Undescribed",
            f"{_OFFERED}: Undescribed lacks name, summary, reversible, may_break, repairs, actions, kind, Options",
            _REMEDY,
        ),
        (f"{__name__}:Unvalidated", f"{_OFFERED}: Unvalidated lacks Options", _REMEDY),
        (f"{__name__}:NoOptions", f"{_OFFERED}: NoOptions lacks Options", _REMEDY),
        (
            "tests.unit.lamps:SwitchOff",
            f"{_OFFERED}: its kind, of Example::Light::Lamp, is offered by no entry point of config_remediator.kinds",
            _REMEDY,
        ),
        (
            "consumer.remediations.oss.tags:BucketTags",
            "entry point theirs of an installed package: the name oss.tags is already taken",
            "uninstall an installed package, or the package that has taken the name",
        ),
    ],
)
def test_what_is_no_remediation_is_refused_by_name(
    installed: list[EntryPoint], value: str, text: str, remedy: str
) -> None:
    """The worker does not start, and says which entry point to mend and how."""
    installed.append(_entry(value))

    with pytest.raises(ConfigurationError) as refused:
        catalogue()
    assert (str(refused.value), refused.value.remedy) == (text, remedy)


def test_a_package_is_named_by_the_name_it_is_installed_under(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a person can uninstall it."""
    metadata = tmp_path / "theirs-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: their-repairs\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[config_remediator.remediations]\ntheirs = nowhere:Thing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    catalogue.cache_clear()

    with pytest.raises(ConfigurationError) as refused:
        catalogue()
    assert str(refused.value) == (
        "entry point theirs of config_remediator.remediations in their-repairs cannot be loaded: "
        "ModuleNotFoundError: No module named 'nowhere'"
    )
    assert refused.value.remedy == "repair or uninstall their-repairs"


class Nameless(BucketTags):
    """Somebody's class that describes itself badly."""

    summary = None  # type: ignore[assignment]
    repairs = "required-tags"  # type: ignore[assignment]


class Undescribed(Remediation[Any, Any, str]):
    """One with its methods and nothing else."""

    def inspect(self, target: object, identity: object, /) -> str:
        """Never called here."""
        raise NotImplementedError

    def plan(self, state: str) -> Finding:
        """Never called here."""
        raise NotImplementedError

    def apply(self, target: object, change: Change, /) -> None:
        """Never called here."""

    def revert(self, target: object, change: Change, /) -> None:
        """Never called here."""


class Unvalidated(BucketTags):
    """One whose options are checked by nobody."""

    Options = dict  # type: ignore[assignment]


class NoOptions(BucketTags):
    """One whose options are no class at all."""

    Options = "reason"  # type: ignore[assignment]
