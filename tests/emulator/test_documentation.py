"""The emulator's page in docs/ names every endpoint, field and option there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator.cli import main
from emulator.client import Emulator
from emulator.control.bodies import Body, FaultBody, JournalQuery, OptionsBody
from emulator.control.buckets import BucketsBody
from emulator.control.config import ChannelBody, EvaluateBody, RuleBody
from emulator.control.publishing import PublishBody
from emulator.control.security_groups import GroupsBody, PermissionBody, PrefixListBody
from emulator.faults import Kind

_PAGE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")


def test_every_endpoint_is_documented(emulator: Emulator) -> None:
    """Whatever the index of the control port lists has its place on the page."""
    for endpoint in emulator.control.call("GET", "/")["endpoints"]:
        path = re.sub(r":int\}", "}", endpoint["path"])
        shown = path.replace("/latest/meta-data/ram/security-credentials/{role}", "…/{role}")
        assert f"{endpoint['method']} {shown}`" in _PAGE or f"`{shown}`" in _PAGE, endpoint


@pytest.mark.parametrize(
    "body",
    [
        FaultBody,
        JournalQuery,
        BucketsBody,
        GroupsBody,
        PermissionBody,
        PrefixListBody,
        RuleBody,
        ChannelBody,
        EvaluateBody,
        PublishBody,
        OptionsBody,
    ],
)
def test_every_field_is_documented(body: type[Body]) -> None:
    """A field that nobody knows of is of no use."""
    for field in body.model_fields:
        assert f"`{field}`" in _PAGE, field


def test_every_fault_and_option_is_documented() -> None:
    """Kinds of faults and command-line options."""
    for kind in Kind:
        assert f"`{kind}`" in _PAGE, kind
    for option in main.params:
        assert f"`{option.opts[0]}`" in _PAGE, option.opts
