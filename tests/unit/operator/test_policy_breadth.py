"""What the printed policies leave open, an account, a region or everything, against the list on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from consumer.config import Config, build_rules
from consumer.guards.rule import Mode
from consumer.operator.permissions import Purpose, policy
from consumer.operator.ram_policy import scope
from consumer.remediations.catalogue import catalogue
from consumer.resources.ecs.kind import SECURITY_GROUPS
from tests.unit.config_files import QUEUE, loaded

_MEMBER = "6543210987654321"
_PAGE = Path(__file__).parents[3] / "docs" / "commands.md"
_PLACES = re.compile(r"^(\w+) places stay wider than the rules are:\n\n((?:\*.*\n(?:  .*\n)*)+)", re.MULTILINE)
_NUMBERS = {"Two": 2, "Three": 3, "Four": 4, "Five": 5}
_MORE = """
[reevaluate]
enabled = true
[catch_up]
aggregator_id = "ca-1234"
[accounts]
allowed = ["1234567890123456", "{member}"]
role_name = "remediator"
[announce]
topic = "announcements"
[canary]
bucket = "canary"
public = true
"""
_OPTIONS = {
    "oss.logging": 'options = {target_bucket = "logs-{region}", target_prefix = "oss/"}',
    "oss.referer": 'options = {referers = ["https://example.com"]}',
    "oss.tags": 'options = {tags = {owner = "somebody"}}',
    "oss.zrs": "options = {acknowledge_one_way_and_cost = true}",
}


def _config(folder: Path) -> Config:
    """Every repair there is, each for some of its resources in one region."""
    rules = "".join(
        f"""
[[rules]]
name = "{name.replace(".", "-")}"
remediation = "{name}"
mode = "observe"
config_rule_ids = ["cr-{number}"]
regions = ["cn-hangzhou"]
resources = ["{"sg-a" if repair.kind is SECURITY_GROUPS else "web-"}*"]
{_OPTIONS.get(name, "")}
"""
        for number, (name, repair) in enumerate(catalogue().items())
    )
    return loaded(folder, QUEUE + _MORE.format(member=_MEMBER) + rules)


@pytest.fixture
def granted(tmp_path: Path) -> dict[Purpose, set[str]]:
    """All resources in the policies for each purpose, of the worker and of the role in a member account."""
    config = _config(tmp_path)
    rules = [replace(rule, mode=Mode.ENFORCE) for rule in build_rules(config)]
    return {
        purpose: {
            resource
            for member in ("", _MEMBER)
            for statement in policy(rules, scope(config, member=member), [purpose])["Statement"]
            for resource in statement["Resource"]
        }
        for purpose in Purpose
    }


def _listed() -> tuple[int, dict[str, re.Pattern[str]]]:
    """How many places the page says there are, and the form of each."""
    ((number, places),) = _PLACES.findall(_PAGE.read_text(encoding="utf-8"))
    forms = re.findall(r"^\* \*\*.*\*\*, `([^`]+)`", places, re.MULTILINE)
    assert len(forms) == len(re.findall(r"^\*", places, re.MULTILINE)), "each place begins with its form"
    return _NUMBERS[number], {form: _compiled(form) for form in forms}


def _compiled(form: str) -> re.Pattern[str]:
    literal = re.escape(form).replace("<account>", "[0-9]{16}")
    return re.compile(literal.replace("<bucket>", r"(?:web-|canary|logs-)[^/]*(?:/\*)?"))


def _wide(resources: set[str], *, worker: bool) -> Iterator[str]:
    """Those that are of every account or everything; of the worker, which its rules narrow, also of every region."""
    for resource in resources:
        _, _, region, account, name = resource.split(":", 4) if resource != "*" else ("*",) * 5
        if account == "*" or (worker and (region == "*" or name == "*")):
            yield resource


def test_the_page_lists_every_place_that_is_wider_than_the_rules(granted: dict[Purpose, set[str]]) -> None:
    """And none that is not."""
    number, forms = _listed()
    assert number == len(forms)
    wide = {each for purpose in Purpose for each in _wide(granted[purpose], worker=purpose is Purpose.RUN)}
    assert [each for each in sorted(wide) if not any(form.fullmatch(each) for form in forms.values())] == []
    assert [name for name, form in forms.items() if not any(map(form.fullmatch, wide))] == []
