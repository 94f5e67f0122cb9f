"""Which patterns `check` warns of because no id of the kinds that they are for can fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from consumer.operator.check.configuration import look
from tests.unit.config_files import SMALLEST, loaded

GROUPS = """
[[rules]]
name = "ports"
remediation = "ecs.revoke-public-ingress"
mode = "observe"
source_identifiers = ["sg-risky-ports-check"]
"""
EXEMPTION = """
[[exemptions]]
name = "sites"
owner = "web"
reason = "public"
expires = 2999-01-31
"""


def warned(folder: Path, text: str) -> list[tuple[str, str]]:
    """What is said of patterns, and what to do."""
    return [(each.message, each.remedy) for each in look(loaded(folder, text), 0.0) if each.check == "pattern"]


@pytest.mark.parametrize("pattern", ["-abc", "-*", "abc-", "ab", "?", "a" * 64, "Prod_*", "a.b*", "[z-a]*", "sg-*-"])
def test_a_pattern_on_buckets(pattern: str, tmp_path: Path) -> None:
    """Judged by all that the service says of names, not by their letters alone."""
    ((message, remedy),) = warned(tmp_path, f'{SMALLEST}resources = ["{pattern}", "web-*"]\n')
    assert message == f"rules.resources of public-read = {pattern!r} can match nothing: no bucket can have such an id"
    assert remedy == (
        "a bucket's name is 3 to 63 lower-case letters, digits and hyphens, with no hyphen at either end;"
        " correct rules.resources of public-read"
    )


def test_a_pattern_on_security_groups(tmp_path: Path) -> None:
    """A rule's own kind counts, whatever kinds the other rules repair."""
    ((message, remedy),) = warned(tmp_path, f'{SMALLEST}resources = ["web-*"]\n{GROUPS}resources = ["web-*", "sg-*"]\n')
    assert message == "rules.resources of ports = 'web-*' can match nothing: no security group can have such an id"
    assert remedy.startswith("a security group's id is sg-, then 1 to 60 letters, digits and hyphens")


@pytest.mark.parametrize(
    ("narrowed", "pattern", "nouns"),
    [
        ("", "web-*", ""),
        ("", "Prod_*", "bucket or security group"),
        ('resource_types = ["ACS::ECS::SecurityGroup"]', "web-*", "security group"),
        ('resource_types = ["ACS::OSS::Bucket"]', "sg-*-", "bucket"),
        ('rules = ["ports"]', "web-*", "security group"),
        ('rules = ["ports", "public-read"]', "web-*", ""),
    ],
)
def test_a_pattern_of_an_exemption(narrowed: str, pattern: str, nouns: str, tmp_path: Path) -> None:
    """It is for the kinds that its rules and types leave; it has to fit one of them."""
    found = warned(tmp_path, f'{SMALLEST}{GROUPS}{EXEMPTION}{narrowed}\nresources = ["{pattern}"]\n')
    assert [message.partition(": no ")[2] for message, _ in found] == [f"{nouns} can have such an id"] * bool(nouns)


def test_an_unclosed_bracket_is_one_warning(tmp_path: Path) -> None:
    """Not two: closed, it may fit."""
    ((message, _),) = warned(tmp_path, f'{SMALLEST}resources = ["[ab"]\n')
    assert "never closed" in message
