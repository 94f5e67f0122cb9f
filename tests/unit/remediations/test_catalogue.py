"""The catalogue as a whole: what it offers, and what it refuses to offer."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

from consumer.core.errors import ConfigurationError
from consumer.remediations import catalogue as remediations
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


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("nowhere.to.be.found:Thing", "cannot be loaded: ModuleNotFoundError"),
        ("consumer.resources.oss.bucket:BucketInfo", "is not a Remediation class"),
        ("consumer.remediations.base:Remediation", "is not a Remediation class with all its methods"),
        (f"{__name__}:Nameless", "Nameless lacks summary, repairs"),
        ("consumer.remediations.oss.tags:BucketTags", "the name oss.tags is already taken"),
    ],
)
def test_what_is_no_remediation_is_refused_by_name(installed: list[EntryPoint], value: str, problem: str) -> None:
    """The worker does not start, and says which entry point to mend."""
    installed.append(_entry(value))

    with pytest.raises(ConfigurationError, match="entry point theirs") as refused:
        catalogue()
    assert problem in str(refused.value)


class Nameless(BucketTags):
    """Somebody's class that describes itself badly."""

    summary = None  # type: ignore[assignment]
    repairs = "required-tags"  # type: ignore[assignment]
