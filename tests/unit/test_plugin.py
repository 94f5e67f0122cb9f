"""What a package of somebody else's imports: one public module, and the names that the documentation gave before."""

from __future__ import annotations

from importlib import import_module

import pytest

from consumer import plugin


@pytest.mark.parametrize("name", plugin.__all__)
def test_every_public_name_is_there(name: str) -> None:
    """A name in the list can be imported."""
    assert getattr(plugin, name) is not None


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("bucket", "Bucket"),
        ("errors", "Refused"),
        ("remediations.base", "Options"),
        ("remediations.base", "Remediation"),
        ("remediations.setting", "SettingRepair"),
        ("remediations.setting", "Notation"),
        ("remediations.policy_setting", "PolicyRepair"),
    ],
)
def test_a_name_of_an_earlier_release_is_the_same_thing(module: str, name: str) -> None:
    """A plug-in that was written before `consumer.plugin` goes on working, with the same classes."""
    assert getattr(import_module(f"{'consumer'}.{module}"), name) is getattr(plugin, name)
